// The client transactions of one layer, and the execution of what their machines ask for.
// Implements: RFC 3261 §17.1, §17.1.4, §18.4, §9.1; RFC 6026 §7.2, §8.4
#include "transaction/client_transactions.h"

#include "transaction/ack_and_cancel.h"
#include "transaction/client_matching.h"
#include "transaction/invite_client.h"
#include "transaction/non_invite_client.h"

namespace signalbox::transaction {

using namespace client_action;

struct ClientTransactions::Step {
    uint8_t next;
    uint16_t actions;
    bool legal;
};

namespace {

bool is_invite(const ClientTransaction& transaction) {
    return transaction.machine == Machine::InviteClient;
}

bool is_reliable(const ClientTransaction& transaction) {
    return transport::is_reliable(transaction.flow.transport);
}

uint8_t terminated_state(const ClientTransaction& transaction) {
    return is_invite(transaction) ? static_cast<uint8_t>(InviteClientState::Terminated)
                                  : static_cast<uint8_t>(NonInviteClientState::Terminated);
}

uint8_t response_event(const ClientTransaction& transaction, int status) {
    return is_invite(transaction) ? static_cast<uint8_t>(invite_client_event(status))
                                  : static_cast<uint8_t>(non_invite_client_event(status));
}

uint8_t deadline_event(const ClientTransaction& transaction) {
    const uint8_t state = transaction.state;
    return is_invite(transaction)
               ? static_cast<uint8_t>(deadline_event(InviteClientState{state}))
               : static_cast<uint8_t>(deadline_event(NonInviteClientState{state}));
}

uint8_t retransmission_event(const ClientTransaction& transaction) {
    return is_invite(transaction) ? static_cast<uint8_t>(InviteClientEvent::TimerA)
                                  : static_cast<uint8_t>(NonInviteClientEvent::TimerE);
}

uint8_t transport_error_event(const ClientTransaction& transaction) {
    return is_invite(transaction) ? static_cast<uint8_t>(InviteClientEvent::TransportError)
                                  : static_cast<uint8_t>(NonInviteClientEvent::TransportError);
}

bool is_in(const ClientTransaction& transaction, InviteClientState state) {
    return is_invite(transaction) && transaction.state == static_cast<uint8_t>(state);
}

/// True when nothing was heard from the peer: Calling or Trying.
bool is_unheard(const ClientTransaction& transaction, uint8_t state) {
    return is_invite(transaction) ? state == static_cast<uint8_t>(InviteClientState::Calling)
                                  : state == static_cast<uint8_t>(NonInviteClientState::Trying);
}

/// How long the state lasts that these actions begin.
Duration state_time(const ClientTransaction& transaction, uint16_t actions) {
    const SipTimers& timers = *transaction.timers;
    if (actions & kArmTimerB) return timers.b;
    if (actions & kArmTimerF) return timers.f;
    if (actions & kArmTimerM) return timers.m;
    if (is_reliable(transaction)) return Duration{};
    return actions & kArmTimerD ? timers.d : timers.k;
}

constexpr uint16_t kDeadlines = kArmTimerB | kArmTimerD | kArmTimerF | kArmTimerK | kArmTimerM;
constexpr uint16_t kLingers = kArmTimerD | kArmTimerK | kArmTimerM;

}  // namespace

ClientTransactions::ClientTransactions(LayerResources& resources)
    : resources_(resources), slab_(2 * resources.transactions_max) {
    // Twice the limit: each INVITE may need a place for its CANCEL besides.
    CHECK(resources.transactions_max < 1u << (transmit_owner::kIndexBits - 1));
}

ClientStart ClientTransactions::reserve(sip::Method method, uint64_t loop_hash, uint64_t owner) {
    DCHECK(method != sip::Method::Ack);
    if (slab_.size() - own_cancels_ >= resources_.transactions_max) {
        resources_.counters.add(Counter::transactions_refused_limit_total);
        return {};
    }
    const ClientHandle client = slab_.emplace();
    ClientTransaction& transaction = *slab_.get(client);
    transaction.owner = owner;
    transaction.cookie = resources_.random.next();
    transaction.method = method;
    transaction.machine =
        method == sip::Method::Invite ? Machine::InviteClient : Machine::NonInviteClient;
    transaction.timer.set_owner(client.packed(), TimerSide::Client);

    BranchFields fields;
    fields.index = client.index;
    fields.generation = client.generation;
    fields.cookie = transaction.cookie;
    fields.loop_hash = loop_hash;
    fields.node = resources_.node;
    fields.shard = resources_.shard;
    return {client, make_branch(fields, resources_.keys)};
}

void ClientTransactions::send(Now now, ClientHandle client, const transport::Flow& flow,
                              std::string_view request, const SipTimers& timers,
                              transport::Transmits& out) {
    ClientTransaction* transaction = find_or_count(client);
    if (transaction == nullptr) return;
    CHECK(!transaction->is_sent);
    transaction->flow = flow;
    transaction->timers = &timers;
    if (transaction->method == sip::Method::Extension) {
        transaction->extension_hash = extension_method_hash(request.substr(0, request.find(' ')));
    }
    resources_.keep(transaction->kept, request);
    begin(now, client, *transaction, out);
}

void ClientTransactions::begin(Now now, ClientHandle client, ClientTransaction& transaction,
                               transport::Transmits& out) {
    const bool reliable = is_reliable(transaction);
    resources_.counters.add(Counter::client_transactions_total);
    transaction.is_sent = true;
    transmit(client, transaction, out);
    if (is_invite(transaction)) {
        const Transition<InviteClientState> start = start_invite_client(reliable);
        arm(now, transaction, start.actions);
        enter(client, transaction, static_cast<uint8_t>(start.next));
    } else {
        const Transition<NonInviteClientState> start = start_non_invite_client(reliable);
        arm(now, transaction, start.actions);
        enter(client, transaction, static_cast<uint8_t>(start.next));
    }
    if (reliable) list_unheard(client, transaction);
}

void ClientTransactions::release(ClientHandle client) {
    const ClientTransaction* transaction = find_or_count(client);
    if (transaction == nullptr) return;
    CHECK(!transaction->is_sent);
    erase(client);
}

void ClientTransactions::abandon(ClientHandle client) {
    ClientTransaction* transaction = find_or_count(client);
    if (transaction != nullptr) enter(client, *transaction, terminated_state(*transaction));
}

void ClientTransactions::set_owner(ClientHandle client, uint64_t owner) {
    ClientTransaction* transaction = find_or_count(client);
    if (transaction != nullptr) transaction->owner = owner;
}

bool ClientTransactions::is_pending(const ClientTransaction& transaction) {
    if (is_invite(transaction)) {
        return is_in(transaction, InviteClientState::Calling) ||
               is_in(transaction, InviteClientState::Proceeding);
    }
    return transaction.state != static_cast<uint8_t>(NonInviteClientState::Completed);
}

ClientHandle ClientTransactions::match(const sip::MessageView& response,
                                       const BranchFields& branch) const {
    ClientHandle client;
    const ClientTransaction* transaction = find_by_branch(branch, resources_, slab_, client);
    if (transaction == nullptr) return {};
    if (response.method() == sip::Method::Cancel && transaction->method == sip::Method::Invite) {
        client = transaction->cancel;
        transaction = slab_.get(client);
    }
    if (transaction == nullptr || !transaction->is_sent) return {};
    return is_method_of(*transaction, response) ? client : ClientHandle{};
}

ResponseMatch ClientTransactions::receive(Now now, const sip::MessageView& response,
                                          const BranchFields& branch, transport::Transmits& out) {
    const ClientHandle client = match(response, branch);
    ClientTransaction* transaction = slab_.get(client);
    if (transaction == nullptr) {
        resources_.counters.add(Counter::stray_responses_dropped_total);
        return {};
    }
    ResponseMatch result{ResponseMatch::Kind::Absorbed, client, transaction->owner};
    const bool is_own_cancel = transaction->is_own_cancel;
    const uint8_t event = response_event(*transaction, response.status());
    const bool is_passed = advance(now, client, event, &response, out) & kPassUp;
    if (!is_passed) resources_.counters.add(Counter::rx_response_retransmissions_total);
    if (is_passed && !is_own_cancel) result.kind = ResponseMatch::Kind::Pass;
    return result;
}

void ClientTransactions::on_timer(Now now, ClientHandle client, transport::Transmits& out) {
    const ClientTransaction* transaction = find_or_count(client);
    if (transaction == nullptr) return;
    const bool is_deadline = transaction->timer.is_deadline(now.monotonic);
    advance(now, client,
            is_deadline ? deadline_event(*transaction) : retransmission_event(*transaction),
            nullptr, out);
}

void ClientTransactions::on_transmit_failed(Now now, ClientHandle client,
                                            transport::Transmits& out) {
    const ClientTransaction* transaction = find_or_count(client);
    if (transaction == nullptr || !transaction->is_sent) return;
    advance(now, client, transport_error_event(*transaction), nullptr, out);
}

/// The peer may have read the request before the connection ended, or not: the same octets by
/// another connection serve both, because it absorbs them as a retransmission. A connection that
/// ends again, or cannot be opened, is a transport error.
void ClientTransactions::on_flow_closed(Now now, const transport::Flow& closed,
                                        transport::Transmits& out) {
    if (!transport::is_reliable(closed.transport)) return;
    for (size_t i = unheard_.size(); i-- > 0;) {
        if (i >= unheard_.size()) continue;
        const ClientHandle client = unheard_[i];
        ClientTransaction& transaction = *slab_.get(client);
        if (!went_by(transaction, closed)) continue;
        if (transaction.is_sent_again) {
            advance(now, client, transport_error_event(transaction), nullptr, out);
            continue;
        }
        transaction.is_sent_again = true;
        resources_.counters.add(Counter::tx_requests_sent_again_flow_closed_total);
        transmit(client, transaction, out);
    }
}

/// A flow that names no connection went by the one to its remote that this shard had.
bool ClientTransactions::went_by(const ClientTransaction& transaction,
                                 const transport::Flow& closed) const {
    const transport::Flow& flow = transaction.flow;
    if (flow.transport != closed.transport) return false;
    if (flow.connection != transport::Flow::kNoConnection) {
        return flow.shard == closed.shard && flow.connection == closed.connection &&
               flow.generation == closed.generation;
    }
    return closed.shard == resources_.shard && flow.remote == closed.remote &&
           flow.domain == closed.domain;
}

ClientTransactions::Step ClientTransactions::step(const ClientTransaction& transaction,
                                                  uint8_t event) {
    const bool reliable = is_reliable(transaction);
    if (is_invite(transaction)) {
        const auto t = transaction::step(InviteClientState{transaction.state},
                                         InviteClientEvent{event}, reliable);
        return {static_cast<uint8_t>(t.next), t.actions, t.legal};
    }
    const auto t = transaction::step(NonInviteClientState{transaction.state},
                                     NonInviteClientEvent{event}, reliable);
    return {static_cast<uint8_t>(t.next), t.actions, t.legal};
}

uint16_t ClientTransactions::advance(Now now, ClientHandle client, uint8_t event,
                                     const sip::MessageView* response, transport::Transmits& out) {
    ClientTransaction& transaction = *slab_.get(client);
    resources_.report(transaction.machine, transaction.state, event);
    const Step taken = step(transaction, event);
    if (!taken.legal) return 0;

    perform(now, client, transaction, taken.actions, response, out);
    const bool is_over =
        (taken.actions & kLingers) != 0 && state_time(transaction, taken.actions) == Duration{};
    enter(client, transaction, taken.next);
    if (is_over) {
        advance(now, client, deadline_event(transaction), nullptr, out);
    } else if (slab_.get(client) != nullptr && is_invite(transaction)) {
        settle_cancel(now, transaction, out);
    }
    return taken.actions;
}

void ClientTransactions::perform(Now now, ClientHandle client, ClientTransaction& transaction,
                                 uint16_t actions, const sip::MessageView* response,
                                 transport::Transmits& out) {
    if (actions & kSendAgain) {
        resources_.counters.add(Counter::tx_request_retransmissions_total);
        transmit(client, transaction, out);
    }
    if (actions & kSendAck) acknowledge(client, transaction, *response, out);
    if (actions & kReleaseRequest) resources_.release(transaction.kept);
    if (actions & kStopTimers) transaction.timer.stop(resources_.wheel);
    arm(now, transaction, actions);
    inform(client, transaction, actions);
}

void ClientTransactions::arm(Now now, ClientTransaction& transaction, uint16_t actions) {
    if ((actions & (kDeadlines | kRetransmissionTimers)) == 0) return;
    const SipTimers& timers = *transaction.timers;
    TransactionTimer& timer = transaction.timer;
    const Duration twice = 2 * timer.interval();
    if ((actions & kRetransmissionTimers) == 0) {
        timer.set_interval(Duration{});
    } else if (actions & kArmTimerEAtT2) {
        timer.set_interval(timers.t2);
    } else if (timer.interval() == Duration{}) {
        timer.set_interval(timers.t1);
    } else {
        timer.set_interval(actions & kArmTimerA ? twice : std::min(twice, timers.t2));
    }
    if (actions & kDeadlines) timer.set_deadline(now.monotonic + state_time(transaction, actions));
    timer.arm(resources_.wheel, now.monotonic);
}

void ClientTransactions::inform(ClientHandle client, const ClientTransaction& transaction,
                                uint16_t actions) {
    if ((actions & (kInformTimeout | kInformTransportError)) == 0) return;
    const bool is_timeout = actions & kInformTimeout;
    resources_.counters.add(is_timeout ? Counter::transaction_timeouts_total
                                       : Counter::transaction_transport_errors_total);
    if (transaction.is_own_cancel) return;
    using Kind = TransactionEvent::Kind;
    resources_.events.push({is_timeout ? Kind::ClientTimeout : Kind::ClientTransportError,
                            transaction.owner, client, ServerHandle{}});
}

void ClientTransactions::enter(ClientHandle client, ClientTransaction& transaction, uint8_t next) {
    transaction.state = next;
    if (!is_unheard(transaction, next)) unlist(transaction);
    if (next == terminated_state(transaction)) erase(client);
}

void ClientTransactions::list_unheard(ClientHandle client, ClientTransaction& transaction) {
    transaction.unheard_place = static_cast<uint32_t>(unheard_.size());
    unheard_.push_back(client);
}

/// The last one of the list takes its place.
void ClientTransactions::unlist(ClientTransaction& transaction) {
    const uint32_t place = transaction.unheard_place;
    if (place == ClientTransaction::kHeard) return;
    transaction.unheard_place = ClientTransaction::kHeard;
    const ClientHandle last = unheard_.back();
    unheard_.pop_back();
    if (place == unheard_.size()) return;
    unheard_[place] = last;
    slab_.get(last)->unheard_place = place;
}

void ClientTransactions::erase(ClientHandle client) {
    ClientTransaction& transaction = *slab_.get(client);
    // With the INVITE's record goes the branch by which responses to its CANCEL would be found.
    if (slab_.get(transaction.cancel) != nullptr) erase(transaction.cancel);
    if (transaction.is_own_cancel) --own_cancels_;
    unlist(transaction);
    resources_.release(transaction.kept);
    slab_.erase(client);
}

void ClientTransactions::transmit(ClientHandle client, const ClientTransaction& transaction,
                                  transport::Transmits& out) const {
    out.add(transaction.flow, transaction.kept.view(),
            transmit_owner::pack(transmit_owner::kClient, client));
}

void ClientTransactions::acknowledge(ClientHandle client, ClientTransaction& transaction,
                                     const sip::MessageView& response, transport::Transmits& out) {
    if (is_in(transaction, InviteClientState::Completed)) {
        resources_.counters.add(Counter::tx_request_retransmissions_total);
    } else {
        build_ack(transaction.kept.view(), response, scratch_);
        resources_.keep(transaction.kept, scratch_);
    }
    if (!transaction.kept.empty()) transmit(client, transaction, out);
}

void ClientTransactions::cancel(Now now, ClientHandle client, std::string_view reason,
                                transport::Transmits& out) {
    ClientTransaction* invite = find_or_count(client);
    if (invite == nullptr || !is_invite(*invite) || !invite->is_sent) return;
    if (!is_pending(*invite) || invite->cancel) return;
    build_cancel(invite->kept.view(), reason, scratch_);
    if (scratch_.empty()) return;

    invite->cancel = slab_.emplace();
    ClientTransaction& cancel = *slab_.get(invite->cancel);
    ++own_cancels_;
    cancel.method = sip::Method::Cancel;
    cancel.is_own_cancel = true;
    cancel.flow = invite->flow;
    cancel.timers = invite->timers;
    cancel.timer.set_owner(invite->cancel.packed(), TimerSide::Client);
    resources_.keep(cancel.kept, scratch_);
    settle_cancel(now, *invite, out);
}

void ClientTransactions::settle_cancel(Now now, ClientTransaction& invite,
                                       transport::Transmits& out) {
    const ClientTransaction* cancel = slab_.get(invite.cancel);
    if (cancel == nullptr || cancel->is_sent) return;
    if (is_in(invite, InviteClientState::Proceeding)) send_cancel(now, invite, out);
    // A final response made it needless; the handle stays, so that no second CANCEL is made.
    if (!is_pending(invite)) erase(invite.cancel);
}

void ClientTransactions::send_cancel(Now now, ClientTransaction& invite,
                                     transport::Transmits& out) {
    begin(now, invite.cancel, *slab_.get(invite.cancel), out);
    invite.timer.set_deadline(now.monotonic + 64 * invite.timers->t1);
    invite.timer.arm(resources_.wheel, now.monotonic);
}

ClientTransaction* ClientTransactions::find_or_count(ClientHandle client) {
    ClientTransaction* transaction = slab_.get(client);
    if (transaction == nullptr) resources_.counters.add(Counter::stale_handles_dropped_total);
    return transaction;
}

}  // namespace signalbox::transaction
