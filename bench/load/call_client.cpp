// The caller: INVITE, its ACK along the route set, and BYE.
// Implements: RFC 3261 §13.2.2.4; RFC 3261 §12.1.2; RFC 3261 §12.2.1.1; RFC 3261 §17.1.1.3
#include <stdexcept>
#include <string>

#include "load/message_writer.h"
#include "load/user_agent_client.h"

namespace bench {
namespace {

constexpr std::string_view kCallIdHost = "@load.example.org";

/// True when a route of the server leads to the address where it is under test.
bool leads_to(std::string_view uri, std::string_view address) {
    if (!uri.starts_with("sip:")) return false;
    uri.remove_prefix(4);
    const std::string_view host = uri.substr(0, uri.find(';'));
    const std::size_t at = host.find('@');
    return host.substr(at == std::string_view::npos ? 0 : at + 1) == address;
}

}  // namespace

/// Writes the identifiers of the dialog into the scratch strings.
void UserAgentClient::name_dialog(std::uint32_t slot) {
    const Operation& operation = stage_.operations[slot];
    local_.clear();
    append_identity(local_, 'c', stage_.run, slot, operation.generation);
    call_id_.assign(local_).append(kCallIdHost);
    from_.assign("\"Load Caller\" <sip:caller@load.example.org>;tag=").append(local_);
    assign_uri(contact_, stage_, "caller", sent_by(operation));
    contact_.insert(0, "<").append(">");
}

void UserAgentClient::start_call(std::uint32_t slot, std::uint64_t now_ns) {
    Operation& operation = stage_.operations[slot];
    name_dialog(slot);
    set_branch(Kind::Invite, slot);
    set_target(operation);
    to_.assign("<").append(uri_).append(">");
    RequestParts parts = begin_parts(operation, "INVITE");
    parts.contact = contact_;
    parts.content_type = "application/sdp";
    parts.body = sdp_offer();
    write_request(operation.request, parts);
    if (operation.request.size() < kInviteBytesMin) {
        throw std::length_error("an INVITE of the load is shorter than the benchmark demands");
    }
    begin_request(slot, ClientState::Calling, now_ns);
}

void UserAgentClient::on_invite_response(Operation& operation, const MessageScan& message,
                                         std::string_view bytes, std::uint64_t now_ns) {
    if (operation.client == ClientState::Ending || operation.client == ClientState::Talking) {
        if (message.status >= 200) on_repeated_answer(operation, bytes);
        return;
    }
    if (message.status < 200) {
        if (message.status == 100) operation.is_trying_seen = true;
        if (operation.client == ClientState::Proceeding) return;
        // From here on only the lifetime of the operation is watched: Timer C is the server's.
        operation.client = ClientState::Proceeding;
        stage_.timers.arm(now_ns, RetransmitQueue::kDoublingsMax, Side::Client, slot_of(operation),
                          ++operation.client_serial);
        return;
    }
    if (message.status == 200) return on_answer(operation, message, bytes, now_ns);
    acknowledge_refusal(operation, message);
    const bool is_overload = message.status == 503 && message.has_retry_after;
    if (is_overload && !stage_.options.profile.empty()) {
        return finish(slot_of(operation), Outcome::Refused, now_ns);
    }
    refuse(slot_of(operation), bytes, now_ns);
}

/// A second final response: a 200 is acknowledged again, and it is a fault when nobody had repeated
/// anything.
void UserAgentClient::on_repeated_answer(Operation& operation, std::string_view bytes) {
    ++stage_.ledger.counters.rx_repeated;
    blame_duplicate(operation.is_repeated, bytes);
    send(operation, operation.ack);
}

/// Sends ACK, and BYE when the call has been up for its time, both along the route set to the
/// callee's Contact.
void UserAgentClient::on_answer(Operation& operation, const MessageScan& message,
                                std::string_view bytes, std::uint64_t now_ns) {
    Ledger& ledger = stage_.ledger;
    const std::uint32_t slot = slot_of(operation);
    const bool is_forwarder = stage_.options.server_kind == Server::Forwarder;
    const bool is_trying_owed =
        stage_.options.server_kind != Server::Stateless && !stage_.options.is_network_lossy;
    if (is_trying_owed && !operation.is_trying_seen) {
        ledger.violate(Violation::TryingMissing, bytes);
    }
    name_dialog(slot);
    if (parameter(message.to, "tag") != local_) ledger.violate(Violation::TagsWrong, bytes);
    if (message.body != sdp_answer()) ledger.violate(Violation::BodyChanged, bytes);
    routes_.clear();
    const std::string_view first_route = append_routes(routes_, message.record_routes);
    if (first_route.empty() && !is_forwarder) {
        ledger.violate(Violation::RecordRouteMissing, bytes);
    } else if (!is_forwarder && !leads_to(first_route, stage_.options.server_text)) {
        ledger.violate(Violation::RouteSetNotFollowed, bytes);
    }
    uri_.assign(message.contacts.count == 1 ? uri_of(message.contacts.values[0]) : "");
    if (uri_.empty()) {
        ledger.violate(Violation::ContactWrong, bytes);
        return finish(slot, Outcome::Failed, now_ns);
    }
    if (ledger.is_measuring) ledger.setup.record(now_ns - operation.started_ns);
    operation.is_set_up = true;
    if (!ledger.phases.empty()) {
        ++ledger.phases[operation.phase].answered;
        ++ledger.phases[ledger.phase].answered_within;
        ledger.phases[operation.phase].setup.record(now_ns - operation.started_ns);
    }
    to_.assign(message.to);
    set_branch(Kind::Ack, slot);
    RequestParts parts = begin_parts(operation, "ACK");
    parts.routes = routes_;
    write_request(operation.ack, parts);
    send(operation, operation.ack);
    set_branch(Kind::Bye, slot);
    parts.method = "BYE";
    parts.branch = branch_;
    parts.cseq = 2;
    write_request(operation.request, parts);
    if (stage_.options.hold_ms == 0) return hang_up(slot, now_ns);
    operation.client = ClientState::Talking;
    stage_.timers.arm_hold(now_ns, slot, ++operation.client_serial);
}

void UserAgentClient::hang_up(std::uint32_t slot, std::uint64_t now_ns) {
    begin_request(slot, ClientState::Ending, now_ns);
}

/// The ACK of a refusal belongs to the INVITE's transaction: its branch, no route set.
void UserAgentClient::acknowledge_refusal(const Operation& operation, const MessageScan& message) {
    const std::uint32_t slot = slot_of(operation);
    name_dialog(slot);
    set_branch(Kind::Invite, slot);
    set_target(operation);
    to_.assign(message.to);
    std::string bytes;
    write_request(bytes, begin_parts(operation, "ACK"));
    send(operation, bytes);
}

void UserAgentClient::on_bye_response(Operation& operation, const MessageScan& message,
                                      std::string_view bytes, std::uint64_t now_ns) {
    if (message.status < 200) return;
    if (operation.client != ClientState::Ending) {
        return stage_.ledger.violate(Violation::UnknownTransaction, bytes);
    }
    if (message.status != 200) return refuse(slot_of(operation), bytes, now_ns);
    finish(slot_of(operation), Outcome::Completed, now_ns);
}

}  // namespace bench
