// What the oracles found: each broken rule with its moment.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "sim/event_queue.h"
#include "sim/trace.h"

namespace signalbox::sim {

/// Owned by the world; the oracles write, the run reads. Keeps the first few: the first one is what
/// matters.
class OracleReport final {
 public:
    static constexpr size_t kFaultsMax = 20;

    OracleReport(const EventQueue& queue, Trace& trace) : queue_(queue), trace_(trace) {}

    /// `rule` names the oracle, `what` says what broke it.
    void broken(const std::string& rule, const std::string& what) {
        const auto us = std::chrono::duration_cast<std::chrono::microseconds>(
            queue_.now().monotonic.time_since_epoch());
        trace_.note(queue_.now().monotonic, "*** " + rule + ": " + what);
        if (faults_.size() < kFaultsMax) {
            faults_.push_back(std::to_string(static_cast<double>(us.count()) / 1e6) + " " + rule +
                              ": " + what);
        }
    }
    const std::vector<std::string>& faults() const { return faults_; }

 private:
    const EventQueue& queue_;
    Trace& trace_;
    std::vector<std::string> faults_;
};

}  // namespace signalbox::sim
