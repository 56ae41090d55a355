// The numbers of calls: they grow, and no two calls of a node have one. No RFC.
#include "cdr/call_numbers.h"

#include <gtest/gtest.h>

#include <set>

namespace signalbox::cdr {
namespace {

using std::chrono::microseconds;
using std::chrono::seconds;

constexpr WallTime kNow{seconds(1'796'000'000)};

TEST(CallNumbers_Behaviour, GrowWithEachCallWhateverTheClockDoes) {
    CallNumbers numbers(3);
    uint64_t last = numbers.next(kNow);
    for (int i = 0; i < 100; ++i) {
        const uint64_t next = numbers.next(kNow - seconds(i));
        EXPECT_GT(next, last);
        last = next;
    }
}

TEST(CallNumbers_Behaviour, ALaterRunBeginsAboveAllOfAnEarlierOne) {
    CallNumbers earlier(0);
    uint64_t last = 0;
    for (int i = 0; i < 30'000; ++i) last = earlier.next(kNow);
    EXPECT_GT(CallNumbers(0).next(kNow + std::chrono::milliseconds(1)), last);
}

TEST(CallNumbers_Behaviour, BeginAboveThoseOfBeforeAClockThatWasSetBack) {
    const uint64_t before = CallNumbers(63).next(kNow);
    CallNumbers numbers(0);
    numbers.begin_above(before);
    EXPECT_GT(numbers.next(kNow - seconds(100)), before);
    EXPECT_EQ(numbers.next(kNow) - before, 64 + 64 - 63) << "one more";
    numbers.begin_above(0);
    EXPECT_GT(CallNumbers(0).next(WallTime{}), 0U);
}

TEST(CallNumbers_Behaviour, ShardsShareNone) {
    std::set<uint64_t> seen;
    for (uint8_t shard = 0; shard < 64; ++shard) {
        CallNumbers numbers(shard);
        for (int i = 0; i < 100; ++i) EXPECT_TRUE(seen.insert(numbers.next(kNow)).second);
    }
}

TEST(CallNumbers_Behaviour, FitASignedColumnUntil2112) {
    const WallTime last{microseconds((int64_t{1} << 52) - 1)};
    CallNumbers numbers(63);
    const uint64_t number = numbers.next(last);
    EXPECT_LE(number, uint64_t{INT64_MAX});
    EXPECT_EQ(number >> 11, (uint64_t{1} << 52) - 1);
}

}  // namespace
}  // namespace signalbox::cdr
