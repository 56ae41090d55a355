// Covers: the wait of a datagram from its timestamp, also across a clock that is set.
#include "io/queue_delay.h"

#include <gtest/gtest.h>

namespace signalbox::io {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr Now kNow{Instant(seconds(100)), WallTime(seconds(1'700'000'000))};
constexpr Instant kEmptied = kNow.monotonic - milliseconds(300);

TEST(QueueDelay_Behaviour, IsTheTimeSinceTheTimestamp) {
    EXPECT_EQ(queue_delay(kNow, kNow.wall - milliseconds(70), kEmptied), milliseconds(70));
    EXPECT_EQ(queue_delay(kNow, kNow.wall, kEmptied), Duration{});
}

TEST(QueueDelay_Behaviour, IsNoLongerThanTheSocketHasHeldAnything) {
    EXPECT_EQ(queue_delay(kNow, kNow.wall - hours(1), kEmptied), milliseconds(300));
    EXPECT_EQ(queue_delay(kNow, kNow.wall - hours(1), kNow.monotonic), Duration{});
}

TEST(QueueDelay_Behaviour, IsNeverNegative) {
    EXPECT_EQ(queue_delay(kNow, kNow.wall + hours(1), kEmptied), Duration{});
}

TEST(QueueDelay_Behaviour, HasALimit) {
    EXPECT_EQ(queue_delay(kNow, kNow.wall - hours(1), kNow.monotonic - hours(1)), kQueueDelayMax);
}

}  // namespace
}  // namespace signalbox::io
