// Five levels of 256 slots: a timer lies on the level of the highest octet in which its tick
// differs from the current tick. All timers of one tick are therefore in one slot at any time,
// which keeps them in the order of arming, and a level is empty up to the current slot, so that the
// lowest occupied level holds the next timer.
#include "base/timer_wheel.h"

#include <algorithm>
#include <bit>

#include "base/check.h"

namespace signalbox {

void Timer::unlink() {
    if (next_ == nullptr) return;
    previous_->next_ = next_;
    next_->previous_ = previous_;
    next_ = nullptr;
    previous_ = nullptr;
}

TimerWheel::TimerWheel(Instant start) : start_(start) {
    const auto close_ring = [](Slot& slot) {
        slot.head.next_ = &slot.head;
        slot.head.previous_ = &slot.head;
    };
    for (Level& level : levels_) {
        for (Slot& slot : level.slots) close_ring(slot);
    }
    close_ring(due_);
}

void TimerWheel::arm(Timer& timer, Instant deadline) {
    timer.unlink();
    timer.tick_ = std::min(std::max(tick_at_or_after(deadline), now_tick_ + 1), kLastTick);
    link(timer);
}

bool TimerWheel::pop_due(Instant now, TimerDue& due) {
    const uint64_t target = tick_at_or_before(now);
    now_tick_ = std::max(now_tick_, target);
    while (is_empty(due_)) {
        if (tick_ >= target) return false;
        advance(target);
    }
    Timer& timer = *due_.head.next_;
    due = {timer.owner, timer.kind};
    timer.unlink();
    prefetch(due_.head.next_);
    return true;
}

/// What lingered is in no cache any more. The timers of which there are most, those of transactions
/// and bindings, stand at the beginning of what they are for.
void TimerWheel::prefetch(const Timer* timer) {
    constexpr size_t kLineBytes = 64;
    constexpr size_t kLines = 3;
    const auto at = reinterpret_cast<uintptr_t>(timer);
    for (size_t i = 0; i < kLines; ++i)
        __builtin_prefetch(reinterpret_cast<const void*>(at + i * kLineBytes));
}

Instant TimerWheel::next_deadline() const {
    if (!is_empty(due_)) return instant_of(tick_);
    for (int i = 0; i < kLevels; ++i) {
        const Level& level = levels_[static_cast<size_t>(i)];
        const uint32_t index = first_occupied(level, (tick_ >> (i * kBits) & kSlotMask) + 1);
        if (index < kSlots) return instant_of(level.slots[index].earliest);
    }
    return kNever;
}

void TimerWheel::append(Slot& slot, Timer& timer) {
    slot.earliest = is_empty(slot) ? timer.tick_ : std::min(slot.earliest, timer.tick_);
    timer.next_ = &slot.head;
    timer.previous_ = slot.head.previous_;
    slot.head.previous_->next_ = &timer;
    slot.head.previous_ = &timer;
}

/// Those of `from`, in their order, behind those of `slot`.
void TimerWheel::append_all(Slot& slot, Slot& from) {
    if (is_empty(from)) return;
    Timer& first = *from.head.next_;
    Timer& last = *from.head.previous_;
    first.previous_ = slot.head.previous_;
    slot.head.previous_->next_ = &first;
    last.next_ = &slot.head;
    slot.head.previous_ = &last;
    from.head.next_ = from.head.previous_ = &from.head;
}

/// The first slot that holds a timer at or after `from`, or kSlots.
uint32_t TimerWheel::first_occupied(const Level& level, uint32_t from) {
    while (from < kSlots) {
        uint64_t& word = level.occupied[from / 64];
        const uint64_t rest = word >> (from % 64);
        if (rest == 0) {
            from = (from / 64 + 1) * 64;
            continue;
        }
        from += static_cast<uint32_t>(std::countr_zero(rest));
        if (!is_empty(level.slots[from])) return from;
        word &= ~(uint64_t{1} << (from % 64));
    }
    return kSlots;
}

uint64_t TimerWheel::tick_at_or_before(Instant at) const {
    if (at <= start_) return 0;
    // Unsigned, because the distance of two Instants need not fit a Duration.
    const uint64_t distance = static_cast<uint64_t>(at.time_since_epoch().count()) -
                              static_cast<uint64_t>(start_.time_since_epoch().count());
    return std::min(distance / static_cast<uint64_t>(kTick.count()), kLastTick);
}

uint64_t TimerWheel::tick_at_or_after(Instant at) const {
    const uint64_t tick = tick_at_or_before(at);
    return instant_of(tick) < at && tick < kLastTick ? tick + 1 : tick;
}

Instant TimerWheel::instant_of(uint64_t tick) const {
    const uint64_t room = static_cast<uint64_t>(kNever.time_since_epoch().count()) -
                          static_cast<uint64_t>(start_.time_since_epoch().count());
    if (tick > room / static_cast<uint64_t>(kTick.count())) return kNever;
    // Added as unsigned numbers: the sum fits, the product alone need not when `start_` is
    // negative.
    const uint64_t sum = static_cast<uint64_t>(start_.time_since_epoch().count()) +
                         tick * static_cast<uint64_t>(kTick.count());
    return Instant(Duration(static_cast<int64_t>(sum)));
}

void TimerWheel::link(Timer& timer) {
    DCHECK(timer.tick_ >= tick_);
    const uint64_t difference = timer.tick_ ^ tick_;
    if (difference == 0) {
        append(due_, timer);
        return;
    }
    const int level = static_cast<int>(std::bit_width(difference) - 1) / kBits;
    const uint64_t index = timer.tick_ >> (level * kBits) & kSlotMask;
    Level& its = levels_[static_cast<size_t>(level)];
    append(its.slots[index], timer);
    its.occupied[index / 64] |= uint64_t{1} << (index % 64);
}

/// Moves to the next tick that has timers or to the start of the next slot to spread, at most to
/// `target`.
void TimerWheel::advance(uint64_t target) {
    for (int i = 0; i < kLevels; ++i) {
        const int shift = i * kBits;
        const uint64_t current = tick_ >> shift & kSlotMask;
        const uint32_t index =
            first_occupied(levels_[static_cast<size_t>(i)], static_cast<uint32_t>(current) + 1);
        if (index == kSlots) continue;
        const uint64_t turn = tick_ >> shift >> kBits << kBits;
        const uint64_t begin = (turn | index) << shift;
        if (begin > target) break;
        tick_ = begin;
        take_slot(i, index);
        return;
    }
    tick_ = target;
}

/// Spreads a slot that begins now over the lower levels; what is due at its first tick goes to
/// due_.
void TimerWheel::take_slot(int level, uint32_t index) {
    Level& its = levels_[static_cast<size_t>(level)];
    its.occupied[index / 64] &= ~(uint64_t{1} << (index % 64));
    Slot& slot = its.slots[index];
    // On the lowest level all are of one tick, which is now.
    if (level == 0) return append_all(due_, slot);
    while (!is_empty(slot)) {
        Timer& timer = *slot.head.next_;
        timer.unlink();
        link(timer);
    }
}

}  // namespace signalbox
