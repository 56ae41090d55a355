// The two times that a transaction waits for, its next retransmission and the end of its state, on
// one timer of the wheel. Implements: RFC 3261 §17.1.1.2, §17.1.2.2, §17.2.1
#pragma once

#include <algorithm>

#include "base/timer_wheel.h"

namespace signalbox::transaction {

/// The layer's kinds of timers: whose handle TimerDue::owner holds.
enum class TimerSide : uint16_t { Client, Server };

/// One Timer instead of two: a lingering transaction stays small, and a request costs the wheel one
/// arm and one cancel. Nothing runs before arm().
class TransactionTimer final {
 public:
    void set_owner(uint64_t packed_handle, TimerSide side) {
        timer_.owner = packed_handle;
        timer_.kind = static_cast<uint16_t>(side);
    }

    /// Zero: no retransmission.
    void set_interval(Duration interval) { interval_ = interval; }
    Duration interval() const { return interval_; }
    void set_deadline(Instant deadline) { deadline_ = deadline; }

    /// Waits for what comes first: the interval from `now` on, or the deadline.
    void arm(TimerWheel& wheel, Instant now) {
        const Instant again = interval_ == Duration{} ? kNever : now + interval_;
        wheel.arm(timer_, std::min(again, deadline_));
    }
    void stop(TimerWheel& wheel) {
        interval_ = Duration{};
        deadline_ = kNever;
        wheel.cancel(timer_);
    }

    /// For a timer that fired: was it the deadline? A driver that is late makes both due: then the
    /// deadline counts.
    bool is_deadline(Instant now) const { return now >= deadline_; }

 private:
    Timer timer_;
    Duration interval_{};
    Instant deadline_ = kNever;
};

}  // namespace signalbox::transaction
