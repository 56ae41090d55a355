// The clocks that drivers read once a turn.
#include "io/reactor.h"

#include <ctime>

namespace signalbox::io {

namespace {

Duration read_clock(clockid_t clock) {
    timespec time{};
    ::clock_gettime(clock, &time);
    return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
}

}  // namespace

Now read_clocks() {
    return {Instant(read_clock(CLOCK_MONOTONIC)),
            WallTime(std::chrono::floor<std::chrono::microseconds>(read_clock(CLOCK_REALTIME)))};
}

}  // namespace signalbox::io
