// The phones: OPTIONS, MESSAGE, and REGISTER with and without credentials.
// Implements: RFC 3261 §10.2; RFC 3261 §22.2; RFC 3428 §4
#include <string>

#include "load/digest.h"
#include "load/message_writer.h"
#include "load/user_agent_client.h"

namespace bench {
namespace {

constexpr std::string_view kCallIdHost = "@load.example.org";

}  // namespace

/// The Request-URI of a call, OPTIONS or MESSAGE: the callee's own address, or a registered user.
void UserAgentClient::set_target(const Operation& operation) {
    if (needs_bindings(operation.scenario) && stage_.options.server_kind != Server::Forwarder) {
        uri_.assign("sip:u");
        append_number(uri_, operation.user);
        uri_.append("@").append(stage_.options.domain);
        return;
    }
    // What copies octets has no connection of its own to the callee.
    const bool is_on_connection = stage_.options.server_kind == Server::Forwarder;
    assign_uri(uri_, stage_, "callee",
               is_on_connection ? stage_.callee.local(peer_of(operation).connection)
                                : std::string_view(stage_.options.callee_text));
}

void UserAgentClient::start_request(std::uint32_t slot, std::uint64_t now_ns) {
    Operation& operation = stage_.operations[slot];
    const bool is_message = operation.scenario == Scenario::Message;
    local_.clear();
    append_identity(local_, 'c', stage_.run, slot, operation.generation);
    call_id_.assign(local_).append(kCallIdHost);
    from_.assign("<sip:caller@load.example.org>;tag=").append(local_);
    set_target(operation);
    to_.assign("<").append(uri_).append(">");
    set_branch(Kind::Request, slot);
    RequestParts parts = begin_parts(operation, is_message ? "MESSAGE" : "OPTIONS");
    if (is_message) {
        parts.content_type = "text/plain";
        parts.body = text_body();
    }
    write_request(operation.request, parts);
    begin_request(slot, ClientState::Requesting, now_ns);
}

void UserAgentClient::on_request_response(Operation& operation, const MessageScan& message,
                                          std::string_view bytes, std::uint64_t now_ns) {
    if (message.status < 200) return;
    if (message.status != 200) return refuse(slot_of(operation), bytes, now_ns);
    finish(slot_of(operation), Outcome::Completed, now_ns);
}

/// Takes the next user who has no REGISTER in flight; the window is never wider than the number of
/// users.
void UserAgentClient::start_register(std::uint32_t slot, std::uint64_t now_ns) {
    do {
        next_user_ = next_user_ + 1 < stage_.options.users ? next_user_ + 1 : 0;
    } while (is_user_busy_[next_user_] != 0);
    is_user_busy_[next_user_] = 1;
    stage_.operations[slot].user = next_user_;
    send_register(slot, Kind::Request, {}, ClientState::Requesting, now_ns);
}

/// The address of a phone: our end of its connection, where the server finds it again.
void UserAgentClient::set_contact(const Operation& operation) {
    user_name_.assign("u");
    append_number(user_name_, operation.user);
    assign_uri(contact_, stage_, user_name_, sent_by(operation));
}

/// A user keeps its Call-ID for the run and raises its CSeq with each REGISTER.
void UserAgentClient::send_register(std::uint32_t slot, Kind kind, std::string_view credentials,
                                    ClientState state, std::uint64_t now_ns) {
    Operation& operation = stage_.operations[slot];
    local_.clear();
    append_identity(local_, 'p', stage_.run, operation.user, 0);
    call_id_.assign(local_).append(kCallIdHost);
    to_.assign("<sip:u");
    append_number(to_, operation.user);
    set_contact(operation);
    contact_.insert(0, "<").append(">;expires=3600");
    to_.append("@").append(stage_.options.domain).append(">");
    from_.assign(to_).append(";tag=").append(local_);
    uri_.assign("sip:").append(stage_.options.domain);
    set_branch(kind, slot);
    RequestParts parts = begin_parts(operation, "REGISTER");
    parts.cseq = ++user_cseq_[operation.user];
    parts.contact = contact_;
    parts.authorization = credentials;
    write_request(operation.request, parts);
    begin_request(slot, state, now_ns);
}

void UserAgentClient::on_register_response(Operation& operation, const MessageScan& message,
                                           std::string_view bytes, std::uint64_t now_ns) {
    if (message.status < 200) return;
    const bool expects_challenge =
        is_challenged(operation.scenario) && operation.client == ClientState::Requesting;
    if (expects_challenge && message.status == 401) {
        return authenticate(operation, message, bytes, now_ns);
    }
    if (expects_challenge || message.status != 200) {
        return refuse(slot_of(operation), bytes, now_ns);
    }
    set_contact(operation);
    if (!shows_binding(message)) stage_.ledger.violate(Violation::ContactWrong, bytes);
    finish(slot_of(operation), Outcome::Completed, now_ns);
}

/// True when the 200 lists the Contact in contact_ with the time for which it holds.
bool UserAgentClient::shows_binding(const MessageScan& message) const {
    for (std::size_t i = 0; i < message.contacts.count; ++i) {
        std::string_view rest = message.contacts.values[i];
        while (!rest.empty()) {
            const std::string_view value = take_value(rest);
            const std::optional<std::uint32_t> expires = to_number(parameter(value, "expires"));
            if (uri_of(value) == contact_ && expires && *expires > 0) return true;
        }
    }
    return false;
}

void UserAgentClient::authenticate(Operation& operation, const MessageScan& message,
                                   std::string_view bytes, std::uint64_t now_ns) {
    const Algorithm algorithm =
        operation.scenario == Scenario::RegisterAuthSha256 ? Algorithm::Sha256 : Algorithm::Md5;
    const std::optional<Challenge> challenge = read_challenge(message.challenge, algorithm);
    if (!challenge) {
        stage_.ledger.violate(Violation::ChallengeWrong, bytes);
        return finish(slot_of(operation), Outcome::Failed, now_ns);
    }
    if (challenge->realm != ha1_realm_) {
        ha1_realm_ = challenge->realm;
        for (std::string& stored : user_ha1_) stored.clear();
    }
    const std::string number = std::to_string(operation.user);
    const std::string user = "u" + number;
    std::string& stored = user_ha1_[operation.user];
    if (stored.empty()) stored = ha1(algorithm, user, challenge->realm, "secret-" + number);
    const std::string uri = "sip:" + stage_.options.domain;
    const std::string credentials =
        authorization(algorithm, *challenge, stored, user, "REGISTER", uri);
    send_register(slot_of(operation), Kind::Retry, credentials, ClientState::Authenticating,
                  now_ns);
}

/// With the floor a REGISTER costs one forward; with credentials it is two.
void UserAgentClient::on_reflected_register(const MessageScan& message, std::uint64_t now_ns) {
    Identity identity;
    Operation* const operation = operation_of(message, {}, identity);
    if (operation == nullptr) return;
    const bool is_first = operation->client == ClientState::Requesting;
    if (is_challenged(operation->scenario) && is_first) {
        return send_register(slot_of(*operation), Kind::Retry, {}, ClientState::Authenticating,
                             now_ns);
    }
    finish(slot_of(*operation), Outcome::Completed, now_ns);
}

}  // namespace bench
