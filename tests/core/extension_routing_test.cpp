// Requests and header fields of extensions pass octet for octet, by the way of their dialog.
// Covers: RFC 3262 §7.1 (RSeq, RAck), RFC 3311 §6 (UPDATE), RFC 3515 §2.6 (REFER), RFC 3840 §4
// (feature parameters of a Contact), RFC 3891 §5 (Replaces, to a GRUU too), RFC 3892 §3
// (Referred-By), RFC 5031 §4.2 (urn:service), RFC 6665 §4.3 (subscriptions). Not covered: a
// .invalid Contact (unresolvable_contact_test), our own notifications (reg_event_test).
#include <gtest/gtest.h>

#include <algorithm>

#include "tests/core/core_harness.h"

namespace signalbox::core::testing {
namespace {

struct RoutingTest : ::testing::Test {
    World world;
    Phone& alice = world.stranger();
    // It listens where it does not say: only the dialog's token finds it.
    Phone& bob = world.phone(
        {"bob", "example.test", "198.51.100.20:40001", transport::Transport::Udp, "10.0.0.2:5060"});

    RoutingTest() {
        world.add_user(user_record("bob"));
        world.bind("bob", bob);
    }

    struct Call {
        Outgoing call;
        Incoming leg;
    };
    /// A call that rings.
    Call early() {
        Outgoing call = alice.send(alice.make("INVITE", bob.aor())).expect(100);
        Incoming leg = bob.expects("INVITE");
        leg.answers(183);
        call.expect(183);
        return {call, leg};
    }
    Call up() {
        Call call = early();
        call.leg.answers(200);
        call.call.expect(200).ack();
        bob.expects("ACK");
        return call;
    }
    /// All of a message but its first line and what RFC 3261 §16.6 makes a proxy change.
    static std::string kept(const std::string& text) {
        static constexpr std::string_view kChanged[] = {
            "Via:", "Route:", "Record-Route:", "Max-Forwards:", "Max-Breadth:"};
        std::string out;
        for (size_t at = text.find("\r\n") + 2; at < text.size();) {
            const size_t end = std::min(text.find("\r\n", at), text.size() - 2) + 2;
            const std::string_view line = std::string_view(text).substr(at, end - at);
            const bool is_changed =
                std::any_of(std::begin(kChanged), std::end(kChanged),
                            [line](std::string_view name) { return line.starts_with(name); });
            if (!is_changed) out += line;
            at = end;
        }
        return out;
    }
    /// Sends it; it must arrive as it is, without our Routes. Returns it.
    static Incoming passed(Phone& from, const RequestText& request, Phone& to) {
        from.send(request);
        Incoming arrived = to.expects(request.method);
        EXPECT_EQ(kept(arrived.message().text()), kept(request.text()));
        EXPECT_EQ(arrived.message().uri(), request.uri);
        EXPECT_FALSE(arrived.message().has("Route"));
        return arrived;
    }
};

using Routing_Rfc3262_7_1 = RoutingTest;
using Routing_Rfc3311_6 = RoutingTest;
using Routing_Rfc3515_2_6 = RoutingTest;
using Routing_Rfc3891_5 = RoutingTest;
using Routing_Rfc3892_3 = RoutingTest;
using Routing_Rfc5031_4_2 = RoutingTest;
using Routing_Rfc6665_4_3 = RoutingTest;

TEST_F(Routing_Rfc3262_7_1, RSeqAndRAckPassAsTheyAreAndPrackFindsTheCallee) {
    Outgoing call = alice.send(alice.make("INVITE", bob.aor())).expect(100);
    const Incoming leg = bob.expects("INVITE");
    const std::vector<std::string> odd = {"require:\t100rel", "rSeq :  0004711"};
    leg.answers(180, odd);
    EXPECT_EQ(kept(call.expect(180).response().text()), kept(leg.response(180, odd)));
    Dialog dialog = call.dialog();
    RequestText prack = alice.make_in(dialog, "PRACK");
    prack.with("RAck:0004711\r\n   1 INVITE").with("Content-Type: application/sdp");
    prack.body = "v=0\r\n";
    const Incoming arrived = passed(alice, prack, bob);
    arrived.answers(200, {"RSeq: 1"});
    EXPECT_EQ(alice.expect(200).header("RSeq"), "1");
    leg.answers(200);
    call.expect(200);
}

TEST_F(Routing_Rfc3311_6, UpdateOfTheCalleeFindsTheCallerBeforeTheAnswer) {
    Call call = early();
    Dialog dialog = call.leg.dialog();
    RequestText update = bob.make_in(dialog, "UPDATE");
    update.with("Content-Type: application/sdp").with("Min-SE: 90");
    update.body = "v=0\r\no=- 1 2 IN IP4 10.0.0.2\r\n";
    passed(bob, update, alice).answers(491);
    bob.expect(491);
    Dialog at_alice = call.call.dialog();
    passed(alice, alice.make_in(at_alice, "UPDATE"), bob).answers(200);
    alice.expect(200);
}

TEST_F(Routing_Rfc3515_2_6, ReferOutsideADialogIsRoutedAndKeepsUsInTheWayOfItsNotify) {
    RequestText refer = alice.make("REFER", bob.aor());
    refer.with("r:<sip:carol@elsewhere.test;method=INVITE?Replaces=a%3Bto-tag%3Db>");
    refer.with("b: <sip:alice@elsewhere.test>;cid=\"1@a\"");
    alice.send(refer);
    const Incoming arrived = bob.expects("REFER");
    EXPECT_EQ(kept(arrived.message().text()), kept(refer.text()));
    EXPECT_EQ(arrived.message().values("Record-Route").size(), 1U);
    arrived.answers(202);
    alice.expect(202);
    Dialog dialog = arrived.dialog();
    RequestText notify = bob.make_in(dialog, "NOTIFY");
    notify.with("o: refer;id=1").with("Subscription-State: terminated;reason=noresource");
    notify.with("c: message/sipfrag;version=2.0");
    notify.body = "SIP/2.0 200 OK\r\n";
    bob.send(notify);
    const Incoming told = alice.expects("NOTIFY");
    EXPECT_EQ(kept(told.message().text()), kept(notify.text()));
    EXPECT_FALSE(told.message().has("Route"));
    told.answers(200);
    bob.expect(200);
}

TEST_F(Routing_Rfc3515_2_6, ReferInADialogTakesItsWay) {
    Call call = up();
    Dialog dialog = call.call.dialog();
    RequestText refer = alice.make_in(dialog, "REFER");
    alice.send(refer.with("Refer-To: <tel:+15550100>").with("Refer-Sub: false"));
    const Incoming arrived = bob.expects("REFER");
    EXPECT_EQ(kept(arrived.message().text()), kept(refer.text()));
    EXPECT_FALSE(arrived.message().has("Route"));
}

TEST_F(Routing_Rfc3891_5, ReplacesPassesAsItIs) {
    RequestText request = alice.make("INVITE", bob.aor());
    request.with("require :replaces");
    request.with("Replaces:  7@h ;to-tag=a ;FROM-TAG=b;early-only;x=\"q\\\"\"");
    alice.send(request).expect(100);
    EXPECT_EQ(kept(bob.expects("INVITE").message().text()), kept(request.text()));
}

TEST_F(Routing_Rfc3891_5, AnInviteWithReplacesToAGruuFindsItsPhone) {
    ports::Snapshot trusting = default_snapshot();
    trusting.trusted = {*Network::parse("198.51.100.0/24")};
    World home{trusting};
    home.add_user(user_record("dora"));
    Phone& carol = home.stranger();
    Phone& dora =
        home.phone({"dora", "example.test", "198.51.100.40:5060", transport::Transport::Tcp, {}});
    RequestText registration = dora.registration();
    registration.contact += ";+sip.instance=\"<urn:uuid:00000000-0000-4000-8000-00000000000a>\"";
    const std::string contact =
        dora.send(registration.with("Supported: gruu")).expect(200).response().header("Contact");
    const size_t begin = contact.find("temp-gruu=\"") + 11;
    const std::string gruu = contact.substr(begin, contact.find('"', begin) - begin);
    RequestText request = carol.make("INVITE", gruu);
    carol.send(request.with("Replaces: 7@h;to-tag=a;from-tag=b")).expect(100);
    const Incoming arrived = dora.expects("INVITE");
    EXPECT_EQ(kept(arrived.message().text()), kept(request.text()));
    EXPECT_EQ(arrived.message().uri(), dora.contact());
}

TEST_F(Routing_Rfc3892_3, ReferredByPassesAsItIsInBothOfItsForms) {
    for (const char* line :
         {"Referred-By:\"R\" <sip:r@elsewhere.test> ;cid=\"2@r\";x", "b : sip:r@elsewhere.test"}) {
        RequestText request = alice.make("INVITE", bob.aor());
        alice.send(request.with(line)).expect(100);
        EXPECT_EQ(kept(bob.expects("INVITE").message().text()), kept(request.text()));
    }
}

TEST_F(Routing_Rfc6665_4_3, WhoIsInTheWayOfASubscriptionStaysInTheWayOfItsNotifications) {
    RequestText subscribe = alice.make("SUBSCRIBE", bob.aor());
    subscribe.with("Event: presence;id=7").with("Accept: application/pidf+xml");
    alice.send(subscribe.with("Expires: 600"));
    const Incoming leg = bob.expects("SUBSCRIBE");
    EXPECT_EQ(kept(leg.message().text()), kept(subscribe.text()));
    EXPECT_EQ(leg.message().values("Record-Route").size(), 1U);
    // The notification may come before the answer to its subscription.
    Dialog at_bob = leg.dialog();
    RequestText notify = bob.make_in(at_bob, "NOTIFY");
    notify.with("Event: presence;id=7").with("Subscription-State: active;expires=599");
    bob.send(notify);
    const Incoming told = alice.expects("NOTIFY");
    EXPECT_EQ(kept(told.message().text()), kept(notify.text()));
    EXPECT_EQ(told.message().values("Record-Route").size(), 1U) << "it makes a dialog, too";
    told.answers(200);
    bob.expect(200);
    leg.answers(200, {"Expires: 600"});
    const Message accepted = alice.expect(200);
    EXPECT_EQ(accepted.header("Expires"), "600");

    Dialog at_alice = told.dialog();
    at_alice.cseq = subscribe.cseq;
    RequestText refresh = alice.make_in(at_alice, "SUBSCRIBE");
    refresh.with("Event: presence;id=7").with("Expires: 0");
    alice.send(refresh);
    const Incoming ended = bob.expects("SUBSCRIBE");
    EXPECT_EQ(kept(ended.message().text()), kept(refresh.text()));
    EXPECT_FALSE(ended.message().has("Route"));
}

struct FeatureTest : ::testing::Test {
    static ports::Snapshot trusting() {
        ports::Snapshot snapshot = default_snapshot();
        snapshot.trusted = {*Network::parse("198.51.100.0/24")};
        return snapshot;
    }
    World world{trusting()};
    Phone& bob = world.registered("bob", "198.51.100.20:5060");

