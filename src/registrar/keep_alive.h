// Keeps the way through a NAT open to the phones that do not do so themselves.
// Implements: RFC 3261 §11.1 (the request); RFC 4787 §4.3 (what it is for)
#pragma once

#include <cstdint>
#include <string>

#include "base/counters.h"
#include "base/random.h"
#include "base/time.h"
#include "base/timer_wheel.h"
#include "crypto/token.h"
#include "location/location.h"
#include "ports/outbox.h"
#include "ports/snapshot.h"

namespace signalbox::registrar {

/// The timer kind of this service.
inline constexpr uint16_t kKeepAliveTimer = 40;

/// Sends an OPTIONS to each phone for which location::needs_keep_alive() holds, once in
/// RegistrarSettings::nat_keep_alive: many routers forget a phone's mapping after 30 seconds, and
/// some count only what the phone sends, which is its answer. Each is sent once, without a
/// transaction: the next one follows anyway. The phones of a shard take their turns over the whole
/// interval. Single-threaded; one per shard; keeps nothing for each phone.
class KeepAlive final {
 public:
    struct Setup {
        uint16_t node = 0;
        uint8_t shard = 0;
    };
    /// All must outlive it.
    struct Services {
        location::Location& location;
        Counters& counters;
        Random& random;
        const crypto::TokenKeys& keys;
        TimerWheel& wheel;
    };
    KeepAlive(const Setup& setup, const Services& services) : setup_(setup), s_(services) {
        timer_.kind = kKeepAliveTimer;
    }
    KeepAlive(const KeepAlive&) = delete;
    KeepAlive& operator=(const KeepAlive&) = delete;

    /// Begins where a phone needs it now. To be called after each event.
    void watch(Now now, const ports::Snapshot& snapshot) {
        if (s_.location.has_phones_to_keep_alive() && !timer_.is_armed()) begin(now, snapshot);
    }
    /// Begins a round anew, by an interval that may have changed.
    void begin(Now now, const ports::Snapshot& snapshot);
    /// Handles a due timer of kind kKeepAliveTimer.
    void on_timer(Now now, const ports::Snapshot& snapshot, ports::Outbox& out);

 private:
    Instant due(uint32_t place, Duration interval) const;
    void ask_phones_at(Now now, uint32_t place, const ports::Snapshot& snapshot,
                       ports::Outbox& out);
    void ask(const location::Binding& binding, const ports::Snapshot& snapshot, ports::Outbox& out);

    Setup setup_;
    Services s_;
    Timer timer_;
    Instant round_begun_;
    uint32_t place_ = 0;  // of the location, where this round goes on
    std::string request_;
};

}  // namespace signalbox::registrar
