// The client transactions of one layer: their records, and the execution of what their machines ask
// for. Implements: RFC 3261 §17.1, §18.4, §9.1; RFC 6026 §7.2
#pragma once

#include <string>
#include <vector>

#include "base/slab.h"
#include "sip/header_values.h"
#include "sip/message_view.h"
#include "transaction/layer_resources.h"
#include "transaction/sip_timers.h"
#include "transaction/transaction_timer.h"
#include "transport/transmits.h"

namespace signalbox::transaction {

/// Owned by ClientTransactions, from reserve() until its machine is Terminated. Small, because half
/// a million linger.
struct ClientTransaction {
    static constexpr uint32_t kHeard = UINT32_MAX;

    TransactionTimer timer;
    PooledBytes kept;  // the request; once a failure came, its ACK; else nothing
    const SipTimers* timers = nullptr;
    uint64_t owner = 0;
    uint64_t cookie = 0;  // what the branch of a response must show
    ClientHandle cancel;  // of an INVITE: its CANCEL, once one was asked for; may be stale
    transport::Flow flow;
    uint32_t extension_hash = 0;      // of the method's text, where it is no known method
    uint32_t unheard_place = kHeard;  // in the list of those whose peer said nothing yet
    Machine machine = Machine::NonInviteClient;
    uint8_t state = 0;  // of the machine
    sip::Method method = sip::Method::Extension;
    bool is_sent = false;        // false: its place is reserved, its machine has not begun
    bool is_own_cancel = false;  // made here for an INVITE: nobody is told about it
    bool is_sent_again = false;  // its connection ended before any response, and it took another
};
static_assert(sizeof(ClientTransaction) <= 192);

/// The client's part of TransactionLayer; functions of the same name do the same.
class ClientTransactions final {
 public:
    explicit ClientTransactions(LayerResources& resources);

    ClientStart reserve(sip::Method method, uint64_t loop_hash, uint64_t owner);
    void send(Now now, ClientHandle client, const transport::Flow& flow, std::string_view request,
              const SipTimers& timers, transport::Transmits& out);
    void release(ClientHandle client);
    void cancel(Now now, ClientHandle client, std::string_view reason, transport::Transmits& out);
    void abandon(ClientHandle client);
    void set_owner(ClientHandle client, uint64_t owner);

    ResponseMatch receive(Now now, const sip::MessageView& response, const BranchFields& branch,
                          transport::Transmits& out);
    void on_timer(Now now, ClientHandle client, transport::Transmits& out);
    void on_transmit_failed(Now now, ClientHandle client, transport::Transmits& out);
    void on_flow_closed(Now now, const transport::Flow& closed, transport::Transmits& out);

    const ClientTransaction* find(ClientHandle client) const { return slab_.get(client); }
    static bool is_pending(const ClientTransaction& transaction);
    uint32_t count() const { return slab_.size(); }

 private:
    struct Step;
    static Step step(const ClientTransaction& transaction, uint8_t event);
    ClientTransaction* find_or_count(ClientHandle client);
    ClientHandle match(const sip::MessageView& response, const BranchFields& branch) const;

    uint16_t advance(Now now, ClientHandle client, uint8_t event, const sip::MessageView* response,
                     transport::Transmits& out);
    void perform(Now now, ClientHandle client, ClientTransaction& transaction, uint16_t actions,
                 const sip::MessageView* response, transport::Transmits& out);
    void arm(Now now, ClientTransaction& transaction, uint16_t actions);
    void inform(ClientHandle client, const ClientTransaction& transaction, uint16_t actions);
    void enter(ClientHandle client, ClientTransaction& transaction, uint8_t next);
    bool went_by(const ClientTransaction& transaction, const transport::Flow& closed) const;
    void list_unheard(ClientHandle client, ClientTransaction& transaction);
    void unlist(ClientTransaction& transaction);

    void begin(Now now, ClientHandle client, ClientTransaction& transaction,
               transport::Transmits& out);
    void transmit(ClientHandle client, const ClientTransaction& transaction,
                  transport::Transmits& out) const;
    void acknowledge(ClientHandle client, ClientTransaction& transaction,
                     const sip::MessageView& response, transport::Transmits& out);
    void send_cancel(Now now, ClientTransaction& invite, transport::Transmits& out);
    void settle_cancel(Now now, ClientTransaction& invite, transport::Transmits& out);
    void erase(ClientHandle client);

    LayerResources& resources_;
    Slab<ClientTransaction> slab_;
    uint32_t own_cancels_ =
        0;  // live records that the limit does not count: at most one for each INVITE
    std::vector<ClientHandle> unheard_;  // by streams, and without any response
    std::string scratch_;                // ACKs and CANCELs are built here
};

}  // namespace signalbox::transaction
