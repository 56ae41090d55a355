// CANCEL through the proxy.
// Covers: RFC 3261 §9.1, §9.2, §16.10. Not covered: a CANCEL without state (stateless_test), while
// a name is looked up (target_set_test).
#include <gtest/gtest.h>

#include "tests/core/core_harness.h"

namespace signalbox::core::testing {
namespace {

using std::chrono::seconds;

struct CancelTest : ::testing::Test {
    World world;
    Phone& alice = world.stranger();
    Phone& bob = world.registered("bob", "198.51.100.20:5060");
    Outgoing call = alice.invite(bob).expect(100);
    Incoming leg = bob.expects("INVITE");
};

using Cancel_Rfc3261_9_2 = CancelTest;
using Cancel_Rfc3261_16_10 = CancelTest;

TEST_F(Cancel_Rfc3261_16_10, Gets200AtOnceAndTheInviteIts487) {
    leg.answers(180);
    call.expect(180);
    const std::string ringing_tag = call.response().tag("To");
    call.cancel();
    alice.expect(200);
    const Incoming cancel = bob.expects("CANCEL");
    EXPECT_EQ(cancel.message().uri(), leg.message().uri());
    EXPECT_EQ(cancel.message().branch(), leg.message().branch());
    EXPECT_EQ(cancel.message().values("Via").size(), 1U);
    cancel.answers(200);
    EXPECT_TRUE(alice.is_silent());
    leg.answers(487);
    call.expect(487).ack();
    bob.expects("ACK");
    world.wait(seconds(64));
    EXPECT_TRUE(world.is_empty());
    EXPECT_EQ(world.record_lines(), std::vector<std::string>{"487 Caller Request Terminated"});
}

TEST_F(Cancel_Rfc3261_16_10, WaitsForAProvisionalBeforeItGoesOn) {
    call.cancel();
    alice.expect(200);
    EXPECT_TRUE(bob.is_silent());
    leg.answers(100);
    bob.expects("CANCEL");
}

TEST_F(Cancel_Rfc3261_16_10, GoesToEveryBranch) {
    leg.answers(486);
    call.expect(486).ack();
    bob.take();
    Phone& desk = world.phone({"bob", "example.test", "198.51.100.21:5060", {}, {}});
    world.bind("bob", desk);
    Outgoing forked = alice.invite(bob).expect(100);
    const Incoming at_bob = bob.expects("INVITE");
    const Incoming at_desk = desk.expects("INVITE");
    at_bob.answers(180);
    at_desk.answers(180);
    alice.take_kinds();
    forked.cancel();
    alice.expect(200);
    bob.expects("CANCEL");
    desk.expects("CANCEL");
    at_bob.answers(487);
    EXPECT_TRUE(alice.is_silent());
    at_desk.answers(487);
    forked.expect(487);
}

TEST_F(Cancel_Rfc3261_16_10, TakesTheCallersReasonAlong) {
    leg.answers(180);
    call.expect(180);
    call.cancel({"Reason: SIP;cause=26;text=\"why\""});
    EXPECT_EQ(bob.expects("CANCEL").message().header("Reason"), "SIP;cause=26;text=\"why\"");
}

TEST_F(Cancel_Rfc3261_16_10, TakesEachOfTheCallersReasonsAlong) {
    leg.answers(180);
    call.expect(180);
    call.cancel({"Reason: Q.850;cause=16", "Reason: SIP;cause=600"});
    EXPECT_EQ(bob.expects("CANCEL").message().header("Reason"), "Q.850;cause=16, SIP;cause=600");
}

TEST_F(Cancel_Rfc3261_16_10, IsAbsorbedWhenItIsRetransmitted) {
    leg.answers(180);
    call.expect(180);
    call.cancel();
    const std::string first = alice.expect(200).text();
    bob.expects("CANCEL").answers(200);
    call.cancel();
    EXPECT_EQ(alice.expect(200).text(), first);
    EXPECT_TRUE(bob.is_silent());
}

TEST_F(Cancel_Rfc3261_16_10, ThatMatchesNothingGets481) {
    RequestText cancel = alice.make("CANCEL", bob.aor());
    alice.send_text(cancel.text());
    alice.expect(481);
    EXPECT_TRUE(bob.is_silent());
}

TEST_F(Cancel_Rfc3261_9_2, OfAnotherRequestThanInviteGets200AndEndsNothing) {
    for (const char* method : {"MESSAGE", "BYE", "PUBLISH", "UPDATE"}) {
        Outgoing request = alice.send(alice.make(method, bob.aor()));
        const Incoming pending = bob.expects(method);
        request.cancel();
        EXPECT_EQ(alice.expect(200).header("CSeq"), "1 CANCEL");
        EXPECT_TRUE(bob.is_silent()) << "§9.1: it is not sent for other requests";
        pending.answers(200);
        request.expect(200);
    }
}

TEST_F(Cancel_Rfc3261_9_2, IsKnownByItsBranchAlone) {
    leg.answers(180);
    call.expect(180);
    RequestText other = call.request();
    other.method = "CANCEL";
    other.via = alice.fresh_via();
    alice.send(other).expect(481);
    EXPECT_TRUE(bob.is_silent());
    RequestText cancel = call.request();
    cancel.method = "CANCEL";
    cancel.uri = "sip:somebody@example.test";
    cancel.max_forwards = "0";
    alice.send(cancel).expect(200);
    EXPECT_EQ(bob.expects("CANCEL").message().uri(), bob.contact());
}

TEST_F(Cancel_Rfc3261_16_10, ChangesNothingAfterTheFinalResponse) {
    leg.answers(200);
    call.expect(200);
    call.cancel();
    alice.expect(200);
    EXPECT_TRUE(bob.is_silent());
    EXPECT_TRUE(alice.is_silent());
}

TEST_F(Cancel_Rfc3261_16_10, LosesAgainstA2xxOnTheWay) {
    leg.answers(180);
    call.expect(180);
    call.cancel();
    alice.expect(200);
    bob.expects("CANCEL");
    leg.answers(200);
    call.expect(200).ack();
    bob.expects("ACK");
    EXPECT_EQ(world.count(Counter::calls_answered_total), 1U);
}

TEST_F(Cancel_Rfc3261_16_10, ACalleeThatIgnoresItIsGivenUpAfter64T1) {
    leg.answers(180);
    call.expect(180);
    call.cancel();
    alice.expect(200);
    world.wait(seconds(31));
    EXPECT_TRUE(alice.is_silent());
    world.wait(seconds(2));
    call.expect(487);
}

TEST_F(Cancel_Rfc3261_16_10, BeforeAnyAnswerTheInviteEndsWith487InTime) {
    call.cancel();
    alice.expect(200);
    world.wait(seconds(33));
    call.expect(487);
    EXPECT_EQ(world.record_lines(), std::vector<std::string>{"487 Caller Request Terminated"});
}

TEST_F(Cancel_Rfc3261_16_10, ItsToTagIsTheOneOfTheServersOwnResponses) {
    call.cancel();
    const std::string tag = alice.expect(200).tag("To");
    world.wait(seconds(33));
    call.expect(487);
    EXPECT_EQ(call.response().tag("To"), tag);
}

}  // namespace
}  // namespace signalbox::core::testing
