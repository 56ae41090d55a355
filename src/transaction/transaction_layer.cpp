// The layer's surface: each call goes to the client's or the server's side.
// Implements: RFC 3261 §17; RFC 6026; RFC 4320 §4
#include "transaction/transaction_layer.h"

#include <memory>
#include <vector>

#include "transaction/client_transactions.h"
#include "transaction/server_transactions.h"

namespace signalbox::transaction {

struct TransactionLayer::Impl {
    explicit Impl(const LayerResources& given) : resources(given) {}

    /// Transactions linger longer than the snapshot that they began with may live, so that the
    /// layer keeps each different set of timers that it has ever seen: one for each change of the
    /// configuration.
    const SipTimers& keep(const SipTimers& timers) {
        for (auto kept = timer_sets.rbegin(); kept != timer_sets.rend(); ++kept) {
            if (**kept == timers) return **kept;
        }
        timer_sets.push_back(std::make_unique<const SipTimers>(timers));
        return *timer_sets.back();
    }

    LayerResources resources;
    std::vector<std::unique_ptr<const SipTimers>> timer_sets;
    ServerTransactions servers{resources};
    ClientTransactions clients{resources};
};

TransactionLayer::TransactionLayer(const Setup& setup, TimerWheel& wheel, BlockPool& pool,
                                   Random& random, const crypto::TokenKeys& keys,
                                   Counters& counters, MachineCoverage* coverage)
    : impl_(std::make_unique<Impl>(LayerResources{wheel, pool, random, keys, counters, coverage,
                                                  setup.node, setup.shard,
                                                  setup.transactions_max})) {}

TransactionLayer::~TransactionLayer() = default;

ServerKey TransactionLayer::expect_request(const sip::MessageView& request,
                                           const sip::Via& via) const {
    return impl_->servers.expect(request, via);
}

RequestMatch TransactionLayer::receive_request(Now now, const ReceivedRequest& request,
                                               transport::Transmits& out) {
    return impl_->servers.receive(now, request, out);
}

ServerHandle TransactionLayer::create_server(Now now, const ReceivedRequest& request,
                                             const transport::Flow& response_flow,
                                             const SipTimers& timers, uint64_t owner) {
    return impl_->servers.create(now, request, response_flow, impl_->keep(timers), owner);
}

bool TransactionLayer::respond(Now now, ServerHandle server, int status, std::string_view response,
                               transport::Transmits& out) {
    return impl_->servers.respond(now, server, status, response, out);
}

void TransactionLayer::abandon(Now now, ServerHandle server, transport::Transmits& out) {
    impl_->servers.abandon(now, server, out);
}

uint64_t TransactionLayer::owner(ServerHandle server) const {
    const ServerTransaction* transaction = impl_->servers.find(server);
    return transaction == nullptr ? 0 : transaction->owner;
}

bool TransactionLayer::is_live(ServerHandle server) const {
    return impl_->servers.find(server) != nullptr;
}

transport::Flow TransactionLayer::server_flow(ServerHandle server) const {
    const ServerTransaction* transaction = impl_->servers.find(server);
    return transaction == nullptr ? transport::Flow{} : transaction->flow;
}

bool TransactionLayer::is_pending(ServerHandle server) const {
    const ServerTransaction* transaction = impl_->servers.find(server);
    return transaction != nullptr && ServerTransactions::is_pending(*transaction);
}

ClientStart TransactionLayer::reserve_client(sip::Method method, uint64_t loop_hash,
                                             uint64_t owner) {
    return impl_->clients.reserve(method, loop_hash, owner);
}

void TransactionLayer::send_request(Now now, ClientHandle client, const transport::Flow& flow,
                                    std::string_view request, const SipTimers& timers,
                                    transport::Transmits& out) {
    impl_->clients.send(now, client, flow, request, impl_->keep(timers), out);
}

void TransactionLayer::release_client(ClientHandle client) {
    impl_->clients.release(client);
}

void TransactionLayer::cancel(Now now, ClientHandle client, std::string_view reason,
                              transport::Transmits& out) {
    impl_->clients.cancel(now, client, reason, out);
}

void TransactionLayer::abandon(ClientHandle client) {
    impl_->clients.abandon(client);
}

std::string_view TransactionLayer::sent_request(ClientHandle client) const {
    const ClientTransaction* transaction = impl_->clients.find(client);
    const bool is_kept = transaction != nullptr && ClientTransactions::is_pending(*transaction);
    return is_kept ? transaction->kept.view() : std::string_view{};
}

bool TransactionLayer::is_live(ClientHandle client) const {
    return impl_->clients.find(client) != nullptr;
}

bool TransactionLayer::is_pending(ClientHandle client) const {
    const ClientTransaction* transaction = impl_->clients.find(client);
    return transaction != nullptr && ClientTransactions::is_pending(*transaction);
}

void TransactionLayer::set_owner(ClientHandle client, uint64_t owner) {
    impl_->clients.set_owner(client, owner);
}

ResponseMatch TransactionLayer::receive_response(Now now, const sip::MessageView& response,
                                                 const BranchFields& branch,
                                                 transport::Transmits& out) {
    return impl_->clients.receive(now, response, branch, out);
}

void TransactionLayer::on_timer(Now now, const TimerDue& due, transport::Transmits& out) {
    switch (static_cast<TimerSide>(due.kind)) {
        case TimerSide::Client:
            impl_->clients.on_timer(now, ClientHandle::unpack(due.owner), out);
            return;
        case TimerSide::Server:
            impl_->servers.on_timer(now, ServerHandle::unpack(due.owner), out);
            return;
    }
}

void TransactionLayer::on_transmit_failed(Now now, uint64_t transmit_owner,
                                          transport::Transmits& out) {
    const uint64_t side = transmit_owner::side(transmit_owner);
    if (side == transmit_owner::kClient) {
        impl_->clients.on_transmit_failed(
            now, transmit_owner::unpack<ClientTransaction>(transmit_owner), out);
    } else if (side == transmit_owner::kServer) {
        impl_->servers.on_transmit_failed(
            now, transmit_owner::unpack<ServerTransaction>(transmit_owner), out);
    }
}

void TransactionLayer::on_flow_closed(Now now, const transport::Flow& closed,
                                      transport::Transmits& out) {
    impl_->clients.on_flow_closed(now, closed, out);
}

bool TransactionLayer::pop_event(TransactionEvent& event) {
    return impl_->resources.events.pop(event);
}

uint32_t TransactionLayer::server_count() const {
    return impl_->servers.count();
}
uint32_t TransactionLayer::client_count() const {
    return impl_->clients.count();
}
uint32_t TransactionLayer::unacknowledged_count() const {
    return impl_->servers.unacknowledged_count();
}
size_t TransactionLayer::bytes_kept() const {
    return impl_->resources.bytes_kept;
}

}  // namespace signalbox::transaction
