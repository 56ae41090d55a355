// Timer C ends a call that rings for ever.
// Covers: RFC 3261 §16.7 step 2 (reset), §16.8. Not covered: Timers B and F (transaction tests).
#include <gtest/gtest.h>

#include "tests/core/core_harness.h"

namespace signalbox::core::testing {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

ports::Snapshot patient() {
    ports::Snapshot snapshot = default_snapshot();
    snapshot.timers.b = seconds(1000);
    return snapshot;
}

struct TimerCTest : ::testing::Test {
    World world{patient()};
    Phone& alice = world.stranger();
    Phone& bob = world.registered("bob", "198.51.100.20:5060");
    Outgoing call = alice.invite(bob).expect(100);
    Incoming leg = bob.expects("INVITE");

    void ring() {
        leg.answers(180);
        call.expect(180);
    }
};

using TimerC_Rfc3261_16_8 = TimerCTest;

TEST_F(TimerC_Rfc3261_16_8, CancelsABranchThatHasRung) {
    ring();
    world.wait(seconds(184));
    EXPECT_TRUE(bob.is_silent());
    world.wait(seconds(2));
    bob.expects("CANCEL").answers(200);
    EXPECT_EQ(world.count(Counter::timer_c_fired_total), 1U);
    leg.answers(487);
    call.expect(487);
    EXPECT_EQ(world.record_lines(), std::vector<std::string>{"487 Callee Request Terminated"});
}

TEST_F(TimerC_Rfc3261_16_8, ActsAsA408WhenNothingCame) {
    world.wait(seconds(186));
    bob.take_kinds();
    call.expect(408);
    EXPECT_EQ(world.count(Counter::timer_c_fired_total), 1U);
}

TEST_F(TimerC_Rfc3261_16_8, IsResetByEachProvisionalOf101To199) {
    ring();
    world.wait(seconds(100));
    leg.answers(183);
    call.expect(183);
    world.wait(seconds(100));
    EXPECT_TRUE(bob.is_silent());
    world.wait(seconds(86));
    bob.expects("CANCEL");
}

TEST_F(TimerC_Rfc3261_16_8, IsNotResetByA100) {
    leg.answers(100);
    world.wait(seconds(100));
    leg.answers(100);
    world.wait(seconds(86));
    bob.expects("CANCEL");
}

TEST_F(TimerC_Rfc3261_16_8, GivesUpWhenTheCancelHasNoEffect) {
    ring();
    world.wait(seconds(186));
    world.wait(seconds(33));
    bob.take_kinds();
    call.expect(408);
    call.ack();
    world.wait(seconds(64));
    EXPECT_TRUE(world.is_empty());
}

TEST_F(TimerC_Rfc3261_16_8, EndsWithTheFinalResponse) {
    leg.answers(200);
    call.expect(200).ack();
    bob.take_kinds();
    world.wait(seconds(400));
    EXPECT_TRUE(bob.is_silent());
    EXPECT_EQ(world.count(Counter::timer_c_fired_total), 0U);
}

}  // namespace
}  // namespace signalbox::core::testing
