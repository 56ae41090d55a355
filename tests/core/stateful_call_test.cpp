// Calls through the stateful proxy from INVITE to BYE, and what routes the requests of their
// dialogs. Covers: RFC 3261 §16.2 (100 at once), §16.6 step 4 and §16.7 step 8 (Record-Route),
// §16.12 (in-dialog routing), RFC 5658 (doubled). Not covered: the rendering of each header field
// (request_forwarding_test), route preprocessing (route_preprocessing_test).
#include <gtest/gtest.h>

#include "tests/core/core_harness.h"

namespace signalbox::core::testing {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using transport::Transport;

struct CallTest : ::testing::Test {
    World world;
    Phone& alice = world.stranger();
    Phone& bob = world.registered("bob", "198.51.100.20:5060");
    Dialog at_alice, at_bob;

    /// A call from `caller` to `callee`, answered and acknowledged.
    void connect(Phone& caller, Phone& callee) {
        Outgoing call = caller.invite(callee).expect(100);
        const Incoming leg = callee.expects("INVITE");
        leg.answers(200);
        call.expect(200);
        call.ack();
        callee.expects("ACK");
        at_alice = call.dialog();
        at_bob = leg.dialog();
    }
};

using Proxy_Rfc3261_16_2 = CallTest;
using Proxy_Rfc3261_16_12 = CallTest;
using Proxy_Rfc5658 = CallTest;
using Proxy_Rfc4320_4_1 = CallTest;
using Proxy_Behaviour = CallTest;

TEST_F(Proxy_Rfc3261_16_2, AnswersAnInviteWith100BeforeTheCalleeSpeaks) {
    alice.invite(bob).expect(100);
    bob.expects("INVITE");
    EXPECT_TRUE(alice.is_silent());
}

TEST_F(Proxy_Rfc3261_16_2, CarriesACallFromInviteToBye) {
    Outgoing call = alice.invite(bob).expect(100);
    const Incoming leg = bob.expects("INVITE");
    EXPECT_EQ(leg.message().uri(), "sip:bob@198.51.100.20:5060");
    leg.answers(180);
    call.expect(180);
    leg.answers(200, {"Content-Type: application/sdp"}, "v=0\r\n");
    call.expect(200);
    EXPECT_EQ(call.response().body(), "v=0\r\n");
    call.ack();
    EXPECT_EQ(bob.expects("ACK").message().uri(), "sip:bob@198.51.100.20:5060");
    Dialog dialog = call.dialog();
    Outgoing bye = alice.send_in(dialog, "BYE");
    bob.expects("BYE").answers(200);
    bye.expect(200);
    EXPECT_TRUE(alice.is_silent() && bob.is_silent());
}

TEST_F(Proxy_Rfc3261_16_2, AbsorbsARetransmittedInviteWithTheLastResponse) {
    Outgoing call = alice.invite(bob).expect(100);
    call.retransmit().expect(100);
    const Incoming leg = bob.expects("INVITE");
    EXPECT_TRUE(bob.is_silent());
    leg.answers(180);
    call.expect(180);
    const std::string first = call.response().text();
    call.retransmit().expect(180);
    EXPECT_EQ(call.response().text(), first);
}

TEST_F(Proxy_Rfc3261_16_2, KeepsNothingWhenTheCallHasEnded) {
    connect(alice, bob);
    Outgoing bye = bob.send_in(at_bob, "BYE");
    alice.expects("BYE").answers(200);
    bye.expect(200);
    world.wait(seconds(64));
    EXPECT_TRUE(world.is_empty());
    EXPECT_EQ(world.gauges().pool_bytes, 0U);
    EXPECT_EQ(world.record_lines(), std::vector<std::string>{"200 Callee BYE"});
}

TEST_F(Proxy_Rfc4320_4_1, AnswersANonInvite100OnlyWhenItsRetransmissionsWouldBeRare) {
    Outgoing message = alice.send(alice.make("MESSAGE", bob.aor()));
    EXPECT_TRUE(alice.is_silent());
    bob.expects("MESSAGE");
    world.wait(milliseconds(3400));
    EXPECT_TRUE(alice.is_silent());
    world.wait(seconds(2));
    message.expect(100);
    EXPECT_TRUE(alice.is_silent());
}

TEST_F(Proxy_Rfc3261_16_12, CarriesRequestsInTheDialogInBothDirectionsByTheToken) {
    connect(alice, bob);
    Outgoing info = alice.send_in(at_alice, "INFO");
    bob.expects("INFO").answers(200);
    info.expect(200);
    Outgoing back = bob.send_in(at_bob, "INFO");
    const Incoming got = alice.expects("INFO");
    EXPECT_FALSE(got.message().has("Route"));
    EXPECT_EQ(got.message().uri(), alice.contact());
    got.answers(200);
    back.expect(200);
}

TEST_F(Proxy_Rfc3261_16_12, AReinviteKeepsTheWayForBothSides) {
    connect(alice, bob);
    Outgoing again = bob.send_in(at_bob, "INVITE").expect(100);
    const Incoming leg = alice.expects("INVITE");
    leg.answers(200);
    again.expect(200).ack();
    alice.expects("ACK");
    Dialog refreshed = leg.dialog();
    Outgoing bye = alice.send_in(refreshed, "BYE");
    bob.expects("BYE").answers(200);
    bye.expect(200);
    EXPECT_EQ(world.record_lines(), std::vector<std::string>{"200 Caller BYE"});
}

TEST_F(Proxy_Rfc3261_16_12, ADialogWithoutRecordRouteIsCarriedByNobodyButItsToken) {
    connect(alice, bob);
    Dialog bare = at_alice;
    bare.routes.clear();
    Outgoing bye = alice.send_in(bare, "BYE");
    // Outside a proven dialog this is a request of a stranger to a foreign host.
    bye.expect(407);
    EXPECT_TRUE(bob.is_silent());
}

TEST_F(Proxy_Rfc3261_16_12, RefusesTheTokenOfAnotherDialog) {
    connect(alice, bob);
    Phone& mallory = world.stranger("mallory", "203.0.113.9:5060");
    RequestText forged = mallory.make("INVITE", "sip:bob@198.51.100.20:5060");
    forged.routes = at_alice.routes;
    forged.to += ";tag=x";
    mallory.send(forged).expect(407);
    EXPECT_EQ(world.count(Counter::route_token_refused_total), 1U);
    EXPECT_TRUE(bob.is_silent());
}

TEST_F(Proxy_Rfc3261_16_12, RefusesATokenInARequestOutsideADialog) {
    connect(alice, bob);
    RequestText fresh = alice.make("INVITE", "sip:bob@198.51.100.20:5060");
    fresh.routes = at_alice.routes;
    fresh.call_id = at_alice.call_id;
    fresh.from = at_alice.local;
    alice.send(fresh).expect(407);
    EXPECT_TRUE(bob.is_silent());
}

TEST_F(Proxy_Rfc3261_16_12, ATokenLeadsOnlyToThePlacesThatItsDialogHasShown) {
    connect(alice, bob);
    Phone& victim = world.stranger("victim", "203.0.113.77:5060");
    Dialog bent = at_alice;
    bent.remote_target = victim.contact();
    alice.send_in(bent, "INFO");
    EXPECT_TRUE(victim.is_silent());
    // It goes where the dialog is: to bob, who may refuse it.
    EXPECT_EQ(bob.expects("INFO").message().uri(), victim.contact());
}

TEST_F(Proxy_Rfc3261_16_12, AContactFromWhichAPhoneDoesNotSendIsNotFollowed) {
    connect(alice, bob);
    Phone& moved = world.stranger("alice2", "198.51.100.11:5060");
    RequestText update = alice.make_in(at_alice, "UPDATE");
    update.contact = "<" + moved.contact() + ">";
    Outgoing sent = alice.send(update);
    bob.expects("UPDATE").answers(200);
    sent.expect(200);
    at_bob.remote_target = moved.contact();
    bob.send_in(at_bob, "INFO");
    // The address was not that of the packets, so that it proves nothing: the flow is kept.
    alice.expects("INFO");
    EXPECT_TRUE(moved.is_silent());
}

TEST_F(Proxy_Rfc3261_16_12, ReachesAPhoneBehindANatByItsFlow) {
    Phone& nated = world.phone(
        {"carol", "elsewhere.test", "203.0.113.30:40000", Transport::Udp, "10.0.0.7:5060"});
    connect(nated, bob);
    Outgoing bye = bob.send_in(at_bob, "BYE");
    const Incoming got = nated.expects("BYE");
    EXPECT_EQ(got.message().uri(), "sip:carol@10.0.0.7:5060");
    got.answers(200);
    bye.expect(200);
}

TEST_F(Proxy_Rfc3261_16_12, ReachesANatedCalleeByItsFlow) {
    world.add_user(user_record("dora"));
    Phone& dora = world.phone(
        {"dora", "example.test", "203.0.113.31:41000", Transport::Udp, "10.0.0.8:5060"});
    Outgoing reg = dora.send(dora.registration()).expect(401);
    dora.send(dora.with_credentials(reg.request(), reg.response(), "secret")).expect(200);
    connect(alice, dora);
    Outgoing bye = alice.send_in(at_alice, "BYE");
    dora.expects("BYE").answers(200);
    bye.expect(200);
}

TEST_F(Proxy_Rfc3261_16_12, AnAckWhoseTokenIsNotOfItsDialogGoesNowhere) {
    connect(alice, bob);
    RequestText ack = alice.make_in(at_alice, "ACK");
    ack.call_id = "other";
    alice.send_text(ack.text());
    EXPECT_TRUE(bob.is_silent());
    EXPECT_EQ(world.count(Counter::stray_acks_dropped_total), 1U);
}

TEST_F(Proxy_Rfc3261_16_12, AnAckThatLeadsToAStrangerIsDropped) {
    Phone& victim = world.stranger("victim", "203.0.113.77:5060");
    RequestText ack = alice.make("ACK", victim.contact());
    ack.to += ";tag=1";
    alice.send_text(ack.text());
    EXPECT_TRUE(victim.is_silent());
    EXPECT_EQ(world.count(Counter::stray_acks_dropped_total), 1U);
}

/// A proxy behind us that sends its calls back through us, to bob.
struct SpiralTest : CallTest {
    Phone& proxy = world.phone({"fwd", "example.test", "198.51.100.66:5060", {}, {}});

