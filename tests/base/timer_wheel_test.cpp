// Covers: arming, cancelling, order, far deadlines, jumps of the clock, and random walks against a
// plain map.
#include "base/timer_wheel.h"

#include <gtest/gtest.h>

#include <chrono>
#include <map>
#include <memory>
#include <random>
#include <vector>

#include "tests/base/counting_allocator.h"

namespace signalbox {
namespace {

using namespace std::chrono_literals;

constexpr Instant kStart{Duration(123456789)};
constexpr Duration kTick = TimerWheel::kTick;

std::vector<uint64_t> fired(TimerWheel& wheel, Instant now) {
    std::vector<uint64_t> owners;
    TimerDue due{};
    while (wheel.pop_due(now, due)) owners.push_back(due.owner);
    return owners;
}

using Owners = std::vector<uint64_t>;

TEST(TimerWheel_Behaviour, FiresAtItsDeadlineAndNeverEarly) {
    for (const Duration delay :
         {Duration(kTick), Duration(500ms), Duration(2550ms), Duration(2560ms), Duration(32s),
          Duration(655360ms), Duration(1h), Duration(50h), Duration(9000h)}) {
        TimerWheel wheel(kStart);
        Timer timer;
        wheel.arm(timer, kStart + delay);
        EXPECT_TRUE(fired(wheel, kStart + delay - 1ns).empty()) << delay.count();
        EXPECT_TRUE(timer.is_armed());
        EXPECT_EQ(fired(wheel, kStart + delay), Owners{0}) << delay.count();
        EXPECT_FALSE(timer.is_armed());
    }
}

TEST(TimerWheel_Behaviour, RoundsUpToTheNextTick) {
    TimerWheel wheel(kStart);
    Timer timer;
    wheel.arm(timer, kStart + 20ms + 1ns);
    EXPECT_EQ(wheel.next_deadline(), kStart + 30ms);
    EXPECT_TRUE(fired(wheel, kStart + 29ms).empty());
    EXPECT_EQ(fired(wheel, kStart + 30ms).size(), 1u);
}

TEST(TimerWheel_Behaviour, GivesOwnerAndKindBack) {
    TimerWheel wheel(kStart);
    Timer timer;
    timer.owner = 0x123456789abcdef0u;
    timer.kind = 0xfedc;
    wheel.arm(timer, kStart + 1s);
    TimerDue due{};
    ASSERT_TRUE(wheel.pop_due(kStart + 1s, due));
    EXPECT_EQ(due.owner, 0x123456789abcdef0u);
    EXPECT_EQ(due.kind, 0xfedc);
    EXPECT_FALSE(wheel.pop_due(kStart + 1s, due));
}

TEST(TimerWheel_Behaviour, FiresInOrderOfDeadlinesAcrossLevels) {
    TimerWheel wheel(kStart);
    Timer timers[5];
    const Duration delays[] = {1h, 10ms, 5s, 900h, 300ms};
    for (uint64_t i = 0; i < 5; ++i) {
        timers[i].owner = i;
        wheel.arm(timers[i], kStart + delays[i]);
    }
    EXPECT_EQ(fired(wheel, kStart + 1000h), (Owners{1, 4, 2, 0, 3}));
}

TEST(TimerWheel_Behaviour, OneTickFiresInOrderOfArmingWhateverTheLevel) {
    TimerWheel wheel(kStart);
    Timer timers[4];
    for (uint64_t i = 0; i < 4; ++i) timers[i].owner = i;
    const Instant deadline = kStart + 1000s;
    wheel.arm(timers[2], deadline);  // far away
    EXPECT_TRUE(fired(wheel, deadline - 100s).empty());
    wheel.arm(timers[0], deadline - 3ms);  // nearer, in the same tick
    EXPECT_TRUE(fired(wheel, deadline - 20ms).empty());
    wheel.arm(timers[3], deadline);
    wheel.arm(timers[1], deadline);
    EXPECT_EQ(fired(wheel, deadline), (Owners{2, 0, 3, 1}));
}

TEST(TimerWheel_Behaviour, ArmingAgainMovesATimerToTheEndOfItsTick) {
    TimerWheel wheel(kStart);
    Timer first;
    Timer second;
    first.owner = 1;
    second.owner = 2;
    wheel.arm(first, kStart + 1s);
    wheel.arm(second, kStart + 1s);
    wheel.arm(first, kStart + 1s);
    EXPECT_EQ(fired(wheel, kStart + 1s), (Owners{2, 1}));
}

TEST(TimerWheel_Behaviour, ACancelledTimerDoesNotFire) {
    TimerWheel wheel(kStart);
    Timer timer;
    wheel.cancel(timer);
    wheel.arm(timer, kStart + 1s);
    wheel.cancel(timer);
    EXPECT_FALSE(timer.is_armed());
    wheel.cancel(timer);
    EXPECT_TRUE(fired(wheel, kStart + 2s).empty());
    EXPECT_EQ(wheel.next_deadline(), kNever);
}

TEST(TimerWheel_Behaviour, ATimerDueInTheSameTickMayStillBeCancelled) {
    TimerWheel wheel(kStart);
    Timer first;
    Timer second;
    first.owner = 1;
    second.owner = 2;
    wheel.arm(first, kStart + 1s);
    wheel.arm(second, kStart + 1s);
    TimerDue due{};
    ASSERT_TRUE(wheel.pop_due(kStart + 1s, due));
    EXPECT_TRUE(second.is_armed());
    EXPECT_EQ(wheel.next_deadline(), kStart + 1s);
    wheel.cancel(second);
    EXPECT_FALSE(wheel.pop_due(kStart + 1s, due));
}

TEST(TimerWheel_Behaviour, ADestroyedTimerDoesNotFire) {
    TimerWheel wheel(kStart);
    auto timer = std::make_unique<Timer>();
    wheel.arm(*timer, kStart + 1s);
    timer.reset();
    EXPECT_TRUE(fired(wheel, kStart + 2s).empty());
}

TEST(TimerWheel_Behaviour, MayDieBeforeItsTimers) {
    Timer first;
    Timer second;
    {
        TimerWheel wheel(kStart);
        wheel.arm(first, kStart + 1s);
        wheel.arm(second, kStart + 1s);
    }
    TimerWheel other(kStart);
    other.arm(first, kStart + 1s);
    EXPECT_EQ(fired(other, kStart + 1s).size(), 1u);
}

TEST(TimerWheel_Behaviour, APastDeadlineFiresOnTheNextTick) {
    TimerWheel wheel(kStart);
    EXPECT_TRUE(fired(wheel, kStart + 5s).empty());
    Timer timer;
    wheel.arm(timer, kStart - 100s);
    EXPECT_EQ(wheel.next_deadline(), kStart + 5s + kTick);
    EXPECT_TRUE(fired(wheel, kStart + 5s).empty());
    EXPECT_EQ(fired(wheel, kStart + 5s + kTick).size(), 1u);
}

TEST(TimerWheel_Behaviour, ATimerThatArmsItselfForThePastDoesNotFireTwiceInOneStep) {
    TimerWheel wheel(kStart);
    Timer timer;
    wheel.arm(timer, kStart + 10ms);
    const Instant now = kStart + 100h;
    TimerDue due{};
    int count = 0;
    while (wheel.pop_due(now, due)) {
        ++count;
        wheel.arm(timer, kStart);
    }
    EXPECT_EQ(count, 1);
    EXPECT_EQ(wheel.next_deadline(), now + kTick);
}

TEST(TimerWheel_Behaviour, TheClockMayStandBeforeTheStartAndGoBack) {
    TimerWheel wheel(kStart);
    Timer timer;
    wheel.arm(timer, kStart + 10s);
    EXPECT_TRUE(fired(wheel, kStart - 5s).empty());
    EXPECT_TRUE(fired(wheel, kStart + 6s).empty());
    EXPECT_TRUE(fired(wheel, kStart + 2s).empty());
    EXPECT_EQ(fired(wheel, kStart + 10s).size(), 1u);
}

TEST(TimerWheel_Behaviour, NextDeadlineIsExactOnEveryLevel) {
    for (const Duration delay : {10ms, 2560ms, 3000ms, 700000ms, 200000000ms}) {
        TimerWheel wheel(kStart);
        Timer timer;
        Timer later;
        wheel.arm(later, kStart + delay + 20ms);
        wheel.arm(timer, kStart + delay);
        EXPECT_EQ(wheel.next_deadline(), kStart + delay) << delay.count();
    }
}

TEST(TimerWheel_Behaviour, NextDeadlineIsNeverLateAfterTheFirstWasCancelled) {
    TimerWheel wheel(kStart);
    Timer timer;
    Timer later;
    wheel.arm(timer, kStart + 5000ms);
    wheel.arm(later, kStart + 5020ms);
    wheel.cancel(timer);
    int steps = 0;
    while (later.is_armed()) {
        const Instant next = wheel.next_deadline();
        ASSERT_LE(next, kStart + 5020ms);
        fired(wheel, next);
        ASSERT_LT(++steps, 4);
    }
}

TEST(TimerWheel_Behaviour, NothingArmedMeansNever) {
    TimerWheel wheel(kStart);
    EXPECT_EQ(wheel.next_deadline(), kNever);
    Timer timer;
    wheel.arm(timer, kStart + 1s);
    fired(wheel, kStart + 1s);
    EXPECT_EQ(wheel.next_deadline(), kNever);
}

TEST(TimerWheel_Behaviour, TheFarthestDeadlinesDoNotOverflow) {
    for (const Instant start :
         {Instant(Duration(0)), kStart, Instant(Duration(-1000)), Instant::min()}) {
        TimerWheel wheel(start);
        Timer never;
        Timer soon;
        wheel.arm(never, kNever);
        wheel.arm(soon, start + 1s);
        EXPECT_EQ(wheel.next_deadline(), start + 1s);
        EXPECT_EQ(fired(wheel, start + 1s).size(), 1u);
        EXPECT_TRUE(never.is_armed());
        EXPECT_GT(wheel.next_deadline(), Instant(Duration(24h * 365 * 50)));
    }
}

TEST(TimerWheel_Behaviour, AJumpOfYearsTakesFewSteps) {
    TimerWheel wheel(kStart);
    Timer timer;
    // Tick by tick, two hundred years would take minutes.
    for (int year = 1; year <= 200; ++year) {
        const Instant at = kStart + 24h * 365 * year;
        wheel.arm(timer, at);
        EXPECT_EQ(fired(wheel, at).size(), 1u);
    }
}

TEST(TimerWheel_Behaviour, TakesNothingFromTheAllocator) {
    TimerWheel wheel(kStart);
    Timer timers[64];
    TimerDue due{};
    const uint64_t before = test::allocations();
    for (int round = 0; round < 100; ++round) {
        const Instant now = kStart + round * 1s;
        for (int i = 0; i < 64; ++i) wheel.arm(timers[i], now + i * i * 7ms);
        for (int i = 0; i < 64; i += 3) wheel.cancel(timers[i]);
        while (wheel.pop_due(now + 1s, due)) {
        }
    }
    EXPECT_EQ(test::allocations(), before);
}

/// A wheel and, next to it, a map from (tick, order of arming) that says what must fire.
class Model {
 public:
    explicit Model(uint64_t seed) : random_(seed), timers_(kTimers), places_(kTimers) {
        for (uint64_t i = 0; i < kTimers; ++i) timers_[i].owner = i;
    }