    std::string registered(const std::string& parameters) {
        RequestText request = bob.registration();
        if (parameters.empty()) {
            request.contact.clear();
        } else {
            request.contact += parameters;
        }
        request.call_id = "features";
        request.cseq = ++cseq;
        return bob.send(request).expect(200).response().header("Contact");
    }
    uint32_t cseq = 0;
};

using FeatureParameters_Rfc3840_4 = FeatureTest;

TEST_F(Routing_Rfc5031_4_2, AServiceThatIsForTheNextProxyGoesThere) {
    Phone& services = world.stranger("psap", "203.0.113.9:5060");
    RequestText request = bob.make("INVITE", "urn:service:sos.police");
    request.to = "<urn:service:sos.police>";
    request.routes = {"<sip:192.0.2.1;lr>", "<sip:203.0.113.9;lr>"};
    Outgoing first = bob.send(request).expect(407);
    bob.send(bob.with_credentials(request, first.response(), "secret")).expect(100);
    const Message arrived = services.expects("INVITE").message();
    EXPECT_EQ(arrived.uri(), "urn:service:sos.police");
    EXPECT_EQ(arrived.header("Route"), "<sip:203.0.113.9;lr>");
}

TEST_F(FeatureParameters_Rfc3840_4, AreKeptWithTheBindingAndGivenBack) {
    const std::string features =
        ";audio;video=\"FALSE\";methods=\"INVITE,BYE,!\";+sip.x=\"<a;b>\";priority=\"#<=3\"";
    EXPECT_TRUE(registered(features).ends_with(features));
    EXPECT_TRUE(registered({}).ends_with(features)) << "whoever asks is told";
    EXPECT_TRUE(registered(";automata").ends_with(";automata")) << "and not what was before";
}

TEST_F(FeatureParameters_Rfc3840_4, AreNoPartOfTheUriThatIsCalled) {
    registered(";audio;+sip.x=\"1\"");
    Phone& alice = world.stranger();
    alice.invite(bob).expect(100);
    EXPECT_EQ(bob.expects("INVITE").message().uri(), bob.contact());
}

}  // namespace
}  // namespace signalbox::core::testing