    /// The call of alice that arrives at bob.
    Incoming carry_invite(Outgoing& call) {
        call.expect(100);
        std::string text = proxy.expects("INVITE").message().text();
        text.replace(text.find("sip:fwd@198.51.100.66:5060"), 26, bob.aor());
        text.insert(text.find("Via:"), "Via: " + proxy.fresh_via() + "\r\n");
        text.insert(text.find("Record-Route:"), "Record-Route: <sip:198.51.100.66;lr>\r\n");
        proxy.send_text(text);
        proxy.expect(100);
        return bob.expects("INVITE");
    }
    void carry_response(int status) {
        std::string text = proxy.expect(status).text();
        const size_t via = text.find("Via:");
        text.erase(via, text.find("\r\n", via) + 2 - via);
        proxy.send_text(text);
    }
    /// The ACK goes alice, proxy, bob: each of our passages keeps its own way.
    void expect_ack_by_the_proxy() {
        std::string ack = proxy.expects("ACK").message().text();
        EXPECT_TRUE(bob.is_silent());
        const size_t route = ack.find("Route: <sip:198.51.100.66;lr>");
        ASSERT_NE(route, std::string::npos);
        ack.erase(route, ack.find("\r\n", route) + 2 - route);
        ack.insert(ack.find("Via:"), "Via: " + proxy.fresh_via() + "\r\n");
        proxy.send_text(ack);
        bob.expects("ACK");
        EXPECT_TRUE(proxy.is_silent());
    }
    Outgoing call() {
        world.bind("fwd", proxy);
        return alice.send(alice.make("INVITE", "sip:fwd@example.test"));
    }
};

using Spiral_Rfc3261_16_7 = SpiralTest;

TEST_F(Spiral_Rfc3261_16_7, KeepsTheWayOfEachPassage) {
    Outgoing spiral = call();
    const Incoming leg = carry_invite(spiral);
    leg.answers(200);
    carry_response(200);
    spiral.expect(200).ack();
    EXPECT_EQ(spiral.dialog().routes.size(), 3U);
    expect_ack_by_the_proxy();
}

TEST_F(Spiral_Rfc3261_16_7, A2xxAfterTheContextsKeepsTheWayOfEachPassageToo) {
    Outgoing spiral = call();
    Incoming leg = carry_invite(spiral);
    leg.answers(200);
    carry_response(200);
    spiral.expect(200).ack();
    expect_ack_by_the_proxy();
    // Another phone behind bob's answers the same INVITE.
    leg.to_tag = "b2";
    leg.answers(200);
    carry_response(200);
    spiral.expect(200).ack();
    EXPECT_EQ(spiral.dialog().routes.size(), 3U);
    expect_ack_by_the_proxy();
}

TEST_F(Proxy_Rfc5658, DoublesRecordRouteWhereTheTransportChanges) {
    Phone& tcp = world.registered("dora", "198.51.100.40:5070", Transport::Tcp);
    Outgoing call = alice.invite(tcp).expect(100);
    const Incoming leg = tcp.expects("INVITE");
    const auto routes = leg.message().values("Record-Route");
    ASSERT_EQ(routes.size(), 2U);
    EXPECT_NE(routes[0].find(";transport=tcp"), std::string::npos);
    EXPECT_EQ(routes[1].find(";transport=tcp"), std::string::npos);
    leg.answers(200);
    call.expect(200).ack();
    EXPECT_FALSE(tcp.expects("ACK").message().has("Route"));
    Dialog dialog = leg.dialog();
    Outgoing bye = tcp.send_in(dialog, "BYE");
    EXPECT_FALSE(alice.expects("BYE").answers(200).message().has("Route"));
    bye.expect(200);
}

TEST_F(Proxy_Rfc5658, DoublesRecordRouteWhereTheAddressFamilyChanges) {
    Phone& six = world.registered("dora", "[2001:db8::40]:5070");
    Outgoing call = alice.invite(six).expect(100);
    const auto routes = six.expects("INVITE").message().values("Record-Route");
    ASSERT_EQ(routes.size(), 2U);
    EXPECT_NE(routes[0].find("@[2001:db8::1]:5060"), std::string::npos);
    EXPECT_NE(routes[1].find("@192.0.2.1:5060"), std::string::npos);
}

TEST_F(Proxy_Behaviour, AResponseToNobodyIsCounted) {
    alice.invite(bob).expect(100);
    const Incoming leg = bob.expects("INVITE");
    std::string stray = leg.response(200);
    stray.replace(stray.find("branch=z9hG4bK") + 14, 1, "!");
    bob.send_text(stray);
    EXPECT_TRUE(alice.is_silent());
    EXPECT_EQ(world.count(Counter::rx_response_sent_by_mismatch_dropped_total), 1U);
}

TEST_F(Proxy_Behaviour, KeepAlivesAndNoiseAreNotAnswered) {
    alice.send_text("\r\n\r\n");
    alice.send_text(std::string(8, '\0'));
    alice.send_text("");
    EXPECT_EQ(world.count(Counter::rx_keepalives_total), 3U);
    alice.send_text("this is not a SIP message at all");
    EXPECT_EQ(world.count(Counter::rx_dropped_malformed_total), 1U);
    EXPECT_TRUE(alice.is_silent());
}

}  // namespace
}  // namespace signalbox::core::testing