    void step() {
        switch (random_() % 8) {
            case 0:
                cancel(pick());
                break;
            case 1:
                advance(Duration(random_() % 100'000'000));
                break;
            case 2:
                advance(spread());
                break;
            case 3:
                advance(wheel_.next_deadline() - now_);
                break;
            default:
                arm(pick(), now_ + spread() - 5ms);
                break;
        }
        check_next_deadline();
    }

 private:
    static constexpr uint64_t kTimers = 40;
    using Place = std::pair<int64_t, uint64_t>;

    uint64_t pick() { return random_() % kTimers; }

    /// Delays of every size: from a millisecond to about 75 days.
    Duration spread() {
        const auto bits = 20 + random_() % 33;
        return Duration(static_cast<int64_t>(random_() & ((uint64_t{1} << bits) - 1)));
    }

    void cancel(uint64_t index) {
        expected_.erase(places_[index]);
        wheel_.cancel(timers_[index]);
    }

    void arm(uint64_t index, Instant deadline) {
        expected_.erase(places_[index]);
        const int64_t nanoseconds = (deadline - kStart).count();
        const int64_t tick =
            nanoseconds <= 0 ? 0 : (nanoseconds + kTick.count() - 1) / kTick.count();
        places_[index] = {std::max(tick, (now_ - kStart) / kTick + 1), ++order_};
        expected_[places_[index]] = index;
        wheel_.arm(timers_[index], deadline);
    }

