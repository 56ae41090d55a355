// Damaged places of the journal: what was skipped, told once and counted once.
#pragma once

#include <atomic>
#include <cstdint>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/counters.h"

namespace signalbox::store {

/// Octets of a segment that are no whole events, while whole events follow them.
struct JournalDamage {
    std::string path;
    uint64_t offset = 0;
    uint64_t bytes = 0;
};

/// Owned by a store, which may read the same damage twice. note() belongs to the store's thread;
/// add_counters() may be called by anybody.
class DamagedPlaces final {
 public:
    /// Counts the places that are new. Returns the first one of each segment of which nothing was
    /// known: one line of the log for each.
    std::vector<JournalDamage> note(std::vector<JournalDamage> found) {
        std::vector<JournalDamage> told;
        for (JournalDamage& damage : found) {
            if (!known_.emplace(damage.path, damage.offset).second) continue;
            places_.fetch_add(1, std::memory_order_relaxed);
            bytes_.fetch_add(damage.bytes, std::memory_order_relaxed);
            if (segments_.insert(damage.path).second) told.push_back(std::move(damage));
        }
        return told;
    }
    /// Adds journal_damaged_total and journal_damaged_bytes_total.
    void add_counters(Counters& into) const {
        into.add(Counter::journal_damaged_total, places_.load(std::memory_order_relaxed));
        into.add(Counter::journal_damaged_bytes_total, bytes_.load(std::memory_order_relaxed));
    }

 private:
    std::set<std::pair<std::string, uint64_t>> known_;
    std::set<std::string> segments_;
    std::atomic<uint64_t> places_{0};
    std::atomic<uint64_t> bytes_{0};
};

}  // namespace signalbox::store
