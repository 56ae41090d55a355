// Watches every message that enters and leaves the cores: requests and responses as they arrive,
// and what must follow.
#include "sim/wire_oracle.h"

#include <algorithm>

namespace signalbox::sim {

namespace {

/// No turn wants more than this sent: a bound on amplification, with room for a fork and its
/// CANCELs.
constexpr size_t kTransmitsMax = 64;
/// Questions between shards may stand between an INVITE and its 100.
constexpr Duration kAtOnce = std::chrono::milliseconds(60);
/// The branch's transaction hears 2xx for 64*T1 (RFC 6026, Timer M); nothing is claimed near its
/// end.
constexpr Duration kAccepting = std::chrono::milliseconds(31'500);

std::string received_key(const std::string& via, const std::string& method) {
    return parameter(via, "branch").value_or("") + ' ' + sent_by_of(via) + ' ' + method;
}

}  // namespace

std::string WireOracle::sent_key(const Turn& turn, const std::string& branch,
                                 const std::string& method) const {
    return std::to_string(turn.incarnation) + ' ' + branch + ' ' + method;
}

bool WireOracle::is_current(const Received& request) const {
    return server_->is_running() && request.incarnation == server_->incarnation();
}

bool WireOracle::is_ours(const TextMessage& request) const {
    const size_t at = request.uri.find('@');
    if (at == std::string::npos) return false;
    const std::string host = request.uri.substr(at + 1, request.uri.find(';', at) - at - 1);
    return host == domain_ || endpoint_of(request.uri) == address_;
}

bool WireOracle::is_settled(Instant at) const {
    return !reloaded_at_ || at - *reloaded_at_ > std::chrono::milliseconds(50);
}

void WireOracle::on_turn(const Turn& turn) {
    is_ack_absorbed_ = false;
    std::optional<TextMessage> packet;
    if (turn.packet != nullptr) packet = TextMessage::parse(turn.packet->bytes);
    if (packet && packet->header("CSeq").empty()) packet.reset();  // noise: nothing is due to it
    if (packet) {
        remember_party(turn, *packet);
        if (packet->is_request()) {
            request_in(turn, *packet);
        } else {
            response_in(turn, *packet);
        }
    }
    const auto list = turn.out->transmits.list();
    if (list.size() > kTransmitsMax) {
        report_.broken("bounded output", std::to_string(list.size()) + " messages in one turn");
    }
    for (const transport::Transmit& transmit : list) {
        const std::string_view bytes = turn.out->transmits.bytes(transmit);
        const auto message = TextMessage::parse(bytes);
        if (!message) {
            report_.broken("form",
                           "we sent what is no message: " + std::string(bytes.substr(0, 80)));
        } else if (message->is_request()) {
            request_out(turn, transmit, bytes, *message);
        } else {
            response_out(turn, transmit, bytes, *message);
        }
    }
    if (packet && packet->status >= 200 && packet->status < 300 &&
        packet->cseq_method() == "INVITE") {
        check_success_passed(turn, *packet);
    }
}

void WireOracle::remember_party(const Turn& turn, const TextMessage& message) {
    std::set<Endpoint>& parties = parties_[message.call_id()];
    parties.insert(turn.packet->flow.remote);
    for (const std::string& contact : message.values("Contact")) {
        if (const auto shown = endpoint_of(uri_of(contact))) parties.insert(*shown);
    }
}

void WireOracle::request_in(const Turn& turn, const TextMessage& message) {
    ++requests_in_;
    const std::string via = message.top_via();
    if (message.method == "ACK") {
        const auto invite = received_.find(received_key(via, "INVITE"));
        is_ack_absorbed_ = invite != received_.end() && invite->second.final_status >= 300;
    }
    if (message.method == "BYE") records_.bye_arrived(message);
    std::string key = received_key(via, message.method);
    if (message.method == "ACK")
        key += ' ' + message.to_tag();  // some repeat the branch for each dialog of a fork
    const auto known = received_.find(key);
    if (known != received_.end() && known->second.incarnation == turn.incarnation) return;
    Received& request = received_[key];
    request = Received{};
    if (is_settled(turn.now.monotonic)) {
        const ports::Snapshot& settings = server_->snapshot();
        request.configured = {settings.forking, settings.timers.c};
    }
    request.message = message;
    request.bytes = turn.packet->bytes;
    request.flow = turn.packet->flow;
    request.at = turn.now.monotonic;
    request.incarnation = turn.incarnation;
    if (message.method == "INVITE") {
        queue_.after(kAtOnce, [this, key, at = request.at] { check_admission(key, at); });
    }
}

/// RFC 3261 §16.2: a 100 at once, or a final response; and every contact of a user of ours is
/// called.
void WireOracle::check_admission(const std::string& key, Instant at) {
    const auto found = received_.find(key);
    if (found == received_.end() || found->second.at != at || !is_current(found->second)) return;
    const Received& invite = found->second;
    if (!invite.has_trying && invite.final_status == 0) {
        if (!ignorable_.contains(invite.flow.remote.address)) {
            report_.broken("100 at once", "no response to " + invite.message.first_line() + " of " +
                                              invite.message.call_id());
        }
        return;
    }
    if (invite.has_trying && !invite.is_cut_off) check_targets(invite);
}

void WireOracle::response_in(const Turn& turn, const TextMessage& message) {
    const auto found = sent_.find(sent_key(turn, message.branch(), message.cseq_method()));
    if (found == sent_.end()) return;
    Sent& sent = found->second;
    if (!sent.first_heard) sent.first_heard = turn.now.monotonic;
    if (message.status < 200) sent.has_provisional = true;
    if (message.status >= 300 && message.status <= 302) {
        for (const std::string& contact : message.values("Contact"))
            redirected_[message.call_id()].insert(user_of(uri_of(contact)));
    }
    if (message.status >= 200 && sent.final_status == 0) {
        sent.final_status = message.status;
        sent.final_at = turn.now.monotonic;
    }
}

void WireOracle::on_output_lost(std::string_view bytes) {
    const auto message = TextMessage::parse(bytes);
    if (!message || message->is_request()) return;
    const auto found = received_.find(received_key(message->top_via(), message->cseq_method()));
    if (found != received_.end()) found->second.is_cut_off = true;
}

/// RFC 3261 §16.7 step 5, RFC 6026 §7.2: every 2xx of every branch goes up, while the transactions
/// live.
void WireOracle::check_success_passed(const Turn& turn, const TextMessage& success) {
    const auto found = sent_.find(sent_key(turn, success.branch(), "INVITE"));
    if (found == sent_.end()) return;
    const Sent& sent = found->second;
    if (sent.final_status >= 300 || turn.now.monotonic - sent.final_at > kAccepting) return;
    // After Timer B the branch is dead: what comes then is a stray (RFC 6026 §8.4).
    if (*sent.first_heard - sent.at > kAccepting) return;
    const auto origin = received_.find(sent.origin);
    if (origin == received_.end() || origin->second.final_status >= 300) return;
    if (origin->second.is_cut_off) return;
    const bool is_answered = origin->second.final_status != 0;
    if (is_answered && turn.now.monotonic - origin->second.final_at > kAccepting) return;
    for (const transport::Transmit& transmit : turn.out->transmits.list()) {
        const auto message = TextMessage::parse(turn.out->transmits.bytes(transmit));
        if (message && message->status == success.status &&
            message->call_id() == success.call_id() && message->to_tag() == success.to_tag()) {
            return;
        }
    }
    report_.broken("every 2xx", "a 200 of " + success.call_id() + " was not passed on");
}

void WireOracle::response_out(const Turn& turn, const transport::Transmit& transmit,
                              std::string_view bytes, const TextMessage& message) {
    const auto found = received_.find(received_key(message.top_via(), message.cseq_method()));
    if (found == received_.end()) {
        report_.broken("response", "to a request that nobody sent: " + message.first_line());
        return;
    }
    Received& request = found->second;
    if (request.incarnation != turn.incarnation) return;
    check_return_path(request, transmit.flow, message);
    check_not_refused(request, message);
    const bool is_first_final = message.status >= 200 && request.final_status == 0;
    if (message.cseq_method() == "BYE" && message.status >= 200) records_.bye_answered(message);
    if (message.cseq_method() == "INVITE") {
        check_invite_response(request, bytes, message);
        if (request.message.to_tag().empty()) {
            records_.answered_caller(request.message, message, call_kind(request),
                                     turn.incarnation);
        }
    } else {
        check_other_response(request, bytes, message);
    }
    if (message.status >= 200 && message.to_tag().empty()) {
        report_.broken("form", "a final response without To tag: " + message.first_line());
    }
    if (is_first_final && message.status == 200 && message.cseq_method() == "REGISTER") {
        std::optional<ports::RegistrarSettings> settings;
        if (is_settled(turn.now.monotonic)) settings = server_->snapshot().registrar;
        bindings_.confirmed(request.message, message, request.flow, settings);
    }
}

/// What belongs to a dialog that goes through the server is never refused because of overload.
void WireOracle::check_not_refused(const Received& request, const TextMessage& message) {
    if (message.status != 503 || message.header("Retry-After").empty()) return;
    if (request.message.to_tag().empty() || request.message.values("Route").empty()) return;
    report_.broken("in-dialog refused", message.first_line() + " of " + message.call_id());
}

RecordOracle::Call WireOracle::call_kind(const Received& request) const {
    const ports::Snapshot& settings = server_->snapshot();
    const bool is_ours =
        uri_of(request.message.header("From")).ends_with('@' + settings.domains.front());
    if (is_ours || settings.is_trusted(request.flow)) return RecordOracle::Call::Recorded;
    return user_of(request.message.uri) == "nobody" ? RecordOracle::Call::ToNobody
                                                    : RecordOracle::Call::Strangers;
}

/// RFC 3261 §18.2.2, RFC 3581 §4: responses take the way that the request came.
void WireOracle::check_return_path(const Received& request, const transport::Flow& flow,
                                   const TextMessage& message) {
    const bool is_same = transport::is_reliable(request.flow.transport)
                             ? flow.connection == request.flow.connection &&
                                   flow.generation == request.flow.generation
                             : flow.remote == request.flow.remote;
    if (!is_same || flow.transport != request.flow.transport) {
        report_.broken("return path", message.first_line() + " goes to " + flow.remote.to_string());
    }
    if (message.values("Via").size() != request.message.values("Via").size()) {
        report_.broken("response", "Vias do not match the request's: " + message.first_line());
    }
}

void WireOracle::check_invite_response(Received& request, std::string_view bytes,
                                       const TextMessage& message) {
    const std::string name = message.first_line() + " of " + message.call_id();
    if (message.status == 100) request.has_trying = true;
    if (message.status < 200) {
        if (request.final_status != 0)
            report_.broken("one final", "a provisional after a final: " + name);
        return;
    }
    if (message.status < 300) {
        if (request.final_status >= 300)
            report_.broken("one final", "a 2xx after a failure: " + name);
        if (request.final_status == 0) request.final_at = queue_.now().monotonic;
        request.final_status = message.status;
        return;
    }
    if (request.final_status == 0) {
        request.final_status = message.status;
        request.final_bytes = bytes;
        return;
    }
    if (request.final_status < 300) {
        report_.broken("one final", "a failure after a 2xx: " + name);
    } else if (request.final_status != message.status) {
        report_.broken("one final", "another failure: " + name);
    } else if (request.has_trying && request.final_bytes != bytes) {
        report_.broken("same bytes", name);
    }
}

/// RFC 4320 §4: only a 100, not before Timer E reaches T2, and never a 408.
void WireOracle::check_other_response(Received& request, std::string_view bytes,
                                      const TextMessage& message) {
    const std::string name = message.first_line() + " of " + message.call_id();
    if (message.status == 408) report_.broken("no 408", name);
    if (message.status > 100 && message.status < 200) report_.broken("no provisional", name);
    if (message.status == 100) {
        if (queue_.now().monotonic - request.at < std::chrono::milliseconds(3400)) {
            report_.broken("no provisional", "too early: " + name);
        }
        if (request.final_status != 0) report_.broken("one final", "100 after a final: " + name);
        request.has_trying = true;
        return;
    }
    if (message.status < 200) return;
    if (request.final_status == 0) {
        request.final_status = message.status;
        request.final_bytes = bytes;
    } else if (request.final_status != message.status) {
        report_.broken("one final", "another final: " + name);
    } else if (message.status < 300 && request.final_bytes != bytes) {
        report_.broken("same bytes", name);
    }
}

}  // namespace signalbox::sim
