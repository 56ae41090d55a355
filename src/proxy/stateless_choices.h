// Which target, and which server of a name, a request that keeps no transaction was given, so that
// its retransmissions get no other one. Implements: RFC 3261 §16.11; RFC 3263 §4.4
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "base/random.h"
#include "base/time.h"
#include "proxy/incoming_request.h"
#include "resolver/hop_health.h"
#include "transport/flow.h"

namespace signalbox::proxy {

/// A table of fixed size, in sets of four. What the location service and DNS know changes with
/// time, which a stateless proxy's choice must not (RFC 3261 §16.11): a phone that registers anew
/// between an INVITE and its retransmission would ring in two places. So no choice gives way to
/// another before its time: where there is no place, the request is given a transaction instead.
/// Owned by the ProxyCore; single-threaded; takes its memory at the first use.
template <class Choice, size_t kPlaces>
class StatelessTable final {
 public:
    explicit StatelessTable(size_t places = kPlaces) : sets_count_(places / kWays) {}

    /// The choice that `request` (a hash that its retransmissions share) was given. Nothing: it is
    /// new, or its time is over.
    std::optional<Choice> find(Instant now, uint64_t request) const {
        if (sets_.empty()) return std::nullopt;
        for (const Entry& entry : sets_[request % sets_count_]) {
            if (entry.request == request && now < entry.until) return entry.choice;
        }
        return std::nullopt;
    }

    /// Keeps the choice for a request that has none. False: all places are taken by others whose
    /// time is not over. Nothing is changed then.
    bool note(Instant now, uint64_t request, const Choice& choice, Instant until) {
        if (sets_.empty()) sets_.resize(sets_count_);
        Set& set = sets_[request % sets_count_];
        const auto place = std::find_if(set.begin(), set.end(),
                                        [now](const Entry& entry) { return entry.until <= now; });
        if (place == set.end()) return false;
        *place = {request, until, choice};
        return true;
    }

    /// The same where the choice may be there: its time grows. False, too, when it is another one.
    bool keep(Instant now, uint64_t request, const Choice& choice, Instant until) {
        Entry* known = entry_of(now, request);
        if (known == nullptr) return note(now, request, choice, until);
        if (!(known->choice == choice)) return false;
        known->until = std::max(known->until, until);
        return true;
    }

    /// The time of a choice ends at `until`, unless it would end sooner.
    void shorten(Instant now, uint64_t request, Instant until) {
        Entry* known = entry_of(now, request);
        if (known != nullptr) known->until = std::min(known->until, until);
    }

 private:
    static constexpr size_t kWays = 4;
    struct Entry {
        uint64_t request = 0;
        Instant until{};
        Choice choice{};
    };
    using Set = std::array<Entry, kWays>;

    Entry* entry_of(Instant now, uint64_t request) {
        if (sets_.empty()) return nullptr;
        for (Entry& entry : sets_[request % sets_count_]) {
            if (entry.request == request && now < entry.until) return &entry;
        }
        return nullptr;
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
    /// Equal for equal targets.
    uint64_t hash(std::array<uint64_t, 2> key) const {
        key[0] ^= flow_.connection ^ (uint64_t{flow_.generation} << 32);
        key[1] ^= flow_.remote.port ^ (uint64_t{flow_.shard} << 32);
        const auto& octets = flow_.remote.address.octets;
        key[0] ^= siphash(key, {reinterpret_cast<const char*>(octets.data()), octets.size()});
        return siphash(key, uri());
    }
    friend bool operator==(const StatelessTarget&, const StatelessTarget&) = default;

 private:
    transport::Flow flow_;
    uint8_t uri_size_ = 0;
    std::array<char, 183> uri_{};
};

/// How long a request's choice holds: an INVITE may ring until Timer C ends, and its failure waits
/// for the ACK until Timer H does; any other request is sent again until Timer F ends.
inline Duration stateless_life(const IncomingRequest& request) {
    const transaction::SipTimers& timers = request.snapshot.timers;
    return request.method() == sip::Method::Invite ? timers.c + timers.h : timers.f;
}

/// The phone that a request was sent to: its retransmissions, the CANCEL of an INVITE and the ACK
/// to its failure find it, whatever has been registered since. Requests to one phone share what is
/// long about it.
class StatelessChoices final {
 public:
    /// `hash_key` is secret, so that nobody can choose targets that displace each other.
    explicit StatelessChoices(std::array<uint64_t, 2> hash_key, size_t requests = kRequests,
                              size_t targets = kTargets)
        : hash_key_(hash_key), requests_(requests), targets_(targets) {}

    std::optional<StatelessTarget> find(Instant now, uint64_t request) const {
        const auto target = requests_.find(now, request);
        return target ? targets_.find(now, *target) : std::nullopt;
    }
    /// As StatelessTable::note().
    bool note(Instant now, uint64_t request, const StatelessTarget& target, Instant until) {
        const uint64_t name = target.hash(hash_key_);
        return targets_.keep(now, name, target, until) && requests_.note(now, request, name, until);
    }
    /// As StatelessTable::shorten().
    void shorten(Instant now, uint64_t request, Instant until) {
        requests_.shorten(now, request, until);
    }

 private:
    static constexpr size_t kRequests = 262144;
    static constexpr size_t kTargets = 65536;

    std::array<uint64_t, 2> hash_key_;
    StatelessTable<uint64_t, kRequests> requests_;
    StatelessTable<StatelessTarget, kTargets> targets_;
};

/// The server that a name was taken to mean, likewise.
using StatelessHops = StatelessTable<resolver::Hop, 262144>;

}  // namespace signalbox::proxy
