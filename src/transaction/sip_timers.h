// Every timer of SIP as data, with the RFC's defaults. Implements: RFC 3261 Table 4; RFC 6026 §7,
// §8; RFC 4320 §4.1
#pragma once

#include <algorithm>

#include "base/time.h"

namespace signalbox::transaction {

/// Zero in `b` to `m` means "as the RFC derives it from t1, t2 and t4". Immutable part of a
/// snapshot.
struct SipTimers {
    Duration t1 = std::chrono::milliseconds(500);
    Duration t2 = std::chrono::seconds(4);
    Duration t4 = std::chrono::seconds(5);
    Duration b{};  // INVITE client gives up: 64*T1
    Duration c =
        std::chrono::seconds(185);  // proxy INVITE without a final response: more than 3 min
    Duration d{};  // INVITE client absorbs failures: at least 32 s; 0 s on reliable transports
    Duration f{};  // non-INVITE client gives up: 64*T1
    Duration h{};  // INVITE server waits for the ACK: 64*T1
    Duration i{};  // INVITE server absorbs ACKs: T4; 0 s on reliable transports
    Duration j{};  // non-INVITE server absorbs requests: 64*T1; 0 s on reliable transports
    Duration k{};  // non-INVITE client absorbs responses: T4; 0 s on reliable transports
    Duration l{};  // INVITE server in Accepted: 64*T1 (RFC 6026)
    Duration m{};  // INVITE client in Accepted: 64*T1 (RFC 6026)

    friend bool operator==(const SipTimers&, const SipTimers&) = default;

    /// The same with every zero replaced by what the RFC derives.
    SipTimers resolved() const {
        SipTimers r = *this;
        const auto derive = [](Duration& timer, Duration value) {
            if (timer == Duration{}) timer = value;
        };
        derive(r.b, 64 * t1);
        derive(r.d, std::max<Duration>(64 * t1, std::chrono::seconds(32)));
        derive(r.f, 64 * t1);
        derive(r.h, 64 * t1);
        derive(r.i, t4);
        derive(r.j, 64 * t1);
        derive(r.k, t4);
        derive(r.l, 64 * t1);
        derive(r.m, 64 * t1);
        return r;
    }
};

}  // namespace signalbox::transaction
