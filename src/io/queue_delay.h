// How long a datagram lay in its socket's buffer, from the system's timestamp on it.
#pragma once

#include <algorithm>

#include "base/time.h"

namespace signalbox::io {

/// More than any buffer holds: beyond it a timestamp says that a clock was set.
inline constexpr Duration kQueueDelayMax = std::chrono::seconds(10);

/// The time from `stamped`, on the wall clock, to `now`. What lies in the buffer came after
/// `emptied`, when the socket was last found empty on the monotonic clock, so that a wall clock
/// that is set meanwhile makes the delay no longer than it can be. Never negative.
inline Duration queue_delay(Now now, WallTime stamped, Instant emptied) {
    const Duration longest = std::min<Duration>(now.monotonic - emptied, kQueueDelayMax);
    return std::clamp<Duration>(now.wall - stamped, Duration{}, std::max(longest, Duration{}));
}

}  // namespace signalbox::io
