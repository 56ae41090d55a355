// Watches every message that enters and leaves the cores: the requests that we send.
// Implements: RFC 3261 §9.1, §16.6, §17.1.1.3 (as checks)
#include <algorithm>

#include "base/text.h"
#include "sim/wire_oracle.h"

namespace signalbox::sim {

namespace {

std::string received_key(const std::string& via, const std::string& method) {
    return parameter(via, "branch").value_or("") + ' ' + sent_by_of(via) + ' ' + method;
}

/// The header field as it stood in the bytes, its fold included.
std::string_view raw_header(std::string_view bytes, std::string_view name) {
    const size_t begin = bytes.find(name);
    if (begin == std::string_view::npos) return {};
    size_t end = bytes.find("\r\n", begin);
    while (end + 2 < bytes.size() && (bytes[end + 2] == ' ' || bytes[end + 2] == '\t')) {
        end = bytes.find("\r\n", end + 2);
    }
    return bytes.substr(begin, end - begin);
}

}  // namespace

void WireOracle::request_out(const Turn& turn, const transport::Transmit& transmit,
                             std::string_view bytes, const TextMessage& message) {
    ++requests_out_;
    const std::string name = message.first_line() + " of " + message.call_id();
    const std::string branch = message.branch();
    const std::string key = sent_key(turn, branch, message.method);
    if (const auto known = sent_.find(key); known != sent_.end()) {
        // An ACK for a 2xx has no transaction: it is forwarded as it came, by another stream with
        // another port.
        const bool is_ack = message.method == "ACK" && !known->second.origin.empty();
        if (known->second.bytes != bytes && !is_ack) report_.broken("same bytes", name);
        if (known->second.flow.remote != transmit.flow.remote) {
            report_.broken("same bytes", "a retransmission goes elsewhere: " + name);
        }
        return;
    }
    Sent& sent = sent_[key];
    sent.bytes = bytes;
    sent.at = turn.now.monotonic;
    sent.flow = transmit.flow;
    const auto invite = sent_.find(sent_key(turn, branch, "INVITE"));
    const bool is_for_invite = invite != sent_.end() && message.method != "INVITE";
    if (is_for_invite && message.method == "CANCEL") {
        if (!invite->second.has_provisional)
            report_.broken("CANCEL", "before a provisional: " + name);
        if (invite->second.final_status != 0)
            report_.broken("CANCEL", "after the final response: " + name);
        if (invite->second.flow.remote != transmit.flow.remote) {
            report_.broken("CANCEL", "not where the INVITE went: " + name);
        }
        invite->second.is_cancelled = true;
        return;
    }
    if (is_for_invite && message.method == "ACK") {
        if (invite->second.final_status < 300) report_.broken("ACK", "without a failure: " + name);
        return;
    }
    const std::vector<std::string> vias = message.values("Via");
    if (vias.size() < 2) {
        if (message.method == "OPTIONS") return check_keep_alive(transmit.flow, message);
        report_.broken("origin", "a request of our own: " + name);
        return;
    }
    sent.origin = received_key(vias[1], message.method);
    if (message.method == "ACK") sent.origin += ' ' + message.to_tag();
    const auto origin = received_.find(sent.origin);
    if (origin == received_.end()) {
        report_.broken("origin", "nobody sent it to us: " + name);
        return;
    }
    check_forwarded(turn, origin->second, transmit.flow, bytes, message);
    if (message.method == "INVITE") check_fork(turn, origin->second, key, name);
}

void WireOracle::check_forwarded(const Turn& turn, Received& origin, const transport::Flow& flow,
                                 std::string_view bytes, const TextMessage& message) {
    const std::string name = message.first_line() + " of " + message.call_id();
    if (origin.incarnation != turn.incarnation)
        report_.broken("origin", "from before a restart: " + name);
    if (is_ack_absorbed_ && message.method == "ACK") {
        report_.broken("ACK", "the ACK for a failure is one hop's: " + name);
    }
    const Endpoint reached = server_->reached_by(flow);
    origin.forwarded_to.push_back(reached);
    const uint32_t hops = text::to_u32(origin.message.header("Max-Forwards")).value_or(71);
    if (text::to_u32(message.header("Max-Forwards")).value_or(999) + 1 != hops) {
        report_.broken("Max-Forwards", name);
    }
    if (message.values("Via").size() != origin.message.values("Via").size() + 1) {
        report_.broken("Via", name);
    }
    if (message.body != origin.message.body) report_.broken("body", name);
    if (raw_header(bytes, "X-Probe") != raw_header(origin.bytes, "X-Probe")) {
        report_.broken("unknown header", name);
    }
    for (const std::string_view header : {"From", "To", "Call-ID", "CSeq"}) {
        if (message.header(header) != origin.message.header(header)) {
            report_.broken("changed", std::string(header) + ": " + name);
        }
    }
    for (const std::string& route : message.values("Route")) {
        if (endpoint_of(uri_of(route)) == address_)
            report_.broken("Route", "ours is left: " + name);
    }
    if (reached.port != 0) check_destination(origin, reached, message);
}

/// A request goes where its call has shown an address, or its target's bindings, or where its
/// sender has the right to send.
void WireOracle::check_destination(const Received& origin, const Endpoint& reached,
                                   const TextMessage& message) {
    if (server_->snapshot().is_trusted(origin.flow)) return;
    const std::set<Endpoint>& parties = parties_[message.call_id()];
    if (parties.contains(reached)) return;
    // A phone that has registered over another flow since takes its dialogs along.
    const std::string user = user_of(origin.message.uri);
    if (!message.to_tag().empty() && bindings_.is_shown_by(user, reached)) return;
    if (is_ours(origin.message)) {
        if (bindings_.is_shown_by(user, reached)) return;
        for (const std::string& other : redirected_[message.call_id()]) {
            if (bindings_.is_shown_by(other, reached)) return;
        }
    } else if (!origin.message.header("Proxy-Authorization").empty()) {
        return;
    }
    report_.broken("destination", reached.to_string() + " was never shown: " +
                                      message.first_line() + " of " + message.call_id());
}

/// A phone behind a NAT is asked for a sign of life now and then, where it has registered.
void WireOracle::check_keep_alive(const transport::Flow& flow, const TextMessage& message) {
    if (bindings_.is_shown_by(user_of(message.uri), flow.remote)) return;
    report_.broken("keep-alive", "nobody has registered at " + flow.remote.to_string() + ": " +
                                     message.first_line());
}

}  // namespace signalbox::sim
