// Which target, and which server of a name, a request that keeps no transaction was given, so that
// its retransmissions get no other one. Implements: RFC 3261 §16.11; RFC 3263 §4.4
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "resolver/hop_health.h"
#include "transport/flow.h"

namespace signalbox::proxy {

/// A table of fixed size, in sets of four, of which the oldest gives way. What the location service
/// and DNS know changes with time, which a stateless proxy's choice must not (RFC 3261 §16.11): a
/// phone that registers anew between an INVITE and its retransmission would ring in two places.
/// Owned by the ProxyCore; single-threaded; takes its memory at the first use.
template <class Choice, uint32_t kLifeSeconds, size_t kPlaces>
class StatelessTable final {
 public:
    explicit StatelessTable(size_t places = kPlaces) : sets_count_(places / kWays) {}

    /// The choice that `request` (a hash that its retransmissions share) was given within the life.
    /// Nothing: it is new, or there were too many others since.
    std::optional<Choice> find(Instant now, uint64_t request) const {
        if (sets_.empty()) return std::nullopt;
        const uint32_t now_ms = milliseconds_of(now);
        for (const Entry& entry : sets_[request % sets_count_]) {
            if (entry.request == request && now_ms - entry.at_ms < kLifeSeconds * 1000)
                return entry.choice;
        }
        return std::nullopt;
    }

    void note(Instant now, uint64_t request, const Choice& choice) {
        if (sets_.empty()) sets_.resize(sets_count_);
        const uint32_t now_ms = milliseconds_of(now);
        Set& set = sets_[request % sets_count_];
        const auto is_older = [now_ms](const Entry& a, const Entry& b) {
            return now_ms - a.at_ms < now_ms - b.at_ms;
        };
        const auto same = std::find_if(set.begin(), set.end(), [request](const Entry& entry) {
            return entry.request == request;
        });
        Entry& place =
            same != set.end() ? *same : *std::max_element(set.begin(), set.end(), is_older);
        place = {request, choice, now_ms};
    }

 private:
    static constexpr size_t kWays = 4;
    struct Entry {
        uint64_t request = 0;
        Choice choice{};
        uint32_t at_ms = 0;  // of the monotonic clock, modulo 2^32
    };
    using Set = std::array<Entry, kWays>;

    static uint32_t milliseconds_of(Instant at) {
        using std::chrono::milliseconds;
        return static_cast<uint32_t>(
            std::chrono::duration_cast<milliseconds>(at.time_since_epoch()).count());
    }

    size_t sets_count_;
    std::vector<Set> sets_;
};

/// A phone as a target: where it was reached, and by which URI.
class StatelessTarget final {
 public:
    /// Nothing: the URI is longer than what is kept.
    static std::optional<StatelessTarget> of(std::string_view uri, const transport::Flow& flow) {
        StatelessTarget target;
        if (uri.empty() || uri.size() > target.uri_.size()) return std::nullopt;
        uri.copy(target.uri_.data(), uri.size());
        target.uri_size_ = static_cast<uint8_t>(uri.size());
        target.flow_ = flow;
        return target;
    }
    std::string_view uri() const { return {uri_.data(), uri_size_}; }
    const transport::Flow& flow() const { return flow_; }

 private:
    transport::Flow flow_;
    uint8_t uri_size_ = 0;
    std::array<char, 183> uri_{};
};

/// The phone that a request was sent to: its retransmissions, the CANCEL of an INVITE and the ACK
/// to its failure find it as long as it may ring (Timer C), whatever has been registered since.
using StatelessChoices = StatelessTable<StatelessTarget, 200, 32768>;

/// The server that a name was taken to mean, likewise.
using StatelessHops = StatelessTable<resolver::Hop, 200, 16384>;

}  // namespace signalbox::proxy
