// A hierarchical timer wheel: arming and cancelling in constant time, a tick of 10 ms.
#pragma once

#include <array>
#include <cstdint>

#include "base/time.h"

namespace signalbox {

/// One timer, embedded in the object that owns it. Must be disarmed before it is destroyed (its
/// destructor does so). `owner` and `kind` are the owner's own: the wheel gives them back when the
/// timer fires.
class Timer final {
 public:
    Timer() = default;
    Timer(const Timer&) = delete;
    Timer& operator=(const Timer&) = delete;
    ~Timer() { unlink(); }

    bool is_armed() const { return next_ != nullptr; }
    uint64_t owner = 0;  // a packed Handle
    uint16_t kind = 0;   // the owner's enum

 private:
    friend class TimerWheel;
    void unlink();
    Timer* next_ = nullptr;
    Timer* previous_ = nullptr;
    uint64_t tick_ = 0;
};

/// What fired.
struct TimerDue {
    uint64_t owner;
    uint16_t kind;
};

/// Single-threaded; one per shard. A timer fires at the first tick at or after its deadline, never
/// early. Cost: O(1) to arm and cancel; each timer moves at most four times before it fires, and
/// time in which nothing is due is skipped in steps of whole slots. Timers of one tick fire in the
/// order in which they were armed, whatever their addresses. May die before its timers: they are
/// disarmed by their own destructors.
class TimerWheel final {
 public:
    static constexpr Duration kTick = std::chrono::milliseconds(10);

    explicit TimerWheel(Instant start);
    TimerWheel(const TimerWheel&) = delete;
    TimerWheel& operator=(const TimerWheel&) = delete;

    /// Arms, or arms again, `timer` for `deadline`. A deadline that is past for the latest
    /// pop_due() means the tick after it. Deadlines past the wheel's span (348 years) are clamped
    /// to it.
    void arm(Timer& timer, Instant deadline);
    void cancel(Timer& timer) { timer.unlink(); }

    /// Takes the next due timer, disarmed; false when none is due at `now`. Call until false: a
    /// timer armed meanwhile for a past deadline fires on the next tick, so that this ends.
    bool pop_due(Instant now, TimerDue& due);

    /// When pop_due() may next return true: never later than that, and earlier only where the first
    /// timer of a slot was cancelled. kNever when no timer is armed.
    Instant next_deadline() const;

 private:
    static constexpr int kLevels = 5;
    static constexpr int kBits = 8;
    static constexpr uint32_t kSlots = 1u << kBits;
    static constexpr uint64_t kSlotMask = kSlots - 1;
    static constexpr uint64_t kLastTick = (uint64_t{1} << (kLevels * kBits)) - 1;

    /// A ring with a sentinel as its head, in the order of arming.
    struct Slot {
        Timer head;
        uint64_t earliest = 0;  // no timer of the slot is due before this tick
    };
    /// The slots 0 to 255 of a level lie in one turn of it: those up to the current one are empty.
    struct Level {
        std::array<Slot, kSlots> slots;
        // One bit a slot. Cancelling leaves the bit of an emptied slot set; the next search clears
        // it.
        mutable std::array<uint64_t, kSlots / 64> occupied{};
    };

    static bool is_empty(const Slot& slot) { return slot.head.next_ == &slot.head; }
    static void append(Slot& slot, Timer& timer);
    static void append_all(Slot& slot, Slot& from);
    static void prefetch(const Timer* timer);
    static uint32_t first_occupied(const Level& level, uint32_t from);
    uint64_t tick_at_or_after(Instant at) const;
    uint64_t tick_at_or_before(Instant at) const;
    Instant instant_of(uint64_t tick) const;
    void link(Timer& timer);
    void advance(uint64_t target);
    void take_slot(int level, uint32_t index);

    Instant start_;
    uint64_t tick_ = 0;      // ticks up to and including this one were fired or stand in due_
    uint64_t now_tick_ = 0;  // the tick of the latest pop_due()
    std::array<Level, kLevels> levels_;
    Slot due_;
};

}  // namespace signalbox
