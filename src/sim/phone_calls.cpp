// A scripted user agent: the calls that it makes and gets. Implements: RFC 3261 §13, §9.2, §15.1.2,
// §8.2
#include <array>
#include <utility>

#include "sim/phone.h"

namespace signalbox::sim {

namespace {

constexpr int kChallengesMax = 2;

std::string session(const std::string& token) {
    return "v=0\r\no=- 1 1 IN IP4 192.0.2.250\r\ns=" + token +
           "\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n";
}

}  // namespace

void Phone::call(const CallPlan& plan) {
    if (!is_up_ || is_stopping_) return;
    const auto call = std::make_shared<OutgoingCall>();
    call->plan = plan;
    call->invite = new_request("INVITE", plan.target);
    call->invite.add("Contact", '<' + contact_uri() + '>');
    call->invite.add("Content-Type", "application/sdp");
    call->invite.body = session(token("s"));
    if (config_.reuses_nonce) add_known_credentials(call->invite, "Proxy-Authorization");
    call->report = reports_.size();
    CallReport report;
    report.call_id = call->invite.call_id();
    report.from_tag = call->invite.from_tag();
    reports_.push_back(report);
    calls_.push_back(call);
    start_invite(call);
    if (!plan.cancel_after) return;
    after(*plan.cancel_after, [this, call] {
        if (call->is_over) return;
        call->is_cancelled = true;
        cancel(call->client);
    });
}

void Phone::start_invite(const std::shared_ptr<OutgoingCall>& call) {
    call->client = start_client(
        call->invite, server_path(),
        [this, call](const TextMessage* response) { on_call_response(call, response); });
    if (call->is_cancelled) cancel(call->client);
}

void Phone::on_call_response(const std::shared_ptr<OutgoingCall>& call,
                             const TextMessage* response) {
    CallReport& report = reports_[call->report];
    if (response == nullptr) {
        report.has_timed_out = true;
        call->is_over = true;
        return;
    }
    const int status = response->status;
    if (status < 200) {
        if (status > 100 && !report.ringing) report.ringing = queue_.now().monotonic;
        return;
    }
    if (status < 300) {
        on_call_answered(*call, *response);
        return;
    }
    const bool is_challenge = status == 401 || status == 407;
    if (is_challenge && call->challenges < kChallengesMax && !call->is_cancelled && !is_stopping_ &&
        add_credentials(call->invite, *response)) {
        ++call->challenges;
        call->invite.set("CSeq", std::to_string(call->invite.cseq() + 1) + " INVITE");
        start_invite(call);
        return;
    }
    report.final_status = status;
    call->is_over = true;
}

/// Each To tag is a dialog. The first is kept; the others are answered and ended, and so is one
/// that was to be cancelled (§13.2.2.4).
void Phone::on_call_answered(OutgoingCall& call, const TextMessage& response) {
    CallReport& report = reports_[call.report];
    const std::string key = dialog_key(response.call_id(), response.from_tag(), response.to_tag());
    if (const auto known = dialogs_.find(key); known != dialogs_.end()) {
        send_ack(known->second, response);
        return;
    }
    Dialog& dialog = dialogs_[key];
    dialog.call_id = response.call_id();
    dialog.local_tag = response.from_tag();
    dialog.remote_tag = response.to_tag();
    dialog.local = '<' + uri_of(response.header("From")) + '>';
    dialog.remote = '<' + uri_of(response.header("To")) + '>';
    dialog.remote_target = uri_of(response.header("Contact"));
    dialog.cseq = response.cseq();
    const std::vector<std::string> routes = response.values("Record-Route");
    dialog.routes.assign(routes.rbegin(), routes.rend());
    send_ack(dialog, response);
    ++report.answers;
    const bool is_first = report.answers == 1;
    if (is_first) {
        report.answered = queue_.now().monotonic;
        report.final_status = response.status;
        call.is_over = true;
    }
    if (!is_first || call.is_cancelled || is_stopping_) {
        hang_up(key);
        return;
    }
    for (int i = 1; i <= call.plan.reinvites; ++i) {
        after(call.plan.talk * i / (call.plan.reinvites + 1), [this, key] { reinvite(key); });
    }
    if (call.plan.hangs_up) after(call.plan.talk, [this, key] { hang_up(key); });
}

void Phone::on_invite(const std::string& key) {
    ServerRequest& server = servers_.at(key);
    const TextMessage& invite = server.message;
    if (!invite.to_tag().empty()) {
        if (Dialog* dialog = dialog_of(invite)) {
            on_reinvite(key, *dialog);
        } else {
            respond(key, 481, "No Such Call");
        }
        return;
    }
    // RFC 3261 §8.2.2.2: the same request by another way.
    for (const auto& [other_key, other] : servers_) {
        const TextMessage& known = other.message;
        if (other_key != key && known.method == "INVITE" && known.to_tag().empty() &&
            known.call_id() == invite.call_id() && known.from_tag() == invite.from_tag() &&
            known.cseq() == invite.cseq()) {
            respond(key, 482, "Merged Request");
            return;
        }
    }
    if (user_of(invite.uri) != config_.name) {
        respond(key, 404, "Not Found");
        return;
    }
    ++calls_received_;
    const auto& answers = config_.style.answers;
    const Answer answer = answers[random_.below(answers.size())];
    if (answer == Answer::Silent) return;
    if (answer == Answer::Busy) {
        respond(key, 486, "Busy Here");
        return;
    }
    if (random_.below(2) == 0) respond(key, 100, "Trying");
    after(config_.style.ring_after, [this, key] { respond(key, 180, "Ringing", true); });
    const Duration wait = draw(config_.style.answer_after_min, config_.style.answer_after_max);
    after(config_.style.ring_after + wait, [this, key, answer] { carry_out(key, answer); });
}

void Phone::carry_out(const std::string& key, Answer answer) {
    const auto found = servers_.find(key);
    if (found == servers_.end() || found->second.last_status >= 200) return;
    switch (answer) {
        case Answer::Accept:
            accept(key);
            return;
        case Answer::Decline:
            respond(key, 603, "Decline");
            return;
        case Answer::Unavailable:
            respond(key, 480, "Temporarily Unavailable");
            return;
        case Answer::Moved:
            respond(key, 302, "Moved Temporarily", true);
            return;
        case Answer::RingForever:
        case Answer::Busy:
        case Answer::Silent:
            return;
    }
}

void Phone::accept(const std::string& key) {
    const ServerRequest& server = servers_.at(key);
    const TextMessage& invite = server.message;
    const std::string dialog_name = dialog_key(invite.call_id(), server.to_tag, invite.from_tag());
    Dialog& dialog = dialogs_[dialog_name];
    dialog.call_id = invite.call_id();
    dialog.local_tag = server.to_tag;
    dialog.remote_tag = invite.from_tag();
    dialog.local = '<' + uri_of(invite.header("To")) + '>';
    dialog.remote = '<' + uri_of(invite.header("From")) + '>';
    dialog.remote_target = uri_of(invite.header("Contact"));
    dialog.routes = invite.values("Record-Route");
    dialog.cseq = static_cast<uint32_t>(random_.below(1000));
    dialog.awaits_ack = true;
    respond(key, 200, "OK", true);
    if (random_.below(1000) >= config_.style.hang_up_permille) return;
    after(draw(std::chrono::milliseconds(1), config_.style.talk_max),
          [this, dialog_name] { hang_up(dialog_name); });
}

void Phone::on_bye(const std::string& key) {
    const TextMessage& bye = servers_.at(key).message;
    const Dialog* const dialog = dialog_of(bye);
    if (dialog == nullptr) {
        respond(key, 481, "No Such Call");
        return;
    }
    ++byes_received_;
    const std::string name = dialog_key(dialog->call_id, dialog->local_tag, dialog->remote_tag);
    respond(key, 200, "OK");
    dialogs_.erase(name);
}

void Phone::on_other_request(const std::string& key) {
    const auto& replies = config_.style.replies;
    switch (replies[random_.below(replies.size())]) {
        case Reply::Ok:
            respond(key, 200, "OK");
            return;
        case Reply::Refuse:
            if (servers_.at(key).message.method == "INFO") {
                respond(key, 408, "Request Timeout");
            } else {
                respond(key, 488, "Not Acceptable Here");
            }
            return;
        case Reply::Silent:
            return;
        case Reply::Slow:
            after(draw(std::chrono::seconds(3), std::chrono::seconds(20)),
                  [this, key] { respond(key, 200, "OK"); });
            return;
        case Reply::Progress:
            respond(key, 183, "Session Progress");
            after(std::chrono::seconds(1), [this, key] { respond(key, 182, "Queued"); });
            after(draw(std::chrono::seconds(2), std::chrono::seconds(12)),
                  [this, key] { respond(key, 200, "OK"); });
            return;
    }
}

void Phone::send_request(const std::string& method, const std::string& target) {
    if (!is_up_ || is_stopping_) return;
    TextMessage request = new_request(method, target);
    // The server itself takes no other type in an OPTIONS (RFC 3261 §8.2.3).
    request.add("Content-Type", method == "OPTIONS" ? "application/sdp" : "text/plain");
    request.body = "Hello\r\n" + token("") + std::string("\0\x80\xff end", 7);
    if (config_.reuses_nonce) add_known_credentials(request, "Proxy-Authorization");
    const auto sent = std::make_shared<TextMessage>(request);
    start_client(request, server_path(), [this, sent](const TextMessage* response) {
        last_request_status_ = response == nullptr ? 408 : response->status;
        if (response == nullptr || is_stopping_) return;
        if (response->status != 401 && response->status != 407) return;
        if (!add_credentials(*sent, *response)) return;
        sent->set("CSeq", std::to_string(sent->cseq() + 1) + ' ' + sent->method);
        start_client(*sent, server_path(), [this](const TextMessage* last) {
            last_request_status_ = last == nullptr ? 408 : last->status;
        });
    });
}

}  // namespace signalbox::sim
