// The protocol core of one shard: proxy, registrar and user agent server put together; sans-I/O.
// Implements: RFC 3261 §8, §10, §16; RFC 3261 §11 (OPTIONS)
#pragma once

#include <memory>

#include "base/counters.h"
#include "base/random.h"
#include "base/time.h"
#include "crypto/token.h"
#include "ports/command.h"
#include "ports/outbox.h"
#include "ports/port_reply.h"
#include "ports/snapshot.h"
#include "transaction/machine_coverage.h"
#include "transport/packet.h"

namespace signalbox::core {

/// What a core is born with. Everything referred to must outlive the core.
struct CoreSetup {
    uint16_t node = 0;
    uint8_t shard = 0;
    uint8_t shards = 1;
    std::array<uint64_t, 2>
        seed{};  // of its Random: from the system, or from the simulation's seed
    const crypto::TokenKeys* keys = nullptr;           // shared by all shards, read-only
    const ports::Snapshot* snapshot = nullptr;         // the first
    transaction::MachineCoverage* coverage = nullptr;  // may be null
};

/// One per shard; single-threaded; deterministic: the same calls in the same order give the same
/// Outbox. Every call appends to `out`, which the caller empties before the next call or later.
class SipCore final {
 public:
    SipCore(Now now, const CoreSetup& setup);
    ~SipCore();
    SipCore(const SipCore&) = delete;
    SipCore& operator=(const SipCore&) = delete;

    /// A datagram, or one message framed from a stream. Octets that are no SIP message are counted
    /// and dropped, or answered 400.
    void on_packet(Now now, const transport::Packet& packet, ports::Outbox& out);
    /// Takes note of how long `packet` has waited; true when it must be dropped, before anything
    /// else is done about it. on_packet() asks this itself; a driver that looks for a packet's
    /// owner first asks before, and sets `is_examined` for its own core.
    bool drops_unread(Now now, const transport::Packet& packet, ports::Outbox& out);
    /// A stream ended. Bindings that came by it know it.
    void on_flow_closed(Now now, const transport::Flow& flow, transport::FlowError why,
                        ports::Outbox& out);
    void on_port_reply(Now now, const ports::PortReply& reply, ports::Outbox& out);
    void on_command(Now now, ports::Command command, ports::Outbox& out);
    /// Handles what is due, at most a bounded batch: call again while next_deadline() is not after
    /// `now`.
    void on_time(Now now, ports::Outbox& out);
    /// When on_time() must be called at the latest; kNever when nothing waits.
    Instant next_deadline() const;

    const Counters& counters() const;
    ports::Gauges gauges() const;

 private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

/// The shard that must handle `bytes`: for responses by the branch of the top Via, for REGISTER by
/// the address of record, else by Call-ID; `fallback` when nothing can be read. A peek, not a
/// parse: a core that gets a packet of another shard handles it all the same.
uint8_t owner_shard(std::string_view bytes, uint8_t shards, uint8_t fallback);

}  // namespace signalbox::core
