// Covers: the controller from queue delay to pressure (RFC 8033 §4.2 as a control law) at rest, in
// a step, in a closed loop with a queue, and after it.
// Not covered: what the pressure does to requests (admission_test.cpp).
#include "overload/queue_pressure.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace signalbox::overload {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr Duration kTarget = milliseconds(30);

class QueuePressure_Rfc8033_4_2 : public ::testing::Test {
 protected:
    /// One interval in which every message waits so long.
    double interval(Duration waited) {
        pressure.add(waited);
        now += kInterval;
        EXPECT_TRUE(pressure.is_due(now));
        pressure.update(now, kTarget);
        return pressure.value();
    }
    void intervals(int count, Duration waited) {
        for (int i = 0; i < count; ++i) interval(waited);
    }

    Instant now{seconds(100)};
    QueuePressure pressure{now};
};

TEST_F(QueuePressure_Rfc8033_4_2, IsNothingWhileMessagesWaitLessThanTheTarget) {
    intervals(500, milliseconds(20));
    EXPECT_EQ(pressure.value(), 0);
}

TEST_F(QueuePressure_Rfc8033_4_2, GrowsWhileTheyWaitLonger) {
    intervals(50, milliseconds(60));
    const double after_a_second = pressure.value();
    EXPECT_GT(after_a_second, 0.1);
    intervals(50, milliseconds(60));
    EXPECT_GT(pressure.value(), after_a_second);
}

TEST_F(QueuePressure_Rfc8033_4_2, IsNotDueBeforeTheIntervalHasEnded) {
    pressure.add(seconds(5));
    EXPECT_FALSE(pressure.is_due(now + kInterval - milliseconds(1)));
    pressure.update(now + kInterval - milliseconds(1), kTarget);
    EXPECT_EQ(pressure.value(), 0);
}

TEST_F(QueuePressure_Rfc8033_4_2, OneVeryOldBatchIsNoLastingOverload) {
    interval(seconds(10));
    EXPECT_EQ(pressure.value(), 0);
    intervals(10, milliseconds(40));
    const double before = pressure.value();
    ASSERT_GT(before, 0);
    EXPECT_LE(interval(seconds(10)), before + 0.081) << "some pressure is no reason for much more";
}

TEST_F(QueuePressure_Rfc8033_4_2, AStallOfTheMachineIsNone) {
    now += 15 * kInterval;
    pressure.add(milliseconds(300));
    pressure.update(now, kTarget);
    EXPECT_EQ(pressure.value(), 0);
    intervals(4, milliseconds(40));
    EXPECT_EQ(pressure.value(), 0);
    interval(milliseconds(20));
    intervals(4, milliseconds(40));
    EXPECT_EQ(pressure.value(), 0) << "there was a break";
    intervals(4, milliseconds(40));
    EXPECT_GT(pressure.value(), 0);
}

TEST_F(QueuePressure_Rfc8033_4_2, NeverLeavesItsRange) {
    intervals(100, seconds(10));
    EXPECT_EQ(pressure.value(), 1);
    intervals(300, Duration{});
    EXPECT_EQ(pressure.value(), 0);
}

TEST_F(QueuePressure_Rfc8033_4_2, IsGoneThreeSecondsAfterTheLastMessage) {
    intervals(100, seconds(1));
    now += seconds(3);
    pressure.update(now, kTarget);
    EXPECT_LT(pressure.value(), 0.05);
    EXPECT_EQ(pressure.delay(), Duration{});
}

TEST_F(QueuePressure_Rfc8033_4_2, ATurnOfManyIntervalsIsNoSilence) {
    for (int i = 0; i < 16; ++i) {
        now += 5 * kInterval;
        pressure.add(milliseconds(200));
        pressure.update(now, kTarget);
    }
    EXPECT_GT(pressure.value(), 0.8);
    EXPECT_EQ(pressure.delay(), milliseconds(200));
}

TEST_F(QueuePressure_Rfc8033_4_2, ForgetsEverythingWhenItIsReset) {
    intervals(100, seconds(1));
    pressure.reset(now);
    EXPECT_EQ(pressure.value(), 0);
}

TEST_F(QueuePressure_Rfc8033_4_2, LeavesTheBeginningOfAnOverloadToRefusals) {
    for (int i = 0; i < 25; ++i) interval(milliseconds(12) * i);
    intervals(22, milliseconds(300));
    EXPECT_GT(pressure.value(), 0.97);
    EXPECT_LT(pressure.excess(), 0.1);
}

TEST_F(QueuePressure_Rfc8033_4_2, HasAnExcessWhenRefusalsDoNotRelieveIt) {
    intervals(150, milliseconds(400));
    EXPECT_GT(pressure.excess(), 0.2);
    intervals(100, Duration{});
    EXPECT_EQ(pressure.excess(), 0);
}

/// A queue that is served in order. Of the calls that come, `load` times what can be served, each
/// is dropped, refused (for a sixth of a call) or taken as Admission does it.
struct Loop {
    double load;
    double lowest = 1e9, highest = 0, excess = 0;  // in the time that was watched; seconds

    void run(QueuePressure& pressure, Instant& now, int count, bool is_watched) {
        for (int i = 0; i < count; ++i) {
            const double taken = std::clamp((1 - pressure.value()) / 0.8, 0.0, 1.0);
            const double read = 1 - pressure.excess();
            const double work = load * (read * (taken + (1 - taken) / 6) + pressure.excess() / 50);
            delay_ = std::max(0.0, delay_ + (work - 1) * 0.02);
            pressure.add(
                std::chrono::duration_cast<Duration>(std::chrono::duration<double>(delay_)));
            now += kInterval;
            pressure.update(now, kTarget);
            if (!is_watched) continue;
            lowest = std::min(lowest, delay_);
            highest = std::max(highest, delay_);
            excess = std::max(excess, pressure.excess());
        }
    }
    double delay_ = 0;
};

TEST_F(QueuePressure_Rfc8033_4_2, SettlesAtTheTargetAtEveryLoad) {
    for (const double load : {1.2, 2.0, 3.0, 5.0, 8.0}) {
        QueuePressure fresh(now);
        Loop loop{load};
        loop.run(fresh, now, 750, false);
        loop.run(fresh, now, 250, true);
        EXPECT_GT(loop.lowest, 0.015) << load;
        EXPECT_LT(loop.highest, 0.060) << load;
        EXPECT_GT(fresh.value(), 0) << load;
        EXPECT_LT(fresh.value(), 1) << load;
        EXPECT_EQ(loop.excess > 0, load > 4) << load;
    }
}

TEST_F(QueuePressure_Rfc8033_4_2, LetsNobodyWaitASecondWhenTheLoadTriplesAtOnce) {
    Loop loop{3.0};
    loop.run(pressure, now, 500, true);
    EXPECT_LT(loop.highest, 0.7);
}

TEST_F(QueuePressure_Rfc8033_4_2, RecoversWithinTwoSecondsWhenTheLoadFalls) {
    Loop loop{3.0};
    loop.run(pressure, now, 500, false);
    loop.load = 0.5;
    loop.run(pressure, now, 100, false);
    EXPECT_LT(pressure.value(), 0.05);
}

}  // namespace
}  // namespace signalbox::overload
