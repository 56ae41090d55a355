// A load that changes: rates that follow each other in one run, each with books of its own.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "load/latency_histogram.h"

namespace bench {

/// One rate for some time. An operation belongs to the phase in which it was started.
struct Phase {
    double rate = 0;  // operations started a second
    double seconds = 0;

    std::uint64_t begun_ns = 0;
    std::uint64_t started = 0;
    std::uint64_t answered = 0;          // calls that were set up
    std::uint64_t completed = 0;         // and, of these, ended by a BYE that was answered 200
    std::uint64_t refused = 0;           // 503 with Retry-After
    std::uint64_t unanswered = 0;        // nothing came within 64*T1
    std::uint64_t broken = 0;            // ended in another way
    std::uint64_t answered_within = 0;   // calls of any phase that were set up while this one ran
    std::uint64_t last_unserved_ns = 0;  // since its beginning: when the last operation was started
                                         // that was refused or not answered; 0: there was none
    LatencyHistogram setup;              // INVITE to its 200
};

/// Reads "2000x5,6000x12.5": operations a second, times seconds. Nothing when it cannot be read.
std::optional<std::vector<Phase>> read_profile(std::string_view text);

}  // namespace bench