    void advance(Duration by) {
        if (by > 24h * 365 || by < 0ns) return;
        now_ += by;
        const int64_t now_tick = (now_ - kStart) / kTick;
        TimerDue due{};
        while (wheel_.pop_due(now_, due)) {
            ASSERT_FALSE(expected_.empty());
            ASSERT_LE(expected_.begin()->first.first, now_tick);
            ASSERT_EQ(due.owner, expected_.begin()->second);
            ASSERT_FALSE(timers_[due.owner].is_armed());
            expected_.erase(expected_.begin());
            // Some owners arm a timer again while the others still wait to fire.
            if (random_() % 4 == 0) arm(due.owner, now_ + spread() - 5ms);
            if (random_() % 16 == 0) cancel(pick());
        }
        ASSERT_TRUE(expected_.empty() || expected_.begin()->first.first > now_tick);
    }

    void check_next_deadline() {
        const Instant next = wheel_.next_deadline();
        if (expected_.empty()) {
            ASSERT_EQ(next, kNever);
        } else {
            ASSERT_LE(next, kStart + expected_.begin()->first.first * kTick);
            ASSERT_GT(next, now_);
        }
    }

    std::mt19937_64 random_;
    Instant now_ = kStart;
    TimerWheel wheel_{kStart};
    std::vector<Timer> timers_;
    std::vector<Place> places_;
    std::map<Place, uint64_t> expected_;
    uint64_t order_ = 0;
};

TEST(TimerWheel_Behaviour, FiresWhatAMapWouldFire) {
    for (uint64_t seed = 1; seed <= 100; ++seed) {
        SCOPED_TRACE(seed);
        Model model(seed);
        for (int i = 0; i < 2000 && !testing::Test::HasFatalFailure(); ++i) model.step();
        if (testing::Test::HasFatalFailure()) return;
    }
}

}  // namespace
}  // namespace signalbox
