// Time as values: the core is told the time and never asks for it.
#pragma once

#include <chrono>
#include <cstdint>

namespace signalbox {

using Duration = std::chrono::nanoseconds;

/// Tags, not clocks: they have no now().
struct MonotonicTag {};
struct WallTag {};

/// A point of the driver's monotonic clock. Timers use it.
using Instant = std::chrono::time_point<MonotonicTag, Duration>;

/// A point in UTC since the Unix epoch, in microseconds. Date headers, nonces and records use it.
using WallTime = std::chrono::time_point<WallTag, std::chrono::microseconds>;

/// The moment at which an event reaches the core.
struct Now {
    Instant monotonic;
    WallTime wall;
};

/// "No deadline".
inline constexpr Instant kNever = Instant::max();

/// Whole seconds since the Unix epoch.
inline int64_t unix_seconds(WallTime at) {
    return std::chrono::floor<std::chrono::seconds>(at.time_since_epoch()).count();
}

}  // namespace signalbox
