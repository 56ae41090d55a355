// Contacts tried in groups: which phone rings when, and what its late answer does.
// Covers: RFC 3261 §16.6 (order of targets), §16.7 steps 5 and 10, §9.1, RFC 4321 §1.3. Not
// covered: the shares of the Max-Breadth (max_breadth_test), the decisions as such
// (fork_strategy_test).
#include <gtest/gtest.h>

#include "tests/core/core_harness.h"

namespace signalbox::core::testing {
namespace {

using ports::ForkOrder;
using std::chrono::milliseconds;
using std::chrono::seconds;

ports::Snapshot with(const ports::ForkingSettings& forking) {
    ports::Snapshot snapshot = default_snapshot();
    snapshot.forking = forking;
    snapshot.timers.b = seconds(1000);
    return snapshot;
}

/// Bob has a desk phone, a mobile and a soft phone.
struct GroupTest : ::testing::Test {
    explicit GroupTest(const ports::ForkingSettings& forking = {},
                       std::array<uint16_t, 3> q = {1000, 500, 500})
        : world(with(forking)), alice(world.stranger()) {
        world.add_user(user_record("bob"));
        for (Phone* phone : {&soft, &mobile, &desk}) {
            const size_t place = phone == &desk ? 0 : phone == &mobile ? 1 : 2;
            world.bind("bob", *phone, q[place]);
        }
    }
    Phone& place(std::string_view address) {
        return world.phone({"bob", "example.test", std::string(address), {}, {}});
    }
    Outgoing call() { return alice.send(alice.make("INVITE", "sip:bob@example.test")).expect(100); }

