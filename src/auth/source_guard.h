// Leaves sources unanswered that guess passwords.
// Implements: RFC 3261 §26.3.2.4, §22.4
#pragma once

#include <array>
#include <boost/unordered/unordered_flat_map.hpp>
#include <cstddef>
#include <cstdint>
#include <deque>

#include "base/ip_endpoint.h"
#include "base/time.h"
#include "ports/snapshot.h"

namespace signalbox::auth {

/// Counts credentials that were checked and wrong per source (auth/source.h). Single-threaded; one
/// per shard. Holds at most kSourcesMax sources, and the one that came first gives way.
class SourceGuard final {
 public:
    static constexpr size_t kSourcesMax = 65'536;

    /// `hash_key` is secret and random, so that nobody can choose addresses that collide.
    explicit SourceGuard(std::array<uint64_t, 2> hash_key, size_t sources_max = kSourcesMax)
        : sources_max_(sources_max), places_(0, Hash{hash_key}) {}

    bool is_blocked(Now now, const IpAddress& source) const;
    /// Notes wrong credentials. True when this one begins a block: it is the auth_failures_max-th
    /// within auth_failures_window of the first. The block lasts auth_block_time. With
    /// auth_failures_max 0 nobody is ever blocked.
    bool failed(Now now, const IpAddress& source, const ports::LimitSettings& limits);
    /// Blocks a source on another shard's word; a longer block that it has stays.
    void block(Now now, const IpAddress& source, Instant until);

    size_t size() const { return places_.size(); }
    /// Sources that are blocked now. Looks at all of them.
    size_t blocked_count(Now now) const;

 private:
    struct Entry {
        IpAddress source;
        Instant window_end = Instant::min();
        Instant blocked_until = Instant::min();
        uint32_t failures = 0;
    };
    struct Hash {
        std::array<uint64_t, 2> key;
        size_t operator()(const IpAddress& address) const;
    };
    static bool is_over(const Entry& entry, Now now);
    const Entry* find(const IpAddress& source) const;
    Entry& find_or_make(Now now, const IpAddress& source);
    void drop_first();

    size_t sources_max_;
    std::deque<Entry> entries_;  // in the order in which they came
    uint64_t first_ = 0;         // the number of entries_.front()
    boost::unordered_flat_map<IpAddress, uint64_t, Hash> places_;  // the number of each
};

}  // namespace signalbox::auth
