// The time of day, for what lies on the disk for long.
#pragma once

#include <chrono>

#include "base/time.h"

namespace signalbox::store {

inline WallTime wall_now() {
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    return WallTime(std::chrono::duration_cast<std::chrono::microseconds>(now));
}

}  // namespace signalbox::store
