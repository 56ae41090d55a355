// What happens in the world of one seed: who is there, how bad the network is, and what everybody
// does.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "sim/world.h"

namespace signalbox::sim {

/// What one seed came to.
struct SeedResult {
    uint64_t seed = 0;
    std::vector<std::string> faults;  // broken oracles; empty: it passed
    uint64_t calls = 0;
    uint64_t answered = 0;
    uint64_t messages = 0;
    uint64_t restarts = 0;
    uint64_t reloads = 0;
    Duration virtual_time{};
    transaction::MachineCoverage coverage;
    std::string ladder;  // when it was asked for
};

/// Draws the scenario of `seed`, plays it to its end, and asks every oracle.
SeedResult run_seed(uint64_t seed, Trace::Detail detail);

}  // namespace signalbox::sim
