// A scripted user agent: its transactions, by the RFC's figures and nothing of the server's.
// Implements: RFC 3261 §8.1.3, §8.2.6, §9, §17.1, §17.2
#include <algorithm>
#include <utility>

#include "sim/phone.h"

namespace signalbox::sim {

namespace {

constexpr Duration kT1 = std::chrono::milliseconds(500);
constexpr Duration kT2 = std::chrono::seconds(4);
constexpr Duration kGiveUp = 64 * kT1;

std::string client_key(const std::string& branch, const std::string& method) {
    return branch + ' ' + method;
}

/// RFC 3261 §17.2.3: branch, sent-by, and the method, where ACK means INVITE.
std::string server_key(const TextMessage& request, const std::string& method) {
    return request.branch() + ' ' + sent_by_of(request.top_via()) + ' ' + method;
}

}  // namespace

std::string Phone::start_client(TextMessage message, const Path& path, Handler handler) {
    const std::string branch = token("z9hG4bK");
    const std::string via = "SIP/2.0/" + std::string(transport::transport_name(path.transport)) +
                            ' ' + config_.contact.to_string() + ";rport;branch=" + branch;
    message.add_first("Via", via);
    const std::string key = client_key(branch, message.method);
    ClientRequest client;
    client.path = path;
    client.bytes = write(message);
    client.interval = kT1;
    client.handler = std::move(handler);
    client.message = std::move(message);
    send(path, client.bytes);
    clients_[key] = std::move(client);
    if (!transport::is_reliable(path.transport)) after(kT1, [this, key] { retransmit(key); });
    after(kGiveUp, [this, key] { give_up(key); });
    return key;
}

/// Timers A and E: A doubles without a limit and ends with a provisional response, E ends at T2 and
/// with the final one.
void Phone::retransmit(const std::string& key) {
    const auto found = clients_.find(key);
    if (found == clients_.end()) return;
    ClientRequest& client = found->second;
    const bool is_invite = client.message.method == "INVITE";
    const bool is_pending = client.state == ClientRequest::State::Calling ||
                            (client.state == ClientRequest::State::Proceeding && !is_invite);
    if (!is_pending) return;
    send(client.path, client.bytes);
    const bool is_proceeding = client.state == ClientRequest::State::Proceeding;
    client.interval = is_invite       ? client.interval * 2
                      : is_proceeding ? kT2
                                      : std::min(client.interval * 2, kT2);
    after(client.interval, [this, key] { retransmit(key); });
}

/// Timers B and F; an INVITE in Proceeding waits as long as its caller does.
void Phone::give_up(const std::string& key) {
    const auto found = clients_.find(key);
    if (found == clients_.end()) return;
    ClientRequest& client = found->second;
    if (client.state == ClientRequest::State::Completed) return;
    if (client.state == ClientRequest::State::Accepted) return;
    if (client.state == ClientRequest::State::Proceeding && client.message.method == "INVITE")
        return;
    const Handler handler = std::move(client.handler);
    clients_.erase(found);
    if (handler) handler(nullptr);
}

void Phone::on_response(const TextMessage& response) {
    const std::string method = response.cseq_method();
    const std::string key = client_key(response.branch(), method);
    const auto found = clients_.find(key);
    if (found == clients_.end()) return;
    if (method == "INVITE") {
        on_invite_response(key, found->second, response);
        return;
    }
    ClientRequest& client = found->second;
    if (client.state == ClientRequest::State::Completed) return;
    if (response.status < 200) {
        client.state = ClientRequest::State::Proceeding;
        return;
    }
    client.state = ClientRequest::State::Completed;
    after(kGiveUp, [this, key] { clients_.erase(key); });
    const Handler handler = std::move(client.handler);
    if (handler) handler(&response);
}

void Phone::on_invite_response(const std::string& key, ClientRequest& client,
                               const TextMessage& response) {
    using State = ClientRequest::State;
    if (response.status >= 300) {
        if (client.state == State::Accepted) return;
        if (client.state == State::Completed) {
            send(client.path, client.ack);
            return;
        }
        acknowledge_failure(client, response);
        client.state = State::Completed;
        after(kGiveUp, [this, key] { clients_.erase(key); });
    } else if (response.status >= 200) {
        if (client.state == State::Completed) return;
        if (client.state != State::Accepted) after(kGiveUp, [this, key] { clients_.erase(key); });
        client.state = State::Accepted;
    } else {
        if (client.state != State::Calling && client.state != State::Proceeding) return;
        client.state = State::Proceeding;
        if (client.is_cancel_wanted) send_cancel(client);
    }
    const Handler handler = client.handler;
    if (handler) handler(&response);
}

/// RFC 3261 §17.1.1.3: the same branch, one hop.
void Phone::acknowledge_failure(ClientRequest& client, const TextMessage& response) {
    TextMessage ack = TextMessage::request("ACK", client.message.uri);
    ack.add("Via", client.message.top_via());
    ack.add("From", std::string(client.message.header("From")));
    ack.add("To", std::string(response.header("To")));
    ack.add("Call-ID", client.message.call_id());
    ack.add("CSeq", std::to_string(client.message.cseq()) + " ACK");
    ack.add("Max-Forwards", "70");
    for (const std::string& route : client.message.values("Route")) ack.add("Route", route);
    client.ack = write(ack);
    send(client.path, client.ack);
}

/// RFC 3261 §9.1: not before a provisional response.
void Phone::cancel(const std::string& key) {
    const auto found = clients_.find(key);
    if (found == clients_.end()) return;
    found->second.is_cancel_wanted = true;
    if (found->second.state == ClientRequest::State::Proceeding) send_cancel(found->second);
}

void Phone::send_cancel(ClientRequest& client) {
    if (client.is_cancelled) return;
    client.is_cancelled = true;
    TextMessage request = TextMessage::request("CANCEL", client.message.uri);
    request.add("Via", client.message.top_via());
    request.add("From", std::string(client.message.header("From")));
    request.add("To", std::string(client.message.header("To")));
    request.add("Call-ID", client.message.call_id());
    request.add("CSeq", std::to_string(client.message.cseq()) + " CANCEL");
    request.add("Max-Forwards", "70");
    for (const std::string& route : client.message.values("Route")) request.add("Route", route);
    const std::string invite = client_key(request.branch(), "INVITE");
    const std::string key = client_key(request.branch(), "CANCEL");
    ClientRequest cancelling;
    cancelling.path = client.path;
    cancelling.bytes = write(request);
    cancelling.interval = kT1;
    cancelling.message = std::move(request);
    send(cancelling.path, cancelling.bytes);
    const bool is_reliable = transport::is_reliable(cancelling.path.transport);
    clients_[key] = std::move(cancelling);
    if (!is_reliable) after(kT1, [this, key] { retransmit(key); });
    after(kGiveUp, [this, key] { give_up(key); });
    // Longer than §9.1's 64*T1, so that the server's own may end first.
    after(kGiveUp + kT2, [this, invite] {
        const auto found = clients_.find(invite);
        if (found == clients_.end() || found->second.state != ClientRequest::State::Proceeding)
            return;
        const Handler handler = std::move(found->second.handler);
        clients_.erase(found);
        if (handler) handler(nullptr);
    });
}

void Phone::on_request(const TextMessage& request, const Path& path) {
    if (request.method == "ACK") {
        on_ack(request);
        return;
    }
    if (request.method == "CANCEL") {
        on_cancel(request, path);
        return;
    }
    const std::string key = server_key(request, request.method);
    if (const auto found = servers_.find(key); found != servers_.end()) {
        if (!found->second.last_response.empty()) send(path, found->second.last_response);
        return;
    }
    ++requests_received_;
    ServerRequest& server = servers_[key];
    server.message = request;
    server.path = path;
    server.to_tag = request.to_tag().empty() ? token("t") : request.to_tag();
    if (request.method == "INVITE") {
        on_invite(key);
    } else if (request.method == "BYE") {
        on_bye(key);
    } else {
        on_other_request(key);
    }
}

void Phone::respond(const std::string& key, int status, std::string_view phrase,
                    bool with_contact) {
    const auto found = servers_.find(key);
    if (found == servers_.end() || found->second.last_status >= 200) return;
    ServerRequest& server = found->second;
    TextMessage response =
        server.message.response(status, phrase, status == 100 ? std::string() : server.to_tag);
    const bool is_elsewhere = status == 302 && !config_.moved_to.empty();
    if (with_contact)
        response.add("Contact", '<' + (is_elsewhere ? config_.moved_to : contact_uri()) + '>');
    server.last_response = write(response);
    server.last_status = status;
    send(server.path, server.last_response);
    if (status < 200) return;
    if (server.message.method == "INVITE") {
        repeat_final(key, kT1);
        forget_server(key, 2 * kGiveUp);
    } else {
        forget_server(key, kGiveUp);
    }
}

/// A failure over UDP is repeated by Timer G, a 2xx by the core over every transport (RFC 3261
/// §13.3.1.4), both until the ACK.
void Phone::repeat_final(const std::string& key, Duration interval) {
    const auto first = servers_.find(key);
    if (first->second.last_status >= 300 && transport::is_reliable(first->second.path.transport))
        return;
    const Instant end = queue_.now().monotonic + kGiveUp;
    const auto repeat = std::make_shared<std::function<void(Duration)>>();
    *repeat = [this, key, end, weak = std::weak_ptr(repeat)](Duration wait) {
        after(wait, [this, key, end, wait, again = weak.lock()] {
            const auto found = servers_.find(key);
            if (found == servers_.end() || found->second.is_acknowledged) return;
            if (queue_.now().monotonic >= end) {
                if (found->second.last_status < 300) {
                    const TextMessage& invite = found->second.message;
                    const std::string name =
                        dialog_key(invite.call_id(), found->second.to_tag, invite.from_tag());
                    if (const auto dialog = dialogs_.find(name); dialog != dialogs_.end()) {
                        dialog->second.awaits_ack = false;
                    }
                    hang_up(name);
                }
                return;
            }
            send(found->second.path, found->second.last_response);
            (*again)(std::min(wait * 2, kT2));
        });
    };
    (*repeat)(interval);
}

void Phone::forget_server(const std::string& key, Duration delay) {
    after(delay, [this, key] { servers_.erase(key); });
}

void Phone::on_ack(const TextMessage& request) {
    if (Dialog* const dialog = dialog_of(request)) dialog->awaits_ack = false;
    if (const auto found = servers_.find(server_key(request, "INVITE")); found != servers_.end()) {
        found->second.is_acknowledged = true;
        return;
    }
    for (auto& [key, server] : servers_) {
        const TextMessage& invite = server.message;
        if (invite.method == "INVITE" && invite.cseq() == request.cseq() &&
            invite.call_id() == request.call_id() && server.to_tag == request.to_tag() &&
            invite.from_tag() == request.from_tag()) {
            server.is_acknowledged = true;
        }
    }
}

void Phone::on_cancel(const TextMessage& request, const Path& path) {
    const std::string invite = server_key(request, "INVITE");
    const auto found = servers_.find(invite);
    const bool is_known = found != servers_.end();
    const std::string tag = is_known ? found->second.to_tag : token("t");
    send(path,
         write(request.response(is_known ? 200 : 481, is_known ? "OK" : "No Such Call", tag)));
    if (!is_known || found->second.last_status >= 200) return;
    ++cancels_received_;
    respond(invite, 487, "Request Terminated");
}

}  // namespace signalbox::sim
