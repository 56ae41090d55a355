// How hard new work must be held back so that messages do not wait long before they are handled.
// Implements: RFC 8033 §4.2 (the control law, with a refusal in the place of a drop)
#pragma once

#include <cstdint>

#include "base/time.h"

namespace signalbox::overload {

/// The time over which delays are averaged: the control law is applied once for each.
inline constexpr Duration kInterval = std::chrono::milliseconds(20);

/// So long must messages have waited longer than the target, without a break, before there is any
/// pressure. A stall, or another program's turn on the processor, leaves behind what is worked off
/// before, and nobody is refused for it.
inline constexpr Duration kLasting = std::chrono::milliseconds(100);

/// A proportional-integral controller from the queue's delay to a pressure from 0 (all is taken) to
/// 1 (nothing new is). It settles where the delay stands at its target, so that the server works
/// all the time and refuses no more than it must. Single-threaded; one per shard.
class QueuePressure final {
 public:
    explicit QueuePressure(Instant now) : interval_begun_(now) {}

    /// Takes note of a message that had waited so long.
    void add(Duration waited) {
        sum_ += waited;
        ++count_;
        latest_ = waited;
    }
    /// True when the interval has ended, so that update() has something to do.
    bool is_due(Instant now) const { return now - interval_begun_ >= kInterval; }
    /// Ends all intervals up to `now`. Where several have passed since the last call, the server
    /// was busy in those for which the latest message has waited, and had nothing to do before.
    void update(Instant now, Duration target);
    /// Forgets everything: what the controller is turned off with.
    void reset(Instant now);

    double value() const { return value_; }
    /// What refusals alone do not relieve, 0 to 1: it rises while nearly everything new is refused
    /// and messages wait all the same, because to refuse takes time too.
    double excess() const { return excess_; }
    /// The mean of the last interval in which something came.
    Duration delay() const { return delay_; }

 private:
    bool is_lasting(Instant now, Duration target);
    void step(double delay_s, double target_s);

    Instant interval_begun_;
    Duration sum_{};
    Duration latest_{};
    uint64_t count_ = 0;
    Duration delay_{};
    Instant long_since_ = kNever;  // messages have waited longer than the target without a break
    double value_ = 0;
    double excess_ = 0;
    double last_delay_s_ = 0;
};

}  // namespace signalbox::overload
