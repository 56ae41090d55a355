// Which target a request that keeps no transaction was given, so that its retransmissions get no
// other one. Implements: RFC 3261 §16.11
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "base/time.h"

namespace signalbox::proxy {

/// A table of fixed size: 16 octets a request, in sets of four, of which the oldest gives way. What
/// the location service knows changes with time, which a stateless proxy's choice must not (RFC
/// 3261 §16.11): a phone that registers anew between an INVITE and its retransmission would ring in
/// two places. Owned by the ProxyCore; single-threaded; takes its memory at the first use.
class StatelessChoices final {
 public:
    /// A retransmission comes within so long (64*T1, Timer B).
    static constexpr Duration kLife = std::chrono::seconds(32);

    explicit StatelessChoices(size_t places = 65536) : sets_count_(places / kWays) {}

    /// The choice (a hash of the target) that `request` (a hash that its retransmissions share) was
    /// given in the last kLife. Nothing: it is new, or there were too many others since.
    std::optional<uint32_t> find(Instant now, uint64_t request) const;
    void note(Instant now, uint64_t request, uint32_t choice);

 private:
    static constexpr size_t kWays = 4;
    struct Entry {
        uint64_t request = 0;
        uint32_t choice = 0;
        uint32_t at_ms = 0;  // of the monotonic clock, modulo 2^32
    };
    using Set = std::array<Entry, kWays>;
    const Set& set_of(uint64_t request) const { return sets_[request % sets_count_]; }

    size_t sets_count_;
    std::vector<Set> sets_;
};

}  // namespace signalbox::proxy
