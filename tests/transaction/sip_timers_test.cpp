// The timers' values. Covers: RFC 3261 Table 4; RFC 6026 §8.9 (Timers L and M). Not covered: when
// they run (the machines' tests).
#include "transaction/sip_timers.h"

#include <gtest/gtest.h>

namespace signalbox::transaction {

using namespace std::chrono_literals;

TEST(SipTimers_Rfc3261_Table4, TheDefaultsAreTheRfcs) {
    const SipTimers timers = SipTimers{}.resolved();
    EXPECT_EQ(timers.t1, 500ms);
    EXPECT_EQ(timers.t2, 4s);
    EXPECT_EQ(timers.t4, 5s);
    EXPECT_EQ(timers.b, 32s);
    EXPECT_GT(timers.c, 3min);
    EXPECT_EQ(timers.d, 32s);
    EXPECT_EQ(timers.f, 32s);
    EXPECT_EQ(timers.h, 32s);
    EXPECT_EQ(timers.i, 5s);
    EXPECT_EQ(timers.j, 32s);
    EXPECT_EQ(timers.k, 5s);
    EXPECT_EQ(timers.l, 32s);
    EXPECT_EQ(timers.m, 32s);
}

TEST(SipTimers_Rfc3261_Table4, TheOthersFollowT1ButTimerDIsAtLeast32Seconds) {
    SipTimers timers;
    timers.t1 = 100ms;
    timers.t4 = 1s;
    timers.l = 7s;
    const SipTimers resolved = timers.resolved();
    EXPECT_EQ(resolved.b, 6400ms);
    EXPECT_EQ(resolved.d, 32s);
    EXPECT_EQ(resolved.j, 6400ms);
    EXPECT_EQ(resolved.k, 1s);
    EXPECT_EQ(resolved.l, 7s);
    timers.t1 = 1s;
    EXPECT_EQ(timers.resolved().d, 64s);
}

}  // namespace signalbox::transaction
