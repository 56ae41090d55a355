// A scripted user agent: what it sends and gets inside a dialog. Implements: RFC 3261 §12.2, §14,
// §15, §13.2.2.4
#include <utility>

#include "sim/phone.h"

namespace signalbox::sim {

std::string Phone::dialog_key(const std::string& call_id, const std::string& local_tag,
                              const std::string& remote_tag) {
    return call_id + ' ' + local_tag + ' ' + remote_tag;
}

Phone::Dialog* Phone::dialog_of(const TextMessage& request) {
    const auto found =
        dialogs_.find(dialog_key(request.call_id(), request.to_tag(), request.from_tag()));
    return found == dialogs_.end() ? nullptr : &found->second;
}

TextMessage Phone::dialog_request(Dialog& dialog, const std::string& method) {
    TextMessage request = TextMessage::request(method, dialog.remote_target);
    request.add("From", dialog.local + ";tag=" + dialog.local_tag);
    request.add("To", dialog.remote + ";tag=" + dialog.remote_tag);
    request.add("Call-ID", dialog.call_id);
    request.add("CSeq", std::to_string(++dialog.cseq) + ' ' + method);
    request.add("Max-Forwards", "70");
    for (const std::string& route : dialog.routes) request.add("Route", route);
    return request;
}

/// The first Route, else the remote target (RFC 3261 §8.1.2: both are addresses here).
Phone::Path Phone::dialog_path(const Dialog& dialog) const {
    const std::string hop =
        dialog.routes.empty() ? dialog.remote_target : uri_of(dialog.routes.front());
    Path path = server_path();
    path.transport = wants_tcp(hop) ? transport::Transport::Tcp : transport::Transport::Udp;
    if (const auto endpoint = endpoint_of(hop)) path.remote = *endpoint;
    return path;
}

/// RFC 3261 §13.2.2.4: a request of its own, made once for each 2xx and repeated with it.
void Phone::send_ack(Dialog& dialog, const TextMessage& success) {
    const uint32_t cseq = success.cseq();
    const std::string branch = config_.repeats_branch ? success.branch() : token("z9hG4bK");
    if (dialog.ack.empty() || dialog.ack_cseq != cseq) {
        TextMessage ack = TextMessage::request("ACK", dialog.remote_target);
        const Path path = dialog_path(dialog);
        ack.add("Via", "SIP/2.0/" + std::string(transport::transport_name(path.transport)) + ' ' +
                           config_.contact.to_string() + ";rport;branch=" + branch);
        ack.add("From", dialog.local + ";tag=" + dialog.local_tag);
        ack.add("To", dialog.remote + ";tag=" + dialog.remote_tag);
        ack.add("Call-ID", dialog.call_id);
        ack.add("CSeq", std::to_string(cseq) + " ACK");
        ack.add("Max-Forwards", "70");
        for (const std::string& route : dialog.routes) ack.add("Route", route);
        dialog.ack = write(ack);
        dialog.ack_cseq = cseq;
    }
    send(dialog_path(dialog), dialog.ack);
}

void Phone::hang_up(const std::string& key) {
    const auto found = dialogs_.find(key);
    if (found == dialogs_.end() || found->second.is_ending) return;
    Dialog& dialog = found->second;
    if (dialog.awaits_ack) {
        after(std::chrono::milliseconds(200), [this, key] { hang_up(key); });
        return;
    }
    dialog.is_ending = true;
    const TextMessage bye = dialog_request(dialog, "BYE");
    start_client(bye, dialog_path(dialog),
                 [this, key](const TextMessage*) { dialogs_.erase(key); });
}

void Phone::reinvite(const std::string& key) {
    const auto found = dialogs_.find(key);
    if (found == dialogs_.end()) return;
    Dialog& dialog = found->second;
    if (dialog.is_ending || dialog.has_pending_invite) return;
    dialog.has_pending_invite = true;
    TextMessage invite = dialog_request(dialog, "INVITE");
    invite.add("Contact", '<' + contact_uri() + '>');
    invite.add("Content-Type", "application/sdp");
    invite.body = "v=0\r\ns=again\r\n";
    start_client(invite, dialog_path(dialog), [this, key](const TextMessage* response) {
        const auto live = dialogs_.find(key);
        if (live == dialogs_.end()) return;
        if (response != nullptr && response->status < 200) return;
        live->second.has_pending_invite = false;
        if (response == nullptr || response->status == 481 || response->status == 408) {
            hang_up(key);
            return;
        }
        if (response->status >= 300) return;
        const std::string contact = uri_of(response->header("Contact"));
        if (!contact.empty()) live->second.remote_target = contact;
        send_ack(live->second, *response);
    });
}

void Phone::on_reinvite(const std::string& key, Dialog& dialog) {
    if (dialog.has_pending_invite) {
        respond(key, 491, "Request Pending");
        return;
    }
    const std::string contact = uri_of(servers_.at(key).message.header("Contact"));
    if (!contact.empty()) dialog.remote_target = contact;
    respond(key, 200, "OK", true);
}

}  // namespace signalbox::sim
