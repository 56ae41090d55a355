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
    /// time is not over.
    bool note(Instant now, uint64_t request, const Choice& choice, Instant until) {
        if (sets_.empty()) sets_.resize(sets_count_);
        Set& set = sets_[request % sets_count_];
        const auto place = std::find_if(set.begin(), set.end(),
                                        [now](const Entry& entry) { return entry.until <= now; });
        if (place == set.end()) return false;
        *place = {request, until, choice};
        return true;
    }

 private:
    static constexpr size_t kWays = 4;
    struct Entry {
        uint64_t request = 0;
        Instant until{};
        Choice choice{};
    };
    using Set = std::array<Entry, kWays>;

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

/// How long a request's choice holds: an INVITE may ring until Timer C ends, and its failure waits
/// for the ACK until Timer H does; any other request is sent again until Timer F ends.
inline Duration stateless_life(const IncomingRequest& request) {
    const transaction::SipTimers& timers = request.snapshot.timers;
    return request.method() == sip::Method::Invite ? timers.c + timers.h : timers.f;
}

/// The phone that a request was sent to: its retransmissions, the CANCEL of an INVITE and the ACK
/// to its failure find it, whatever has been registered since.
using StatelessChoices = StatelessTable<StatelessTarget, 65536>;

/// The server that a name was taken to mean, likewise.
using StatelessHops = StatelessTable<resolver::Hop, 65536>;

}  // namespace signalbox::proxy
