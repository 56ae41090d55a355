// Extensions between user agents pass a proxy untouched.
// Covers: RFC 3262 (100rel, RSeq, RAck, PRACK), RFC 3311 (UPDATE before and after the answer), RFC
// 3326 (Reason in BYE, CANCEL and responses), RFC 3515 (REFER, its NOTIFYs), RFC 3891 (Replaces),
// RFC 3892 (Referred-By). Not covered: RFC 4028 (session_timer_test).
#include <gtest/gtest.h>

#include "tests/core/core_harness.h"

namespace signalbox::core::testing {
namespace {

struct ExtensionsTest : ::testing::Test {
    World world;
    Phone& alice = world.stranger();
    Phone& bob = world.registered("bob", "198.51.100.20:5060");

    struct Call {
        Dialog at_caller, at_callee;
    };
    Call up() {
        Outgoing call = alice.invite(bob).expect(100);
        const Incoming leg = bob.expects("INVITE");
        leg.answers(200);
        call.expect(200).ack();
        bob.expects("ACK");
        return {call.dialog(), leg.dialog()};
    }
    /// The request with these lines, as it arrives.
    Incoming passed(Phone& from, RequestText request, Phone& to, const std::string& line) {
        const std::string method = request.method;
        from.send(request.with(line));
        return to.expects(method);
    }
};

using Extensions_Rfc3262_3 = ExtensionsTest;
using Extensions_Rfc3311_5 = ExtensionsTest;
using Extensions_Rfc3326_2 = ExtensionsTest;
using Extensions_Rfc3515_2 = ExtensionsTest;
using Extensions_Rfc3891_3 = ExtensionsTest;
using Extensions_Rfc3892_2 = ExtensionsTest;

TEST_F(Extensions_Rfc3262_3, AReliableProvisionalIsTheUserAgentsBusiness) {
    RequestText request = alice.make("INVITE", bob.aor());
    request.with("Require: 100rel").with("Supported: 100rel, timer");
    Outgoing call = alice.send(request).expect(100);
    const Incoming leg = bob.expects("INVITE");
    EXPECT_EQ(leg.message().header("Require"), "100rel");
    EXPECT_EQ(leg.message().header("Supported"), "100rel, timer");
    leg.answers(183, {"Require: 100rel", "RSeq: 4711"}, "v=0\r\n");
    call.expect(183);
    EXPECT_EQ(call.response().header("RSeq"), "4711");
    EXPECT_EQ(call.response().header("Require"), "100rel");
    EXPECT_EQ(call.response().body(), "v=0\r\n");

    Dialog early = call.dialog();
    RequestText prack = alice.make_in(early, "PRACK");
    Outgoing sent = alice.send(prack.with("RAck: 4711 1 INVITE"));
    const Incoming arrived = bob.expects("PRACK");
    EXPECT_EQ(arrived.message().header("RAck"), "4711 1 INVITE");
    arrived.answers(200);
    sent.expect(200);
    leg.answers(200);
    call.expect(200);
}

TEST_F(Extensions_Rfc3262_3, ARetransmittedReliableProvisionalIsForwardedAgain) {
    Outgoing call = alice.invite(bob).expect(100);
    const Incoming leg = bob.expects("INVITE");
    for (int i = 0; i < 3; ++i) {
        leg.answers(183, {"Require: 100rel", "RSeq: 1"});
        EXPECT_EQ(call.expect(183).response().header("RSeq"), "1");
    }
}

TEST_F(Extensions_Rfc3311_5, UpdatePassesBeforeAndAfterTheAnswer) {
    Outgoing call = alice.invite(bob).expect(100);
    const Incoming leg = bob.expects("INVITE");
    leg.answers(183);
    call.expect(183);
    Dialog dialog = call.dialog();
    const auto update = [&] {
        RequestText request = alice.make_in(dialog, "UPDATE");
        request.body = "v=0\r\n";
        Outgoing sent = alice.send(request);
        const Incoming arrived = bob.expects("UPDATE");
        EXPECT_EQ(arrived.message().body(), "v=0\r\n");
        EXPECT_TRUE(arrived.message().has("Contact"));
        arrived.answers(200);
        sent.expect(200);
    };
    update();
    leg.answers(200);
    call.expect(200).ack();
    bob.expects("ACK");
    update();
}

TEST_F(Extensions_Rfc3326_2, TheReasonOfAByeIsPassedOnAndRecorded) {
    Call call = up();
    const std::string reason = "Q.850;cause=16;text=\"Terminated\", SIP;cause=200";
    const Incoming bye =
        passed(alice, alice.make_in(call.at_caller, "BYE"), bob, "Reason: " + reason);
    EXPECT_EQ(bye.message().header("Reason"), reason);
    bye.answers(200);
    alice.expect(200);
    const auto records = world.records();
    ASSERT_EQ(records.size(), 1U);
    EXPECT_EQ(records[0].reason, reason);
}

TEST_F(Extensions_Rfc3326_2, TheReasonOfACancelIsPassedOn) {
    Outgoing call = alice.invite(bob).expect(100);
    bob.expects("INVITE").answers(180);
    call.expect(180);
    call.cancel({"Reason: SIP;cause=200;text=\"Call completed elsewhere\""});
    EXPECT_EQ(bob.expects("CANCEL").message().header("Reason"),
              "SIP;cause=200;text=\"Call completed elsewhere\"");
}

TEST_F(Extensions_Rfc3326_2, TheReasonOfAResponseIsPassedOn) {
    Outgoing call = alice.invite(bob).expect(100);
    bob.expects("INVITE").answers(480, {"Reason: Q.850;cause=20"});
    EXPECT_EQ(call.expect(480).response().header("Reason"), "Q.850;cause=20");
}

TEST_F(Extensions_Rfc3515_2, AReferAndItsNotifiesPass) {
    Call call = up();
    RequestText request = alice.make_in(call.at_caller, "REFER");
    request.with("Referred-By: <sip:alice@elsewhere.test>");
    const std::string target =
        "<sip:carol@example.test?Replaces=x%40y%3Bto-tag%3D1%3Bfrom-tag%3D2>";
    const Incoming refer = passed(alice, request, bob, "Refer-To: " + target);
    EXPECT_EQ(refer.message().header("Refer-To"), target);
    refer.answers(202);
    alice.expect(202);
    RequestText notify = bob.make_in(call.at_callee, "NOTIFY");
    notify.with("Event: refer").with("Subscription-State: active;expires=60");
    notify.with("Content-Type: message/sipfrag");
    notify.body = "SIP/2.0 100 Trying\r\n";
    bob.send(notify);
    const Incoming arrived = alice.expects("NOTIFY");
    EXPECT_EQ(arrived.message().body(), "SIP/2.0 100 Trying\r\n");
    EXPECT_EQ(arrived.message().header("Subscription-State"), "active;expires=60");
    arrived.answers(200);
    bob.expect(200);
}

TEST_F(Extensions_Rfc3891_3, ReplacesPassesWithItsRequirement) {
    RequestText request = alice.make("INVITE", bob.aor());
    request.with("Require: replaces");
    const std::string replaces =
        "98732@sip.example.com;from-tag=r33th4x0r;to-tag=ff87ff;early-only";
    alice.send(request.with("Replaces: " + replaces)).expect(100);
    const Incoming arrived = bob.expects("INVITE");
    EXPECT_EQ(arrived.message().header("Replaces"), replaces);
    EXPECT_EQ(arrived.message().header("Require"), "replaces");
}

TEST_F(Extensions_Rfc3892_2, ReferredByPassesWithItsBody) {
    RequestText request = alice.make("INVITE", bob.aor());
    request.body = "--b\r\nContent-Type: message/sipfrag\r\n\r\n--b--\r\n";
    request.with("Content-Type: multipart/mixed;boundary=b");
    const std::string referred = "\"R\" <sip:r@elsewhere.test>;cid=\"20398823.2UWQFN309shb3@r\"";
    alice.send(request.with("Referred-By: " + referred)).expect(100);
    const Incoming arrived = bob.expects("INVITE");
    EXPECT_EQ(arrived.message().header("Referred-By"), referred);
    EXPECT_EQ(arrived.message().body(), request.body);
}

}  // namespace
}  // namespace signalbox::core::testing
