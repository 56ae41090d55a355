// The numbers of a shard's calls, which grow: records are written where the last ones were.
#pragma once

#include <algorithm>
#include <cstdint>

#include "base/time.h"

namespace signalbox::cdr {

/// Numbers that no two calls of a node have and that fit a signed 64-bit column until the year
/// 2112. The first one is the time of its call in 1/32 us; each further one is one more, which
/// falls behind the clock at less than 32 million calls a second: a later run of the server begins
/// above them, and where the clock was set back, begin_above() sees to it. The last six bits are
/// the shard.
class CallNumbers final {
 public:
    /// `shard`: 0-63.
    explicit CallNumbers(uint8_t shard) : shard_(shard) {}

    /// Before the first next(): no number will be `number` or less.
    void begin_above(uint64_t number) { least_ = std::max(least_, (number >> 6) + 1); }
    uint64_t next(WallTime now) {
        if (count_ == 0) {
            count_ = std::max(static_cast<uint64_t>(now.time_since_epoch().count()) << 5, least_);
        }
        return (count_++ << 6 | shard_) & INT64_MAX;
    }

 private:
    uint64_t shard_;
    uint64_t least_ = 1;
    uint64_t count_ = 0;
};

}  // namespace signalbox::cdr
