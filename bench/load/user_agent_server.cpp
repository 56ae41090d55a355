// The server side of every operation: the callee, which answers at once.
// Implements: RFC 3261 §13.3.1.4; RFC 3261 §12.1.1
#include "load/user_agent_server.h"

#include "load/message_writer.h"

namespace bench {
namespace {

constexpr std::uint32_t kMaxForwardsSent = 70;

std::string_view local_part(const MessageScan& message) {
    return message.call_id.substr(0, message.call_id.find('@'));
}

/// True for the Contact that the callee gave: any user at the callee's address.
bool targets(std::string_view uri, std::string_view address) {
    const std::string_view bare = uri.substr(0, uri.find(';'));
    return bare.size() > address.size() && bare.ends_with(address) &&
           bare[bare.size() - address.size() - 1] == '@';
}

std::size_t count_vias(const MessageScan& message) {
    std::size_t count = 0;
    for (std::size_t i = 0; i < message.vias.count; ++i) {
        std::string_view rest = message.vias.values[i];
        for (; !rest.empty(); ++count) take_value(rest);
    }
    return count;
}

}  // namespace

void UserAgentServer::on_request(Link& link, const MessageScan& message, std::string_view bytes,
                                 const Peer& source, std::uint64_t now_ns) {
    Ledger& ledger = stage_.ledger;
    const std::optional<Identity> identity = read_identity(local_part(message), stage_.run);
    if (!identity || identity->slot >= stage_.operations.size()) {
        return ledger.violate(Violation::UnknownTransaction, bytes);
    }
    Operation& operation = stage_.operations[identity->slot];
    const bool is_new = identity->generation == operation.generation &&
                        operation.server_generation != operation.generation;
    if (identity->generation != operation.generation) {
        ++ledger.counters.late;
        return;
    }
    check_path(link, message, bytes, source);
    if (is_new) {
        operation.server_generation = operation.generation;
        operation.server = ServerState::Idle;
    }
    const bool is_single = message.method == "OPTIONS" || message.method == "MESSAGE";
    const bool is_first = operation.server == ServerState::Idle;
    if (message.method == "ACK") return on_ack(operation, message, bytes);
    if (message.method == "INVITE" && is_first) {
        return on_invite(identity->slot, message, bytes, source, now_ns);
    }
    if (message.method == "BYE" && !is_first && operation.server != ServerState::Ended) {
        return on_bye(operation, message, bytes, source);
    }
    if (is_single && is_first) return on_single(operation, message, bytes, source);
    if (!is_first && (is_single || message.method == "INVITE" || message.method == "BYE")) {
        return on_repeated(operation, link, source);
    }
    ledger.violate(Violation::UnexpectedRequest, bytes);
}

void UserAgentServer::on_timer(std::uint32_t slot, std::uint32_t serial, std::uint64_t now_ns) {
    Operation& operation = stage_.operations[slot];
    if (operation.server_serial != serial || operation.server != ServerState::Answered) return;
    if (now_ns - operation.answer_ns >= stage_.timers.lifetime_ns()) {
        operation.server = ServerState::Ended;
        ++stage_.ledger.counters.timeouts;
        stage_.ledger.note("timeout", "no ACK arrived for a 200 to INVITE");
        return;
    }
    operation.is_repeated = true;
    ++operation.server_attempts;
    ++stage_.ledger.counters.tx_repeated;
    stage_.callee.send(operation.response, operation.answer_peer);
    arm(slot, now_ns);
}

/// A proxy adds its Via, lowers Max-Forwards, takes its Route away and leaves the callee as the
/// target.
void UserAgentServer::check_path(const Link& link, const MessageScan& message,
                                 std::string_view bytes, const Peer& source) {
    Ledger& ledger = stage_.ledger;
    const bool is_forwarder = stage_.options.server_kind == Server::Forwarder;
    if (count_vias(message) != (is_forwarder ? 1 : 2)) ledger.violate(Violation::ViaWrong, bytes);
    if (message.max_forwards != kMaxForwardsSent - (is_forwarder ? 0 : 1)) {
        ledger.violate(Violation::MaxForwardsWrong, bytes);
    }
    if (parameter(message.from, "tag") != local_part(message)) {
        ledger.violate(Violation::TagsWrong, bytes);
    }
    const bool is_callee = &link == &stage_.callee;
    if (!is_callee || message.route_count != 0 ||
        !targets(message.request_uri, link.local(source.connection))) {
        ledger.violate(Violation::RouteSetNotFollowed, bytes);
    }
}

void UserAgentServer::check_in_dialog(const MessageScan& message, std::string_view bytes) {
    if (parameter(message.to, "tag") != local_part(message)) {
        stage_.ledger.violate(Violation::TagsWrong, bytes);
    }
}

/// The server repeated its request: it gets the same bytes again.
void UserAgentServer::on_repeated(Operation& operation, Link& link, const Peer& source) {
    operation.is_repeated = true;
    ++stage_.ledger.counters.rx_repeated;
    link.send(operation.response, source);
}

void UserAgentServer::on_invite(std::uint32_t slot, const MessageScan& message,
                                std::string_view bytes, const Peer& source, std::uint64_t now_ns) {
    Ledger& ledger = stage_.ledger;
    Operation& operation = stage_.operations[slot];
    const bool is_forwarder = stage_.options.server_kind == Server::Forwarder;
    if (message.body != sdp_offer()) ledger.violate(Violation::BodyChanged, bytes);
    if (message.record_routes.count == 0 && !is_forwarder) {
        ledger.violate(Violation::RecordRouteMissing, bytes);
    }
    if (is_forwarder) {
        // The floor carries the datagram that a stateful server would have made itself.
        write_response(scratch_, message, source.address, {"100 Trying", {}, {}, {}});
        stage_.callee.send(scratch_, source);
    }
    respond(scratch_, message, source, "180 Ringing", {});
    stage_.callee.send(scratch_, source);
    respond(operation.response, message, source, "200 OK", sdp_answer());
    stage_.callee.send(operation.response, source);
    operation.server = ServerState::Answered;
    operation.server_attempts = 0;
    operation.answer_ns = now_ns;
    operation.answer_peer = source;
    arm(slot, now_ns);
}

void UserAgentServer::on_ack(Operation& operation, const MessageScan& message,
                             std::string_view bytes) {
    check_in_dialog(message, bytes);
    if (operation.server == ServerState::Answered) {
        operation.server = ServerState::Confirmed;
        ++operation.server_serial;
        return;
    }
    if (operation.server == ServerState::Idle) {
        return stage_.ledger.violate(Violation::UnexpectedRequest, bytes);
    }
    ++stage_.ledger.counters.rx_repeated;
}

void UserAgentServer::on_bye(Operation& operation, const MessageScan& message,
                             std::string_view bytes, const Peer& source) {
    check_in_dialog(message, bytes);
    if (operation.server == ServerState::Answered && !stage_.options.is_network_lossy) {
        stage_.ledger.violate(Violation::AckMissing, bytes);
    }
    ++operation.server_serial;
    operation.server = ServerState::Ended;
    write_response(operation.response, message, source.address, {"200 OK", {}, {}, {}});
    stage_.callee.send(operation.response, source);
}

void UserAgentServer::on_single(Operation& operation, const MessageScan& message,
                                std::string_view bytes, const Peer& source) {
    const std::string_view body = message.method == "MESSAGE" ? text_body() : std::string_view{};
    if (message.body != body) stage_.ledger.violate(Violation::BodyChanged, bytes);
    operation.server = ServerState::Ended;
    write_response(operation.response, message, source.address,
                   {"200 OK", local_part(message), {}, {}});
    stage_.callee.send(operation.response, source);
}

/// The callee's To tag is the left part of the Call-ID, so that the caller can tell it.
void UserAgentServer::respond(std::string& out, const MessageScan& message, const Peer& source,
                              std::string_view status, std::string_view body) {
    assign_uri(contact_, stage_, "callee", stage_.callee.local(source.connection));
    contact_.insert(0, "<").append(">");
    write_response(out, message, source.address, {status, local_part(message), contact_, body});
}

void UserAgentServer::arm(std::uint32_t slot, std::uint64_t now_ns) {
    Operation& operation = stage_.operations[slot];
    const unsigned doublings = stage_.timers.next_doublings(
        operation.server_attempts, RetransmitQueue::kDoublingsT2, now_ns - operation.answer_ns);
    stage_.timers.arm(now_ns, doublings, Side::Server, slot, ++operation.server_serial);
}

}  // namespace bench
