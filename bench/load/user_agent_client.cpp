// The client side of every operation: what calls and single requests share.
// Implements: RFC 3261 §17.1.1.2; RFC 3261 §17.1.2.2; RFC 3261 §17.1.3
#include "load/user_agent_client.h"

#include <algorithm>

namespace bench {
namespace {

constexpr std::string_view kCookie = "z9hG4bK";

bool waits_for_invite(ClientState state) {
    return state == ClientState::Calling;
}

}  // namespace

void assign_uri(std::string& out, const Stage& stage, std::string_view user,
                std::string_view address) {
    out.assign("sip:").append(user).append("@").append(address);
    out.append(uri_parameter(stage.options.transport));
}

UserAgentClient::UserAgentClient(Stage& stage)
    : stage_(stage),
      user_cseq_(stage.options.users),
      is_user_busy_(stage.options.users),
      user_ha1_(stage.options.users) {
    for (std::size_t i = stage.operations.size(); i > 0; --i) {
        free_.push_back(static_cast<std::uint32_t>(i - 1));
    }
}

void UserAgentClient::start(Scenario scenario, std::uint64_t now_ns) {
    const std::uint32_t slot = free_.back();
    free_.pop_back();
    Operation& operation = stage_.operations[slot];
    ++operation.generation;
    operation.scenario = scenario;
    operation.started_ns = now_ns;
    operation.is_trying_seen = false;
    operation.is_set_up = false;
    operation.is_previous_repeated = operation.is_repeated;
    operation.is_repeated = false;
    ++stage_.ledger.counters.started;
    operation.phase = static_cast<std::uint8_t>(stage_.ledger.phase);
    if (!stage_.ledger.phases.empty()) ++stage_.ledger.phases[operation.phase].started;
    if (needs_bindings(scenario)) {
        // Knuth's multiplier spreads the callees over all users in a fixed order.
        operation.user =
            static_cast<std::uint32_t>(++lookups_ * 2654435761ULL % stage_.options.users);
    }
    if (is_call(scenario)) return start_call(slot, now_ns);
    if (is_register(scenario)) return start_register(slot, now_ns);
    start_request(slot, now_ns);
}

void UserAgentClient::on_response(const MessageScan& message, std::string_view bytes,
                                  std::uint64_t now_ns) {
    Identity identity;
    Operation* const operation = operation_of(message, bytes, identity);
    if (operation == nullptr) return;
    if (!are_tags_right(message)) stage_.ledger.violate(Violation::TagsWrong, bytes);
    switch (static_cast<Kind>(identity.letter)) {
        case Kind::Invite:
            return on_invite_response(*operation, message, bytes, now_ns);
        case Kind::Bye:
            return on_bye_response(*operation, message, bytes, now_ns);
        case Kind::Request:
        case Kind::Retry:
            if (!is_register(operation->scenario)) {
                return on_request_response(*operation, message, bytes, now_ns);
            }
            // The 401 of the first REGISTER may come twice when that was repeated.
            if ((static_cast<Kind>(identity.letter) == Kind::Retry) !=
                (operation->client == ClientState::Authenticating)) {
                blame_duplicate(operation->is_repeated, bytes);
                ++stage_.ledger.counters.rx_repeated;
                return;
            }
            return on_register_response(*operation, message, bytes, now_ns);
        case Kind::Ack:
            break;
    }
    stage_.ledger.violate(Violation::UnknownTransaction, bytes);
}

/// Finds the operation by the branch of the only Via, which must be ours. A response for an
/// operation that has ended is a duplicate: harmless when somebody had retransmitted, a violation
/// when nobody had.
Operation* UserAgentClient::operation_of(const MessageScan& message, std::string_view bytes,
                                         Identity& identity) {
    Ledger& ledger = stage_.ledger;
    const std::string_view branch = parameter(message.vias.values[0], "branch");
    if (message.vias.count != 1 || message.vias.values[0].find(',') != std::string_view::npos) {
        ledger.violate(Violation::ViaWrong, bytes);
        return nullptr;
    }
    const std::optional<Identity> found =
        branch.starts_with(kCookie) ? read_identity(branch.substr(kCookie.size()), stage_.run)
                                    : std::nullopt;
    if (!found || found->slot >= stage_.operations.size()) {
        ledger.violate(Violation::UnknownTransaction, bytes);
        return nullptr;
    }
    Operation& operation = stage_.operations[found->slot];
    identity = *found;
    const bool is_over = operation.client == ClientState::Idle;
    if (found->generation == operation.generation && !is_over) return &operation;
    const bool is_last = found->generation == operation.generation ||
                         (found->generation + 1 == operation.generation && !is_over);
    const bool was_repeated = found->generation == operation.generation
                                  ? operation.is_repeated
                                  : operation.is_previous_repeated;
    ++ledger.counters.late;
    if (is_last && message.status >= 200) blame_duplicate(was_repeated, bytes);
    return nullptr;
}

void UserAgentClient::on_timer(std::uint32_t slot, std::uint32_t serial, std::uint64_t now_ns) {
    const Operation& operation = stage_.operations[slot];
    if (operation.client_serial != serial || operation.client == ClientState::Idle) return;
    if (operation.client == ClientState::Talking) return hang_up(slot, now_ns);
    const bool is_overdue = now_ns - operation.request_ns >= stage_.timers.lifetime_ns();
    if (is_overdue || operation.client == ClientState::Proceeding) {
        return finish(slot, Outcome::TimedOut, now_ns);
    }
    repeat_request(slot, now_ns);
}

/// Phones register from the callee's side, so that a server which answers by the flow finds them
/// there.
Link& UserAgentClient::link_of(const Operation& operation) const {
    return is_register(operation.scenario) ? stage_.callee : stage_.caller;
}

/// A phone keeps its connection for the run, and a dialog the one on which it began.
Peer UserAgentClient::peer_of(const Operation& operation) const {
    const bool is_phone = is_register(operation.scenario);
    return link_of(operation).to_server(is_phone ? operation.user : slot_of(operation));
}

std::string_view UserAgentClient::sent_by(const Operation& operation) const {
    return link_of(operation).local(peer_of(operation).connection);
}

RequestParts UserAgentClient::begin_parts(const Operation& operation,
                                          std::string_view method) const {
    RequestParts parts;
    parts.method = method;
    parts.uri = uri_;
    parts.transport = via_name(stage_.options.transport);
    parts.sent_by = sent_by(operation);
    parts.branch = branch_;
    parts.from = from_;
    parts.to = to_;
    parts.call_id = call_id_;
    return parts;
}

void UserAgentClient::send(const Operation& operation, std::string_view bytes) {
    link_of(operation).send(bytes, peer_of(operation));
}

void UserAgentClient::begin_request(std::uint32_t slot, ClientState state, std::uint64_t now_ns) {
    Operation& operation = stage_.operations[slot];
    operation.client = state;
    operation.client_attempts = 0;
    operation.request_ns = now_ns;
    send(operation, operation.request);
    arm(slot, now_ns);
}

void UserAgentClient::repeat_request(std::uint32_t slot, std::uint64_t now_ns) {
    Operation& operation = stage_.operations[slot];
    operation.is_repeated = true;
    ++operation.client_attempts;
    ++stage_.ledger.counters.tx_repeated;
    send(operation, operation.request);
    arm(slot, now_ns);
}

void UserAgentClient::arm(std::uint32_t slot, std::uint64_t now_ns) {
    Operation& operation = stage_.operations[slot];
    if (is_stream(stage_.options.transport)) {
        // Nothing is repeated where nothing is lost: Timers B and F alone.
        return stage_.timers.arm(now_ns, RetransmitQueue::kDoublingsMax, Side::Client, slot,
                                 ++operation.client_serial);
    }
    const unsigned limit = waits_for_invite(operation.client) ? RetransmitQueue::kDoublingsMax
                                                              : RetransmitQueue::kDoublingsT2;
    const unsigned doublings = stage_.timers.next_doublings(operation.client_attempts, limit,
                                                            now_ns - operation.request_ns);
    stage_.timers.arm(now_ns, doublings, Side::Client, slot, ++operation.client_serial);
}

void UserAgentClient::finish(std::uint32_t slot, Outcome outcome, std::uint64_t now_ns) {
    Operation& operation = stage_.operations[slot];
    Ledger& ledger = stage_.ledger;
    operation.client = ClientState::Idle;
    ++operation.client_serial;
    if (is_register(operation.scenario)) is_user_busy_[operation.user] = 0;
    free_.push_back(slot);
    if (!ledger.phases.empty()) book(operation, outcome);
    switch (outcome) {
        case Outcome::Completed:
            ++ledger.counters.completed;
            if (ledger.is_measuring) ledger.operation.record(now_ns - operation.started_ns);
            return;
        case Outcome::Failed:
            ++ledger.counters.failed;
            return;
        case Outcome::TimedOut:
            ++ledger.counters.timeouts;
            ledger.note("timeout", operation.request.substr(0, operation.request.find('\r')));
            return;
        case Outcome::Refused:
            ++ledger.counters.refused;
            return;
    }
}

/// An INVITE that was never answered shares the fate of a refused one; a BYE that was not is a
/// failure.
void UserAgentClient::book(const Operation& operation, Outcome outcome) {
    Phase& phase = stage_.ledger.phases[operation.phase];
    switch (outcome) {
        case Outcome::Completed:
            ++phase.completed;
            return;
        case Outcome::Failed:
            ++phase.broken;
            return;
        case Outcome::TimedOut:
            ++(operation.is_set_up ? phase.broken : phase.unanswered);
            break;
        case Outcome::Refused:
            ++phase.refused;
            break;
    }
    phase.last_unserved_ns =
        std::max(phase.last_unserved_ns, operation.started_ns - phase.begun_ns + 1);
}

/// A second final response is a violation unless somebody retransmitted or the network itself may
/// double datagrams.
void UserAgentClient::blame_duplicate(bool was_repeated, std::string_view bytes) {
    if (was_repeated || stage_.options.is_network_lossy) return;
    stage_.ledger.violate(Violation::DuplicateFinal, bytes);
}

void UserAgentClient::refuse(std::uint32_t slot, std::string_view bytes, std::uint64_t now_ns) {
    stage_.ledger.violate(Violation::UnexpectedStatus, bytes);
    finish(slot, Outcome::Failed, now_ns);
}

void UserAgentClient::set_branch(Kind kind, std::uint32_t slot) {
    branch_.clear();
    append_identity(branch_, static_cast<char>(kind), stage_.run, slot,
                    stage_.operations[slot].generation);
}

std::uint32_t UserAgentClient::slot_of(const Operation& operation) const {
    return static_cast<std::uint32_t>(&operation - stage_.operations.data());
}

/// The From tag of the load is always the left part of its Call-ID.
bool UserAgentClient::are_tags_right(const MessageScan& message) const {
    const std::string_view local = message.call_id.substr(0, message.call_id.find('@'));
    return parameter(message.from, "tag") == local;
}

}  // namespace bench
