// The server transactions of one layer, and the execution of what their machines ask for.
// Implements: RFC 3261 §17.2, §17.2.4, §9.2; RFC 6026 §7.1; RFC 4320 §4.1
#include "transaction/server_transactions.h"

#include <array>

#include "transaction/invite_server.h"
#include "transaction/non_invite_server.h"

namespace signalbox::transaction {

using namespace server_action;

struct ServerTransactions::Step {
    uint8_t next;
    uint16_t actions;
    bool legal;
};

namespace {

bool is_invite(const ServerTransaction& transaction) {
    return transaction.machine == Machine::InviteServer;
}

bool is_reliable(const ServerTransaction& transaction) {
    return transport::is_reliable(transaction.flow.transport);
}

bool awaits_ack(const ServerTransaction& transaction) {
    return is_invite(transaction) &&
           transaction.state == static_cast<uint8_t>(InviteServerState::Completed);
}

uint8_t terminated_state(const ServerTransaction& transaction) {
    return is_invite(transaction) ? static_cast<uint8_t>(InviteServerState::Terminated)
                                  : static_cast<uint8_t>(NonInviteServerState::Terminated);
}

uint8_t response_event(const ServerTransaction& transaction, int status) {
    return is_invite(transaction) ? static_cast<uint8_t>(invite_server_event(status))
                                  : static_cast<uint8_t>(non_invite_server_event(status));
}

uint8_t request_event(const ServerTransaction& transaction) {
    return is_invite(transaction) ? static_cast<uint8_t>(InviteServerEvent::Request)
                                  : static_cast<uint8_t>(NonInviteServerEvent::Request);
}

uint8_t transport_error_event(const ServerTransaction& transaction) {
    return is_invite(transaction) ? static_cast<uint8_t>(InviteServerEvent::TransportError)
                                  : static_cast<uint8_t>(NonInviteServerEvent::TransportError);
}

uint8_t deadline_event(const ServerTransaction& transaction) {
    const uint8_t state = transaction.state;
    return is_invite(transaction)
               ? static_cast<uint8_t>(deadline_event(InviteServerState{state}))
               : static_cast<uint8_t>(deadline_event(NonInviteServerState{state}));
}

/// How long the state lasts that these actions begin; for kArmTryingDue until the 100 is due.
Duration state_time(const ServerTransaction& transaction, uint16_t actions) {
    const SipTimers& timers = *transaction.timers;
    if (actions & kArmTimerH) return timers.h;
    if (actions & kArmTimerL) return timers.l;
    if (actions & kArmTryingDue) return trying_due_after(timers);
    if (is_reliable(transaction)) return Duration{};
    return actions & kArmTimerI ? timers.i : timers.j;
}

constexpr uint16_t kLingers = kArmTimerI | kArmTimerJ | kArmTimerL;
constexpr uint16_t kDeadlines = kLingers | kArmTimerH | kArmTryingDue;

/// A CANCEL may name any request but ACK and CANCEL (RFC 3261 §9.2); of a method that we do not
/// know it cannot be told by its branch.
constexpr std::array kCancellable = {
    sip::Method::Invite, sip::Method::Bye,       sip::Method::Options, sip::Method::Register,
    sip::Method::Prack,  sip::Method::Subscribe, sip::Method::Notify,  sip::Method::Publish,
    sip::Method::Info,   sip::Method::Refer,     sip::Method::Message, sip::Method::Update};

bool ends_at_once(const ServerTransaction& transaction, uint16_t actions) {
    return (actions & kLingers) != 0 && state_time(transaction, actions) == Duration{};
}

}  // namespace

ServerTransactions::ServerTransactions(LayerResources& resources)
    : resources_(resources), matching_(resources.random), slab_(resources.transactions_max) {}

ServerKey ServerTransactions::expect(const sip::MessageView& request, const sip::Via& via) const {
    const ServerKey key = matching_.key(request, via);
    index_.prefetch(key);
    return key;
}

ServerKey ServerTransactions::key_of(const ReceivedRequest& request) const {
    return request.key == ServerKey{} ? matching_.key(request.message, request.via) : request.key;
}

RequestMatch ServerTransactions::receive(Now now, const ReceivedRequest& request,
                                         transport::Transmits& out) {
    const ServerHandle server = index_.find(key_of(request));
    const ServerTransaction* transaction = slab_.get(server);
    if (transaction == nullptr) {
        RequestMatch match;
        if (request.message.method() == sip::Method::Cancel) {
            match.cancelled = find_cancelled(request);
        }
        return match;
    }
    if (request.message.method() == sip::Method::Ack) return receive_ack(now, server, out);
    resources_.counters.add(Counter::rx_request_retransmissions_total);
    advance(now, server, request_event(*transaction), {}, out);
    return {RequestMatch::Kind::Absorbed, {}, {}};
}

ServerHandle ServerTransactions::find_cancelled(const ReceivedRequest& cancel) const {
    for (const sip::Method method : kCancellable) {
        const ServerHandle found =
            index_.find(matching_.cancelled_key(cancel.message, cancel.via, method));
        if (found) return found;
    }
    return {};
}

RequestMatch ServerTransactions::receive_ack(Now now, ServerHandle server,
                                             transport::Transmits& out) {
    const Step taken = advance(now, server, static_cast<uint8_t>(InviteServerEvent::Ack), {}, out);
    if (taken.actions & kPassUp) return {RequestMatch::Kind::New, {}, server};
    if (!taken.legal) resources_.counters.add(Counter::stray_acks_dropped_total);
    return {RequestMatch::Kind::Absorbed, {}, {}};
}

ServerHandle ServerTransactions::create(Now now, const ReceivedRequest& request,
                                        const transport::Flow& response_flow,
                                        const SipTimers& timers, uint64_t owner) {
    const sip::Method method = request.message.method();
    CHECK(method != sip::Method::Ack);
    const ServerHandle server = slab_.emplace();
    if (!server) {
        resources_.counters.add(Counter::transactions_refused_limit_total);
        return {};
    }
    ServerTransaction& transaction = *slab_.get(server);
    transaction.key = key_of(request);
    if (!index_.insert(transaction.key, server)) {
        slab_.erase(server);
        return {};
    }
    resources_.counters.add(Counter::server_transactions_total);
    transaction.timers = &timers;
    transaction.owner = owner;
    transaction.flow = response_flow;
    transaction.timer.set_owner(server.packed(), TimerSide::Server);
    if (method == sip::Method::Invite) {
        transaction.machine = Machine::InviteServer;
        enter(server, transaction, static_cast<uint8_t>(start_invite_server().next));
        if (!request.via.has_magic_cookie()) {
            transaction.is_legacy = true;
            legacy_[server.packed()].part = matching_.legacy_part(request.message, request.via);
        }
    } else {
        const Transition<NonInviteServerState> start = start_non_invite_server();
        arm(now, transaction, start.actions);
        enter(server, transaction, static_cast<uint8_t>(start.next));
    }
    return server;
}

bool ServerTransactions::respond(Now now, ServerHandle server, int status,
                                 std::string_view response, transport::Transmits& out) {
    DCHECK(status >= 100 && status <= 699);
    const ServerTransaction* transaction = find_or_count(server);
    if (transaction == nullptr) return false;
    if (transaction->is_legacy && status >= 200) note_legacy_ack_key(server, response);
    return advance(now, server, response_event(*transaction, status), response, out).legal;
}

bool ServerTransactions::is_pending(const ServerTransaction& transaction) {
    if (is_invite(transaction)) {
        return transaction.state == static_cast<uint8_t>(InviteServerState::Proceeding);
    }
    return transaction.state != static_cast<uint8_t>(NonInviteServerState::Completed);
}

void ServerTransactions::on_timer(Now now, ServerHandle server, transport::Transmits& out) {
    const ServerTransaction* transaction = find_or_count(server);
    if (transaction == nullptr) return;
    const bool is_deadline = transaction->timer.is_deadline(now.monotonic);
    // Only the INVITE machine retransmits by itself.
    advance(now, server,
            is_deadline ? deadline_event(*transaction)
                        : static_cast<uint8_t>(InviteServerEvent::TimerG),
            {}, out);
}

void ServerTransactions::on_transmit_failed(Now now, ServerHandle server,
                                            transport::Transmits& out) {
    const ServerTransaction* transaction = find_or_count(server);
    if (transaction == nullptr) return;
    advance(now, server, transport_error_event(*transaction), {}, out);
}

ServerTransactions::Step ServerTransactions::step(const ServerTransaction& transaction,
                                                  uint8_t event) {
    const bool reliable = is_reliable(transaction);
    if (is_invite(transaction)) {
        const auto t = transaction::step(InviteServerState{transaction.state},
                                         InviteServerEvent{event}, reliable);
        return {static_cast<uint8_t>(t.next), t.actions, t.legal};
    }
    const auto t = transaction::step(NonInviteServerState{transaction.state},
                                     NonInviteServerEvent{event}, reliable);
    return {static_cast<uint8_t>(t.next), t.actions, t.legal};
}

ServerTransactions::Step ServerTransactions::advance(Now now, ServerHandle server, uint8_t event,
                                                     std::string_view response,
                                                     transport::Transmits& out) {
    ServerTransaction& transaction = *slab_.get(server);
    resources_.report(transaction.machine, transaction.state, event);
    const Step taken = step(transaction, event);
    if (!taken.legal) return taken;

    const bool is_over = ends_at_once(transaction, taken.actions);
    perform(now, server, transaction, taken.actions, response, out);
    enter(server, transaction, taken.next);
    if (is_over) advance(now, server, deadline_event(transaction), {}, out);
    return taken;
}

void ServerTransactions::perform(Now now, ServerHandle server, ServerTransaction& transaction,
                                 uint16_t actions, std::string_view response,
                                 transport::Transmits& out) {
    if (actions & kSend) transmit(server, transaction, response, out);
    if ((actions & kSendAgain) && !transaction.kept.empty()) {
        resources_.counters.add(Counter::tx_response_retransmissions_total);
        transmit(server, transaction, transaction.kept.view(), out);
    }
    if ((actions & kKeep) && !ends_at_once(transaction, actions)) {
        resources_.keep(transaction.kept, response);
    }
    if (actions & kRelease) resources_.release(transaction.kept);
    if (actions & kStopTimers) transaction.timer.stop(resources_.wheel);
    arm(now, transaction, actions);
    inform(server, transaction, actions);
}

void ServerTransactions::arm(Now now, ServerTransaction& transaction, uint16_t actions) {
    if ((actions & (kDeadlines | kRetransmissionTimers)) == 0) return;
    const SipTimers& timers = *transaction.timers;
    TransactionTimer& timer = transaction.timer;
    if ((actions & kArmTimerG) == 0) {
        timer.set_interval(Duration{});
    } else if (timer.interval() == Duration{}) {
        timer.set_interval(timers.t1);
    } else {
        timer.set_interval(std::min(2 * timer.interval(), timers.t2));
    }
    if (actions & kDeadlines) timer.set_deadline(now.monotonic + state_time(transaction, actions));
    timer.arm(resources_.wheel, now.monotonic);
}

void ServerTransactions::inform(ServerHandle server, const ServerTransaction& transaction,
                                uint16_t actions) {
    using Kind = TransactionEvent::Kind;
    if (actions & kCountAckTimeout) {
        resources_.counters.add(Counter::invite_server_ack_timeouts_total);
    }
    if (actions & kInformTryingDue) {
        resources_.events.push({Kind::TryingDue, transaction.owner, ClientHandle{}, server});
    }
    if (actions & kInformTransportError) {
        resources_.events.push({Kind::ServerEnded, transaction.owner, ClientHandle{}, server});
    }
}

void ServerTransactions::enter(ServerHandle server, ServerTransaction& transaction, uint8_t next) {
    if (awaits_ack(transaction)) --unacknowledged_;
    transaction.state = next;
    if (awaits_ack(transaction)) ++unacknowledged_;
    if (next == terminated_state(transaction)) erase(server);
}

void ServerTransactions::abandon(Now now, ServerHandle server, transport::Transmits& out) {
    const ServerTransaction* transaction = find_or_count(server);
    if (transaction == nullptr) return;
    CHECK(!is_invite(*transaction));
    advance(now, server, static_cast<uint8_t>(NonInviteServerEvent::Abandon), {}, out);
}

void ServerTransactions::erase(ServerHandle server) {
    ServerTransaction& transaction = *slab_.get(server);
    index_.erase(transaction.key);
    if (transaction.is_legacy) {
        const auto keys = legacy_.find(server.packed());
        if (keys->second.has_ack) index_.erase(keys->second.ack);
        legacy_.erase(keys);
    }
    resources_.release(transaction.kept);
    slab_.erase(server);
}

void ServerTransactions::transmit(ServerHandle server, const ServerTransaction& transaction,
                                  std::string_view response, transport::Transmits& out) const {
    out.add(transaction.flow, response, transmit_owner::pack(transmit_owner::kServer, server));
}

void ServerTransactions::note_legacy_ack_key(ServerHandle server, std::string_view response) {
    LegacyKeys& keys = legacy_.find(server.packed())->second;
    sip::MessageView view;
    if (keys.has_ack || !sip::parse_message(response, view)) return;
    const auto to = sip::parse_name_addr(view.value(sip::HeaderId::To), ErrorCode::malformed_to);
    keys.ack = matching_.legacy_ack_key(keys.part, to ? to->tag : std::string_view{});
    keys.has_ack = index_.insert(keys.ack, server);
}

ServerTransaction* ServerTransactions::find_or_count(ServerHandle server) {
    ServerTransaction* transaction = slab_.get(server);
    if (transaction == nullptr) resources_.counters.add(Counter::stale_handles_dropped_total);
    return transaction;
}

}  // namespace signalbox::transaction
