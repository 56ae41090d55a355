// Which next hops failed a short while ago: they are tried last, not never. Implements: RFC 3261
// §21.5.4; RFC 3263 §4.3
#pragma once

#include <array>
#include <vector>

#include "base/random.h"
#include "base/time.h"
#include "transport/flow.h"

namespace signalbox::resolver {

/// One place to which a request can go.
struct Hop {
    transport::Transport transport = transport::Transport::Udp;
    Endpoint remote;
    friend bool operator==(const Hop&, const Hop&) = default;
};

/// Single-threaded; one per shard. A table of fixed size: where it is full, the hop whose time ends
/// first is forgotten.
class HopHealth final {
 public:
    /// `hash_key` is secret, so that nobody can choose hops that displace each other.
    explicit HopHealth(std::array<uint64_t, 2> hash_key)
        : hash_key_(hash_key), places_(kSets * kWays) {}

    /// `hop` failed: it is held down for `time`, or as long as it is already, if that is longer.
    /// True when it was not held down before.
    bool failed(Instant now, const Hop& hop, Duration time);
    /// `hop` answered: it is held down no more. True when it was.
    bool succeeded(Instant now, const Hop& hop);
    bool is_held_down(Instant now, const Hop& hop) const;

 private:
    static constexpr size_t kSets = 256, kWays = 4;
    struct Place {
        Hop hop;
        Instant until{};
    };
    size_t set_of(const Hop& hop) const;
    const Place* find(const Hop& hop) const;

    std::array<uint64_t, 2> hash_key_;
    std::vector<Place> places_;
    bool is_used_ = false;
};

}  // namespace signalbox::resolver