    World world;
    Phone& alice;
    Phone& desk = place("198.51.100.20:5060");
    Phone& mobile = place("198.51.100.21:5060");
    Phone& soft = place("198.51.100.22:5060");
};

struct SequentialTest : GroupTest {
    SequentialTest() : GroupTest({ForkOrder::Sequential, seconds(20), {}, true}) {}
};
struct ParallelTest : GroupTest {
    ParallelTest() : GroupTest({ForkOrder::Parallel, seconds(20), {}, true}) {}
};
struct JoiningTest : GroupTest {
    JoiningTest() : GroupTest({ForkOrder::ByQ, seconds(20), seconds(5), true}) {}
};
struct ReplacingTest : GroupTest {
    ReplacingTest() : GroupTest({ForkOrder::ByQ, seconds(20), seconds(5), false}) {}
};

using ForkByQ_Rfc3261_16_6 = GroupTest;
using ForkSequential_Rfc3261_16_6 = SequentialTest;
using ForkParallel_Rfc3261_16_6 = ParallelTest;
using ForkDelay_Behaviour = JoiningTest;
using ForkDelayWithoutKeeping_Behaviour = ReplacingTest;
using ForkByQ_Rfc3261_16_7_5 = GroupTest;
using ForkByQ_Rfc3261_9_1 = GroupTest;
using ForkByQ_Rfc4321_1_3 = GroupTest;

TEST_F(ForkByQ_Rfc3261_16_6, TheNextGroupRingsWhenTheFirstHasRungItsTime) {
    Outgoing invite = call();
    const Incoming first = desk.expects("INVITE");
    first.answers(180);
    invite.expect(180);
    world.wait(milliseconds(19'900));
    EXPECT_TRUE(desk.is_silent() && mobile.is_silent() && soft.is_silent());
    world.wait(milliseconds(200));
    desk.expects("CANCEL");
    mobile.expects("INVITE").answers(180);
    soft.expects("INVITE").answers(180);
    EXPECT_EQ(alice.take_kinds(), "180 180");
    EXPECT_EQ(world.count(Counter::ring_times_ended_total), 1U);
}

TEST_F(ForkByQ_Rfc3261_16_6, TheLastGroupRingsUntilTimerC) {
    Outgoing invite = call();
    desk.expects("INVITE").answers(486);
    desk.expects("ACK");
    const Incoming at_mobile = mobile.expects("INVITE");
    at_mobile.answers(180);
    soft.expects("INVITE").answers(486);
    soft.expects("ACK");
    world.wait(seconds(184));
    EXPECT_TRUE(mobile.is_silent());
    world.wait(seconds(2));
    mobile.expects("CANCEL");
}

TEST_F(ForkByQ_Rfc3261_16_6, ABusyGroupIsLeftAtOnce) {
    Outgoing invite = call();
    const Incoming first = desk.expects("INVITE");
    EXPECT_TRUE(mobile.is_silent());
    first.answers(486);
    desk.expects("ACK");
    const Incoming second = mobile.expects("INVITE");
    const Incoming third = soft.expects("INVITE");
    EXPECT_TRUE(alice.is_silent());
    second.answers(200);
    invite.expect(200);
    third.answers(180);
    soft.expects("CANCEL");
}

TEST_F(ForkByQ_Rfc3261_16_6, TheFailureOfAllGroupsIsTheBestOfAll) {
    Outgoing invite = call();
    desk.expects("INVITE").answers(486);
    mobile.expects("INVITE").answers(480);
    soft.expects("INVITE").answers(404);
    invite.expect(486).ack();
    world.wait(seconds(64));
    EXPECT_TRUE(world.is_empty());
}

TEST_F(ForkByQ_Rfc3261_16_6, ASuccessEndsTheSearch) {
    Outgoing invite = call();
    desk.expects("INVITE").answers(200);
    invite.expect(200).ack();
    world.wait(seconds(64));
    EXPECT_TRUE(mobile.is_silent() && soft.is_silent());
}

TEST_F(ForkByQ_Rfc3261_16_6, A6xxEndsTheSearch) {
    Outgoing invite = call();
    desk.expects("INVITE").answers(603);
    invite.expect(603);
    EXPECT_TRUE(mobile.is_silent() && soft.is_silent());
}

TEST_F(ForkByQ_Rfc3261_16_6, TheCallersCancelEndsTheSearch) {
    Outgoing invite = call();
    const Incoming first = desk.expects("INVITE");
    first.answers(180);
    invite.expect(180);
    invite.cancel();
    alice.expect(200);
    desk.expects("CANCEL");
    first.answers(487);
    invite.expect(487);
    EXPECT_TRUE(mobile.is_silent() && soft.is_silent());
}

TEST_F(ForkByQ_Rfc3261_16_6, AChallengeOfAnEarlierGroupIsKept) {
    Outgoing invite = call();
    desk.expects("INVITE").answers(401, {"WWW-Authenticate: Digest realm=\"one\", nonce=\"1\""});
    mobile.expects("INVITE").answers(407,
                                     {"Proxy-Authenticate: Digest realm=\"two\", nonce=\"2\""});
    soft.expects("INVITE").answers(486);
    invite.expect(401);
    EXPECT_EQ(invite.response().header("Proxy-Authenticate"), "Digest realm=\"two\", nonce=\"2\"");
}

TEST_F(ForkByQ_Rfc3261_16_7_5, ALate200OfAPhoneThatWasLeftWins) {
    Outgoing invite = call();
    const Incoming first = desk.expects("INVITE");
    first.answers(180);
    world.wait(milliseconds(20'100));
    alice.take_kinds();
    desk.expects("CANCEL");
    const Incoming second = mobile.expects("INVITE");
    soft.expects("INVITE").answers(486);
    second.answers(180);
    alice.take_kinds();
    first.answers(200);
    invite.expect(200);
    EXPECT_EQ(mobile.expects("CANCEL").message().header("Reason"),
              "SIP;cause=200;text=\"Call completed elsewhere\"");
    second.answers(487);
    EXPECT_TRUE(alice.is_silent());
}

TEST_F(ForkByQ_Rfc3261_16_7_5, A6xxOfAPhoneThatWasLeftEndsTheSearch) {
    Outgoing invite = call();
    const Incoming first = desk.expects("INVITE");
    first.answers(180);
    world.wait(milliseconds(20'100));
    const Incoming second = mobile.expects("INVITE");
    const Incoming third = soft.expects("INVITE");
    second.answers(180);
    third.answers(180);
    first.answers(603);
    mobile.expects("CANCEL");
    soft.expects("CANCEL");
    second.answers(487);
    third.answers(487);
    alice.take_kinds();
    EXPECT_EQ(world.record_lines(), std::vector<std::string>{"603 Callee Decline"});
}

TEST_F(ForkByQ_Rfc3261_9_1, APhoneThatHasNotAnsweredYetIsCancelledWhenItDoes) {
    Outgoing invite = call();
    const Incoming first = desk.expects("INVITE");
    world.wait(milliseconds(20'100));
    const std::string kinds = desk.take_kinds();
    EXPECT_EQ(kinds.find("CANCEL"), std::string::npos) << kinds;
    mobile.expects("INVITE");
    first.answers(180);
    desk.expects("CANCEL");
}

TEST_F(ForkByQ_Rfc3261_16_6, ThePhonesWhoseTimeWasUpCountAsNotAnswering) {
    Outgoing invite = call();
    const Incoming first = desk.expects("INVITE");
    first.answers(180);
    invite.expect(180);
    world.wait(milliseconds(20'100));
    mobile.expects("INVITE").answers(500);
    soft.expects("INVITE").answers(500);
    EXPECT_TRUE(alice.is_silent());
    first.answers(487);
    invite.expect(500);  // theirs, not the 487 that we asked for
    EXPECT_EQ(world.record_lines(), std::vector<std::string>{"500 Callee Server Internal Error"});
}

TEST_F(ForkByQ_Rfc4321_1_3, AMessageGoesToTheNextGroupWhenTheFirstDoesNotAnswer) {
    Outgoing message = alice.send(alice.make("MESSAGE", "sip:bob@example.test"));
    const Incoming first = desk.expects("MESSAGE");
    world.wait(milliseconds(3'900));
    EXPECT_TRUE(mobile.is_silent());
    world.wait(milliseconds(200));
    mobile.expects("MESSAGE").answers(200);
    alice.take_kinds();
    desk.take_kinds();
    soft.expects("MESSAGE").answers(200);
    first.answers(200);
    EXPECT_TRUE(alice.is_silent());
    world.wait(seconds(64));
    EXPECT_TRUE(world.is_empty());
}

TEST_F(ForkByQ_Rfc4321_1_3, AMessageThatIsTakenGoesNoFurther) {
    Outgoing message = alice.send(alice.make("MESSAGE", "sip:bob@example.test"));
    desk.expects("MESSAGE").answers(200);
    message.expect(200);
    world.wait(seconds(40));
    EXPECT_TRUE(mobile.is_silent() && soft.is_silent());
}

TEST_F(ForkSequential_Rfc3261_16_6, OnePhoneRingsAtATime) {
    Outgoing invite = call();
    desk.expects("INVITE").answers(486);
    desk.expects("ACK");
    Phone& second = soft.is_silent() ? mobile : soft;  // of equal q: as they registered
    Phone& third = soft.is_silent() ? soft : mobile;
    const Incoming at_second = second.expects("INVITE");
    at_second.answers(180);
    EXPECT_TRUE(third.is_silent());
    world.wait(milliseconds(20'100));
    second.expects("CANCEL");
    third.expects("INVITE").answers(200);
    alice.expect(180);
    invite.expect(200);
}

TEST_F(ForkSequential_Rfc3261_16_6, ATransportErrorLeadsToTheNextPhoneAtOnce) {
    call();
    desk.expects("INVITE");
    world.fail_last_transmit();
    EXPECT_FALSE(soft.is_silent() && mobile.is_silent());
}

TEST_F(ForkParallel_Rfc3261_16_6, AllRingWhateverTheirQ) {
    call();
    desk.expects("INVITE");
    mobile.expects("INVITE");
    soft.expects("INVITE");
}

TEST_F(ForkDelay_Behaviour, TheNextGroupJoinsAndBothRing) {
    Outgoing invite = call();
    const Incoming first = desk.expects("INVITE");
    first.answers(180);
    world.wait(milliseconds(5'100));
    EXPECT_TRUE(desk.is_silent());
    const Incoming second = mobile.expects("INVITE");
    second.answers(180);
    soft.expects("INVITE").answers(180);
    world.wait(milliseconds(14'800));
    EXPECT_TRUE(desk.is_silent());
    world.wait(milliseconds(200));
    desk.expects("CANCEL");  // its own ring time is over
    EXPECT_TRUE(mobile.is_silent());
    second.answers(200);
    alice.take_kinds();
    soft.expects("CANCEL");
}

TEST_F(ForkDelayWithoutKeeping_Behaviour, TheNextGroupReplacesTheFirst) {
    call();
    desk.expects("INVITE").answers(180);
    world.wait(milliseconds(5'100));
    desk.expects("CANCEL");
    mobile.expects("INVITE");
    soft.expects("INVITE");
}

TEST_F(ForkByQ_Rfc3261_16_6, ThePhoneThatIsRegisteredTwiceRingsOnce) {
    Phone& again =
        world.phone({"%62ob", "example.test", "198.51.100.20:5060", transport::Transport::Udp, {}});
    world.bind("bob", again);
    call();
    desk.expects("INVITE");
    EXPECT_TRUE(desk.is_silent());
    EXPECT_EQ(world.count(Counter::equal_targets_removed_total), 1U);
}

TEST_F(ForkByQ_Rfc3261_16_6, TheWholeSearchEndsWhenTheServerIsStopped) {
    Outgoing invite = call();
    desk.expects("INVITE").answers(180);
    invite.expect(180);
    world.command(0, ports::EndPendingInvites{});
    world.wait(milliseconds(20));
    invite.expect(503);
    desk.expects("CANCEL");
    world.wait(seconds(64));
    EXPECT_TRUE(mobile.is_silent() && soft.is_silent());
}

}  // namespace
}  // namespace signalbox::core::testing
