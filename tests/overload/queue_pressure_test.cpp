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
    EXPECT_LE(interval(seconds(10)), 0.081);
    interval(Duration{});
    EXPECT_EQ(pressure.value(), 0);
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
    for (int i = 0; i < 12; ++i) {
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

/// A queue that is served in order: of the work that comes, `load` times what can be done, a share
/// of 1 - pressure is taken, and what is refused costs a sixth.
struct Loop {
    double load;
    double lowest = 1e9, highest = 0;  // delay in the time that was watched, seconds

    double run(QueuePressure& pressure, Instant& now, int count, bool is_watched) {
        for (int i = 0; i < count; ++i) {
            const double taken = 1 - pressure.value();
            const double work = load * (taken + (1 - taken) / 6);
            delay_ = std::max(0.0, delay_ + (work - 1) * 0.02);
            pressure.add(
                std::chrono::duration_cast<Duration>(std::chrono::duration<double>(delay_)));
            now += kInterval;
            pressure.update(now, kTarget);
            if (is_watched) lowest = std::min(lowest, delay_);
            if (is_watched) highest = std::max(highest, delay_);
        }
        return delay_;
    }
    double delay_ = 0;
};

TEST_F(QueuePressure_Rfc8033_4_2, SettlesAtTheTargetAtEveryLoad) {
    for (const double load : {1.2, 2.0, 3.0, 5.0}) {
        QueuePressure fresh(now);
        Loop loop{load};
        loop.run(fresh, now, 250, false);
        loop.run(fresh, now, 250, true);
        EXPECT_GT(loop.lowest, 0.015) << load;
        EXPECT_LT(loop.highest, 0.060) << load;
        EXPECT_GT(fresh.value(), 0) << load;
        EXPECT_LT(fresh.value(), 1) << load;
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
