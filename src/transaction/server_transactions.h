// The server transactions of one layer: their records, and the execution of what their machines ask
// for. Implements: RFC 3261 §17.2, §9.2; RFC 6026 §7.1; RFC 4320 §4.1
#pragma once

#include <boost/unordered/unordered_flat_map.hpp>

#include "base/slab.h"
#include "transaction/layer_resources.h"
#include "transaction/server_matching.h"
#include "transaction/sip_timers.h"
#include "transaction/transaction_timer.h"
#include "transport/transmits.h"

namespace signalbox::transaction {

/// Owned by ServerTransactions, from create() until its machine is Terminated. Small, because half
/// a million linger.
struct ServerTransaction {
    TransactionTimer timer;
    PooledBytes kept;  // the last response, where it may have to be repeated
    const SipTimers* timers = nullptr;
    uint64_t owner = 0;
    ServerKey key;
    transport::Flow flow;  // where the responses go
    Machine machine = Machine::NonInviteServer;
    uint8_t state = 0;       // of the machine
    bool is_legacy = false;  // came without the magic cookie (RFC 2543)
};
static_assert(sizeof(ServerTransaction) <= 192);

/// The server's part of TransactionLayer; functions of the same name do the same.
class ServerTransactions final {
 public:
    explicit ServerTransactions(LayerResources& resources);

    ServerKey expect(const sip::MessageView& request, const sip::Via& via) const;
    RequestMatch receive(Now now, const ReceivedRequest& request, transport::Transmits& out);
    ServerHandle create(Now now, const ReceivedRequest& request,
                        const transport::Flow& response_flow, const SipTimers& timers,
                        uint64_t owner);
    bool respond(Now now, ServerHandle server, int status, std::string_view response,
                 transport::Transmits& out);
    void on_timer(Now now, ServerHandle server, transport::Transmits& out);
    void abandon(Now now, ServerHandle server, transport::Transmits& out);
    void on_transmit_failed(Now now, ServerHandle server, transport::Transmits& out);

    const ServerTransaction* find(ServerHandle server) const { return slab_.get(server); }
    static bool is_pending(const ServerTransaction& transaction);
    uint32_t count() const { return slab_.size(); }
    uint32_t unacknowledged_count() const { return unacknowledged_; }

 private:
    struct Step;
    /// What the ACK of an INVITE without the magic cookie is found by.
    struct LegacyKeys {
        ServerKey part;
        ServerKey ack;
        bool has_ack = false;  // a final response has given the To tag
    };

    ServerKey key_of(const ReceivedRequest& request) const;
    static Step step(const ServerTransaction& transaction, uint8_t event);
    ServerTransaction* find_or_count(ServerHandle server);
    ServerHandle find_cancelled(const ReceivedRequest& cancel) const;
    RequestMatch receive_ack(Now now, ServerHandle server, transport::Transmits& out);

    Step advance(Now now, ServerHandle server, uint8_t event, std::string_view response,
                 transport::Transmits& out);
    void perform(Now now, ServerHandle server, ServerTransaction& transaction, uint16_t actions,
                 std::string_view response, transport::Transmits& out);
    void arm(Now now, ServerTransaction& transaction, uint16_t actions);
    void inform(ServerHandle server, const ServerTransaction& transaction, uint16_t actions);
    void enter(ServerHandle server, ServerTransaction& transaction, uint8_t next);

    void transmit(ServerHandle server, const ServerTransaction& transaction,
                  std::string_view response, transport::Transmits& out) const;
    void note_legacy_ack_key(ServerHandle server, std::string_view response);
    void erase(ServerHandle server);

    LayerResources& resources_;
    ServerMatching matching_;
    ServerIndex index_;
    Slab<ServerTransaction> slab_;
    uint32_t unacknowledged_ = 0;                             // INVITE transactions in Completed
    boost::unordered_flat_map<uint64_t, LegacyKeys> legacy_;  // by packed handle; old peers only
};

}  // namespace signalbox::transaction
