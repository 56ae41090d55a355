// Rules of the RFC for URIs and header fields, as the whole server keeps them.
// Covers: RFC 3261 §18.3 (cut datagrams, streams without Content-Length), §19.1.1, §19.1.2, §19.1.5
// (URIs), §19.2 (option tags), §20 (what may stand where), §20.5, §20.7, §20.10, §20.14, §20.28,
// §20.32, §20.37, §20.43. Not covered: the grammar of each field (tests of sip/).
#include <gtest/gtest.h>

#include <algorithm>

#include "tests/core/core_harness.h"

namespace signalbox::core::testing {
namespace {

struct HeaderRulesTest : ::testing::Test {
    World world;
    Phone& alice = world.stranger();
    Phone& bob = world.registered("bob", "198.51.100.20:5060");

    Outgoing options(const std::string& line) {
        return alice.send(alice.make("OPTIONS", "sip:example.test").with(line));
    }
    Phone& bound_as(const std::string& user, const std::string& address, const std::string& more) {
        world.add_user(user_record(user));
        Phone& phone = world.phone({user, "example.test", address, {}, address + more});
        world.bind(user, phone);
        return phone;
    }
};

using CutDatagram_Rfc3261_18_3 = HeaderRulesTest;
using EndlessMessage_Rfc3261_18_3 = HeaderRulesTest;
using UriRules_Rfc3261_19_1_1 = HeaderRulesTest;
using UriRules_Rfc3261_19_1_2 = HeaderRulesTest;
using UriRules_Rfc3261_19_1_5 = HeaderRulesTest;
using HeaderRules_Rfc3261_20 = HeaderRulesTest;
using HeaderRules_Rfc3261_20_5 = HeaderRulesTest;
using HeaderRules_Rfc3261_20_7 = HeaderRulesTest;
using HeaderRules_Rfc3261_20_10 = HeaderRulesTest;
using HeaderRules_Rfc3261_20_14 = HeaderRulesTest;
using HeaderRules_Rfc3261_20_28 = HeaderRulesTest;
using HeaderRules_Rfc3261_20_32 = HeaderRulesTest;
using HeaderRules_Rfc3261_20_37 = HeaderRulesTest;
using HeaderRules_Rfc3261_20_43 = HeaderRulesTest;

TEST_F(CutDatagram_Rfc3261_18_3, AResponseIsDroppedAndARequestGets400) {
    RequestText request = alice.make("INVITE", bob.aor());
    std::string text = request.text();
    text.replace(text.find("Content-Length: 0"), 17, "Content-Length: 9");
    alice.send_text(text + "v=0");
    alice.expect(400);
    Outgoing call = alice.invite(bob).expect(100);
    std::string response = bob.expects("INVITE").response(200);
    const std::string good = response;
    response.replace(response.find("Content-Length: 0"), 17, "Content-Length: 9");
    bob.send_text(response);
    EXPECT_TRUE(alice.is_silent());
    EXPECT_EQ(world.count(Counter::rx_dropped_malformed_total), 1U);
    bob.send_text(good);
    call.expect(200);
}

TEST_F(EndlessMessage_Rfc3261_18_3, OnAStreamItGets400AndChangesNothing) {
    using transport::Transport;
    world.add_user(user_record("dora"));
    for (const Transport transport : {Transport::Tcp, Transport::Tls}) {
        Phone& peer = world.stranger("erin", "198.51.100.70:5060", transport);
        RequestText message = peer.make("MESSAGE", bob.aor());
        message.with("Content-Type: text/plain");
        RequestText registration = peer.make("REGISTER", "sip:example.test");
        registration.from = registration.to = "<sip:dora@example.test>;tag=1";
        for (RequestText request : {message, peer.make("INVITE", bob.aor()), registration}) {
            request.has_content_length = false;
            // What a stream hands over of it: nobody knows where its body would end.
            peer.send_text(request.text());
            EXPECT_EQ(peer.expect(400).reason(), "Missing Content-Length");
        }
    }
    EXPECT_TRUE(bob.is_silent());
    EXPECT_EQ(world.count(Counter::rx_malformed_requests_total), 6U);
}

TEST_F(EndlessMessage_Rfc3261_18_3, OnAStreamAResponseIsDropped) {
    Phone& tcp = world.registered("dora", "198.51.100.40:5060", transport::Transport::Tcp);
    Outgoing call = alice.invite(tcp).expect(100);
    const std::string good = tcp.expects("INVITE").response(200);
    std::string endless = good;
    endless.erase(endless.find("Content-Length: 0\r\n"), 19);
    tcp.send_text(endless);
    EXPECT_TRUE(alice.is_silent());
    tcp.send_text(good);
    call.expect(200);
}

TEST_F(EndlessMessage_Rfc3261_18_3, ADatagramAndAFrameEndByThemselves) {
    for (const auto transport : {transport::Transport::Udp, transport::Transport::Ws}) {
        Phone& peer = world.stranger("erin", "198.51.100.70:5060", transport);
        RequestText request = peer.make("OPTIONS", "sip:example.test");
        request.has_content_length = false;
        peer.send(request).expect(200);
    }
}

TEST_F(UriRules_Rfc3261_19_1_1, OurOwnUrisNameEachParameterOnce) {
    Phone& tcp = world.registered("dora", "198.51.100.40:5060", transport::Transport::Tcp);
    alice.invite(tcp).expect(100);
    for (const std::string& route : tcp.expects("INVITE").message().values("Record-Route")) {
        const size_t first = route.find(";transport=");
        EXPECT_EQ(route.find(";transport=", first + 1), std::string::npos) << route;
        EXPECT_EQ(route.find(";lr", route.find(";lr") + 1), std::string::npos) << route;
    }
}

TEST_F(UriRules_Rfc3261_19_1_1, UnknownParametersArePassedOver) {
    alice.send(alice.make("INVITE", "sip:bob@example.test;unheard=of;flag;x=%41")).expect(100);
    bob.expects("INVITE");
    alice.send(alice.make("OPTIONS", "sip:example.test;unheard=of")).expect(200);
}

TEST_F(UriRules_Rfc3261_19_1_2, OurOwnUrisNeedNoEscapes) {
    alice.invite(bob).expect(100);
    const std::string route = bob.expects("INVITE").message().header("Record-Route");
    const std::string user = route.substr(5, route.find('@') - 5);
    EXPECT_EQ(route.substr(0, 5), "<sip:");
    EXPECT_EQ(user.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789"), std::string::npos)
        << user;
}

TEST_F(UriRules_Rfc3261_19_1_2, AnEscapeInTheHostIsRefused) {
    alice.send(alice.make("INVITE", "sip:bob@%65xample.test")).expect(400);
    EXPECT_TRUE(bob.is_silent());
}

TEST_F(UriRules_Rfc3261_19_1_5, ARequestUriKeepsTheParametersOfTheContact) {
    const std::string more = ";maddr=198.51.100.40;ttl=1;user=phone;transport=udp;unheard=of";
    Phone& dora = bound_as("dora", "198.51.100.40:5060", more);
    alice.send(alice.make("INVITE", dora.aor())).expect(100);
    EXPECT_EQ(dora.expects("INVITE").message().uri(), "sip:dora@198.51.100.40:5060" + more);
}

TEST_F(HeaderRules_Rfc3261_20, MandatoryFieldsAreHeldTo) {
    for (const char* name : {"Via", "From", "To", "Call-ID", "CSeq"}) {
        Outgoing call = alice.invite(bob).expect(100);
        std::string response = bob.expects("INVITE").response(200);
        for (size_t at = response.find("\r\n" + std::string(name) + ":"); at != std::string::npos;
             at = response.find("\r\n" + std::string(name) + ":")) {
            response.erase(at, response.find("\r\n", at + 2) - at);
        }
        bob.send_text(response);
        EXPECT_TRUE(alice.is_silent()) << name;
        alice.take_kinds();
        bob.take_kinds();
    }
}

TEST_F(HeaderRules_Rfc3261_20, OutOfPlaceFieldsArePassedOver) {
    // What belongs into responses, or not into this request.
    options("WWW-Authenticate: Digest").expect(200);
    options("Min-Expires: many").expect(200);
    options("Unsupported: everything").expect(200);
    options("Retry-After: never").expect(200);
    Outgoing call = alice.invite(bob).expect(100);
    const Incoming leg = bob.expects("INVITE");
    leg.answers(180,
                {"Max-Forwards: 0", "Proxy-Require: time-travel", "Route: <sip:203.0.113.1;lr>"});
    call.expect(180);
}

TEST_F(HeaderRules_Rfc3261_20_5, AllowNamesEveryMethodThatTheServerTakes) {
    const Outgoing refused = alice.send(alice.make("MESSAGE", "sip:example.test")).expect(405);
    const std::vector<std::string> allowed = refused.response().values("Allow");
    for (const char* method : {"ACK", "CANCEL", "OPTIONS", "REGISTER"}) {
        EXPECT_EQ(std::count(allowed.begin(), allowed.end(), method), 1) << method;
    }
    EXPECT_EQ(std::count(allowed.begin(), allowed.end(), "MESSAGE"), 0);
}

TEST_F(HeaderRules_Rfc3261_20_5, ARequestWithoutAllowIsServed) {
    alice.invite(bob).expect(100);
    EXPECT_FALSE(bob.expects("INVITE").message().has("Allow"));
}

TEST_F(HeaderRules_Rfc3261_20_7, SeveralCredentialsStayApart) {
    RequestText request = alice.make("INVITE", bob.aor());
    request.with("Authorization: Digest realm=\"a\", nonce=\"1\"")
        .with("Authorization: Digest realm=\"b\", nonce=\"2\"");
    alice.send(request).expect(100);
    const std::string text = bob.expects("INVITE").message().text();
    EXPECT_NE(text.find("Authorization: Digest realm=\"a\", nonce=\"1\"\r\nAuthorization: Digest "
                        "realm=\"b\", nonce=\"2\"\r\n"),
              std::string::npos);
}

TEST_F(HeaderRules_Rfc3261_20_28, SeveralCredentialsStayApart) {
    RequestText request = alice.make("INVITE", bob.aor());
    request.with("Proxy-Authorization: Digest realm=\"a\", nonce=\"1\"")
        .with("Proxy-Authorization: Digest realm=\"b\", nonce=\"2\"");
    alice.send(request).expect(100);
    const std::string text = bob.expects("INVITE").message().text();
    EXPECT_NE(text.find("Proxy-Authorization: Digest realm=\"a\", nonce=\"1\"\r\n"
                        "Proxy-Authorization: Digest realm=\"b\", nonce=\"2\"\r\n"),
              std::string::npos);
}

TEST_F(HeaderRules_Rfc3261_20_10, ContactsOfA200StandInBrackets) {
    Phone& dora = bound_as("dora", "198.51.100.40:5060", ";x=1");
    RequestText fetch = dora.make("REGISTER", "sip:example.test");
    fetch.to = "<" + dora.aor() + ">";
    fetch.contact.clear();
    const Outgoing first = dora.send(fetch).expect(401);
    const Outgoing listed =
        dora.send(dora.with_credentials(fetch, first.response(), "secret")).expect(200);
    EXPECT_EQ(listed.response().header("Contact").substr(0, 37),
              "<sip:dora@198.51.100.40:5060;x=1>;exp");
}

TEST_F(HeaderRules_Rfc3261_20_14, OurResponsesHaveALength) {
    for (const char* method : {"OPTIONS", "MESSAGE", "REGISTER"}) {
        alice.send_text(alice.make(method, "sip:example.test").text());
        EXPECT_EQ(alice.take().header("Content-Length"), "0") << method;
    }
    Outgoing call = alice.invite(bob).expect(100);
    EXPECT_EQ(call.response().header("Content-Length"), "0");
}

TEST_F(HeaderRules_Rfc3261_20_32, RequireIsHeldToByTheServerItself) {
    const Outgoing refused = options("Require: time-travel, tea").expect(420);
    EXPECT_EQ(refused.response().values("Unsupported"),
              (std::vector<std::string>{"time-travel", "tea"}));
}

TEST_F(HeaderRules_Rfc3261_20_37, SupportedNamesOnlyWhatIsStandard) {
    const Outgoing answered = options("X-Any: 1").expect(200);
    const std::vector<std::string> supported = answered.response().values("Supported");
    EXPECT_FALSE(supported.empty());
    for (const std::string& tag : supported) {
        const std::vector<std::string> known = {"path",     "outbound", "gruu",
                                                "replaces", "timer",    "100rel"};
        EXPECT_EQ(std::count(known.begin(), known.end(), tag), 1) << tag;
    }
}

TEST_F(HeaderRules_Rfc3261_20_43, AWarningChangesNothing) {
    Outgoing call = alice.invite(bob).expect(100);
    const Incoming leg = bob.expects("INVITE");
    leg.answers(183, {"Warning: 399 phone.test \"end this call\"", "Warning: nonsense"});
    call.expect(183);
    EXPECT_EQ(call.response().header("Warning"), "399 phone.test \"end this call\"");
    leg.answers(200);
    call.expect(200);
}

}  // namespace
}  // namespace signalbox::core::testing
