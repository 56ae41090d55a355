// All transactions of one shard: matching, the four machines, lingering records, and the timers
// that drive them. Implements: RFC 3261 §17; RFC 6026; RFC 4320 §4; RFC 3261 §9
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include "base/block_pool.h"
#include "base/counters.h"
#include "base/random.h"
#include "base/timer_wheel.h"
#include "sip/header_values.h"
#include "sip/message_view.h"
#include "transaction/branch.h"
#include "transaction/machine_coverage.h"
#include "transaction/sip_timers.h"
#include "transaction/transaction_values.h"
#include "transport/transmits.h"

namespace signalbox::transaction {

/// Single-threaded; one per shard; sans-I/O. It owns every transaction: a server transaction lives
/// from create_server() and a client transaction from reserve_client() until its machine reaches
/// Terminated. After the final response a transaction keeps only its key, its flow and the octets
/// that it may have to repeat. `owner` values are the transaction user's, given back with events
/// and responses. A late call with a stale handle does nothing, or says so in its result.
class TransactionLayer final {
 public:
    struct Setup {
        uint16_t node = 0;
        uint8_t shard = 0;
        uint32_t transactions_max = 1'000'000;  // of each side
    };
    /// All references must outlive the layer. `coverage` may be null.
    TransactionLayer(const Setup& setup, TimerWheel& wheel, BlockPool& pool, Random& random,
                     const crypto::TokenKeys& keys, Counters& counters, MachineCoverage* coverage);
    ~TransactionLayer();

    // --- requests that arrive

    /// Makes the key by which receive_request() will look up the request with that top Via, and has
    /// the processor fetch the place: among a million transactions it is far away, and who checks
    /// the rest of the request meanwhile does not wait for it. The request need not be checked yet.
    ServerKey expect_request(const sip::MessageView& request, const sip::Via& via) const;

    /// Looks up `request` (checked by check_message) by RFC 3261 §17.2.3, also the RFC 2543 way
    /// without the magic cookie, and lets the matching machine act.
    RequestMatch receive_request(Now now, const ReceivedRequest& request,
                                 transport::Transmits& out);

    /// Begins a server transaction for a New request that is not an ACK. Returns null when the
    /// limit is reached: answer 503 statelessly. A request that has a transaction already gets null
    /// too: after a pause, ask receive_request() again first. `response_flow` is where its
    /// responses go; `timers`, resolved(), are copied.
    ServerHandle create_server(Now now, const ReceivedRequest& request,
                               const transport::Flow& response_flow, const SipTimers& timers,
                               uint64_t owner);

    /// Sends `response` (rendered, `status` its code) through the transaction. False when the
    /// machine does not take it: stale handle, or a second final response to other than INVITE 2xx.
    /// The handle may be stale afterwards: on reliable transports a final response can end the
    /// transaction at once. Further 2xx to an INVITE in Accepted pass (RFC 6026 §7.1).
    bool respond(Now now, ServerHandle server, int status, std::string_view response,
                 transport::Transmits& out);

    /// The non-INVITE transaction will get no final response (RFC 4320 §4.2). Retransmissions that
    /// still come are absorbed without a word for 64*T1; over a reliable transport, where none
    /// come, it ends at once.
    void abandon(Now now, ServerHandle server, transport::Transmits& out);

    /// What create_server() was given; 0 for a stale handle.
    uint64_t owner(ServerHandle server) const;
    bool is_live(ServerHandle server) const;
    /// Where its responses go.
    transport::Flow server_flow(ServerHandle server) const;
    /// True while a final response is owed.
    bool is_pending(ServerHandle server) const;

    // --- requests that we send

    /// Takes a place for a request of `method` and makes its branch.
    ClientStart reserve_client(sip::Method method, uint64_t loop_hash, uint64_t owner);
    /// Sends `request`, rendered with that branch, over `flow` and starts its timers.
    void send_request(Now now, ClientHandle client, const transport::Flow& flow,
                      std::string_view request, const SipTimers& timers, transport::Transmits& out);
    /// Gives a reserved place back unsent.
    void release_client(ClientHandle client);

    /// Cancels a pending INVITE: sends CANCEL at once when a provisional response has come, else as
    /// soon as one comes (RFC 3261 §9.1); its response is absorbed. `reason` is the value of a
    /// Reason header field, or empty. A second call does nothing.
    void cancel(Now now, ClientHandle client, std::string_view reason, transport::Transmits& out);

    /// Ends a client transaction at once without a word to its owner (Timer C after the CANCEL had
    /// no effect).
    void abandon(ClientHandle client);

    /// The request as it was sent; empty once it is not kept any more. Valid until the next call.
    std::string_view sent_request(ClientHandle client) const;
    /// False for a stale handle.
    bool is_live(ClientHandle client) const;
    /// True while no final response was received.
    bool is_pending(ClientHandle client) const;
    /// Changes whom a client transaction tells: for 2xx that come when its context is gone.
    void set_owner(ClientHandle client, uint64_t owner);

    // --- responses that arrive

    /// Finds the client transaction by the branch of the top Via, as read_branch() gave it (slot,
    /// generation and cookie must be right), and the CSeq method, and lets its machine act: an ACK
    /// for a non-2xx final response is sent here. A further 2xx in Accepted is Pass.
    ResponseMatch receive_response(Now now, const sip::MessageView& response,
                                   const BranchFields& branch, transport::Transmits& out);

    // --- time and transport

    /// Handles a due timer whose `kind` belongs to this layer (kinds 0 to 31).
    void on_timer(Now now, const TimerDue& due, transport::Transmits& out);
    /// A Transmit of ours failed (its `owner` was set by this layer).
    void on_transmit_failed(Now now, uint64_t transmit_owner, transport::Transmits& out);
    /// A stream connection ended. Requests that went by it and have no response are sent once more,
    /// by a new connection where their flow allows one; the second time it counts as a transport
    /// error (RFC 3261 §17.1.4, §18.4). Of flows that name no connection, those of this shard.
    void on_flow_closed(Now now, const transport::Flow& closed, transport::Transmits& out);
    bool pop_event(TransactionEvent& event);

    uint32_t server_count() const;
    uint32_t client_count() const;
    /// INVITE server transactions whose failure has not been acknowledged yet.
    uint32_t unacknowledged_count() const;
    size_t bytes_kept() const;

 private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace signalbox::transaction
