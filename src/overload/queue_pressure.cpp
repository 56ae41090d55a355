// The controller from queue delay to pressure. Implements: RFC 8033 §4.2
#include "overload/queue_pressure.h"

#include <algorithm>
#include <cmath>

namespace signalbox::overload {

namespace {

// Both are for a server at one to ten times its capacity: damped there, and settled within a
// second. The queue integrates the load, so that a loop with the first alone would swing.
constexpr double kPerSecondOfDelayAndSecond = 4.0;
constexpr double kPerSecondOfDelay = 2.0;
// A stall of the machine leaves one interval of very old messages behind. It must not look like
// lasting overload.
constexpr double kRiseMax = 0.08;
// Without a queue worth the name, pressure is a memory only, and fades (RFC 8033 §4.2).
constexpr double kFadingSeconds = 0.5;
constexpr double kNothing = 0.005;
// After so many intervals of silence nothing is left of any pressure.
constexpr int64_t kStepsMax = 250;

// The excess holds the pressure here, where some calls are taken still. It is slow, so that the
// beginning of an overload is left to refusals, unless messages wait very long: a caller who gets
// no answer waits half a second at least before he asks again.
constexpr double kHeldPressure = 0.95;
constexpr double kExcessPerSecond = 1.5;
constexpr double kLongWaitSeconds = 0.25;

constexpr double kIntervalSeconds = std::chrono::duration<double>(kInterval).count();

double seconds(Duration duration) {
    return std::chrono::duration<double>(duration).count();
}

}  // namespace

void QueuePressure::update(Instant now, Duration target) {
    const int64_t passed = std::clamp<int64_t>((now - interval_begun_) / kInterval, 0, kStepsMax);
    if (passed == 0) return;
    if (count_ > 0) delay_ = sum_ / static_cast<int64_t>(count_);
    const int64_t waited = latest_ / kInterval + 1;
    const int64_t busy = count_ > 0 ? std::min(passed, waited) : 0;
    const double target_s = seconds(target);
    for (int64_t i = busy; i < passed; ++i) step(0, target_s);
    if (busy > 0 && !is_lasting(now, target)) {
        last_delay_s_ = std::min(seconds(delay_), target_s);
    } else {
        for (int64_t i = 0; i < busy; ++i) step(seconds(delay_), target_s);
    }
    if (busy == 0) delay_ = {};
    sum_ = {};
    latest_ = {};
    count_ = 0;
    interval_begun_ = now;
}

/// True when there is pressure already, and when messages have waited too long for so long that
/// there has to be.
bool QueuePressure::is_lasting(Instant now, Duration target) {
    if (delay_ <= target) {
        long_since_ = kNever;
    } else if (long_since_ == kNever) {
        long_since_ = now;
    }
    return value_ > 0 || (long_since_ != kNever && now - long_since_ >= kLasting);
}

void QueuePressure::step(double delay_s, double target_s) {
    const double change = kPerSecondOfDelayAndSecond * kIntervalSeconds * (delay_s - target_s) +
                          kPerSecondOfDelay * (delay_s - last_delay_s_);
    value_ = std::clamp(value_ + std::min(change, kRiseMax), 0.0, 1.0);
    if (delay_s < target_s / 2) value_ *= 1 - kIntervalSeconds / kFadingSeconds;
    if (value_ < kNothing) value_ = 0;
    last_delay_s_ = delay_s;
    const double above = value_ - kHeldPressure;
    const double haste = above > 0 ? std::max(1.0, delay_s / kLongWaitSeconds) : 1.0;
    excess_ = std::clamp(excess_ + kExcessPerSecond * kIntervalSeconds * above * haste, 0.0, 1.0);
}

void QueuePressure::reset(Instant now) {
    *this = QueuePressure(now);
}

}  // namespace signalbox::overload
