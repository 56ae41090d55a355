// The steps from a new request to its transaction user. Implements: RFC 3261 §16.3, §16.4, §22; RFC
// 3261 §10.3 steps 1 to 4
#include "core/request_intake.h"

#include "auth/claimed_user.h"
#include "auth/nonce.h"
#include "core/content_check.h"
#include "core/user_agent_server.h"
#include "ports/sharding.h"
#include "proxy/loop_detection.h"
#include "proxy/request_validation.h"
#include "transport/receive.h"

namespace signalbox::core {

using proxy::CredentialAnswer;
using proxy::CredentialQuestion;
using proxy::CredentialVerdict;
using proxy::RelayDecision;
using sip::HeaderId;

RequestIntake::RequestIntake(const Setup& setup, const Services& services)
    : setup_(setup), s_(services), suspended_(setup.suspended_max) {}

void RequestIntake::admit(Now now, const proxy::IncomingRequest& request, ports::Outbox& out) {
    // Only a Route can prove a dialog: without one nothing more need be read for a refusal.
    const bool shows_route = request.message.first(HeaderId::Route) != nullptr;
    if (!shows_route && shed(now, request, out)) return;
    auto routing = proxy::preprocess_route(request, s_.keys, now.wall);
    if (!routing) {
        return s_.reply.send_stateless(request.message, request.flow, request.snapshot,
                                       {400, error_text(routing.error().code), {}}, out.transmits);
    }
    if (shows_route && !routing->token && shed(now, request, out)) return;
    Candidate candidate{request, *routing, {}, 0, false, false};
    if (routing->has_refused_token) s_.counters.add(Counter::route_token_refused_total);
    if (examine(now, candidate, out)) authorise(now, candidate, out);
}

/// True when the request was refused or dropped because of overload. It keeps no state, and costs
/// one response.
bool RequestIntake::shed(Now now, const proxy::IncomingRequest& request, ports::Outbox& out) {
    if (s_.admission.level() == ports::OverloadLevel::Normal || is_suspended(request)) return false;
    const overload::NewRequest asked{overload::work_of(request.message, request.is_trusted),
                                     request.call_id, request.via.branch, request.message.bytes(),
                                     transport::is_reliable(request.flow.transport)};
    switch (s_.admission.judge(now.monotonic, asked)) {
        case overload::Verdict::Take:
            return false;
        case overload::Verdict::Drop:
            return true;
        case overload::Verdict::Refuse:
            break;
    }
    proxy::Rejection overloaded{503, {}, {}};
    overloaded.headers[0] = {"Retry-After",
                             std::to_string(s_.admission.retry_after_s(request.snapshot.overload))};
    s_.reply.send_stateless(request.message, request.flow, request.snapshot, overloaded,
                            out.transmits);
    return true;
}

/// False when the request has been answered.
bool RequestIntake::examine(Now now, Candidate& candidate, ports::Outbox& out) {
    const proxy::IncomingRequest& request = candidate.request;
    const bool is_for_registrar = request.method() == sip::Method::Register &&
                                  candidate.routing.next_route.empty() &&
                                  candidate.routing.tenant != ports::kNoTenant;
    if (is_for_registrar) return examine_register(now, candidate, out);
    const bool is_of_subscription =
        candidate.routing.next_route.empty() && candidate.routing.uri.has_user &&
        candidate.routing.tenant != ports::kNoTenant && s_.reg_event.has_dialog(request);
    if (is_of_subscription || presence::is_for_reg_event(request, candidate.routing))
        return examine_subscribe(now, candidate, out);
    if (is_for_server_itself(candidate.routing)) {
        answer_as_user_agent(request, s_.reply, s_.counters, out.transmits);
        return false;
    }
    return examine_proxied(now, candidate, out);
}

bool RequestIntake::examine_register(Now now, Candidate& candidate, ports::Outbox& out) {
    const proxy::IncomingRequest& request = candidate.request;
    candidate.is_register = true;
    // A number names no domain whose registrations these could be (RFC 3261 §10.2, §8.2.2.1).
    if (!candidate.routing.uri.is_sip()) {
        reject(now, candidate, {416, {}, {}}, out);
        return false;
    }
    RelayDecision& relay = candidate.relay;
    relay.target_tenant = request.snapshot.tenant_of_identity(request.to.uri);
    relay.target_aor = sip::canonical_user(request.to.uri);
    if (relay.target_tenant == ports::kNoTenant || relay.target_aor.empty()) {
        reject(now, candidate, {404, {}, {}}, out);
        return false;
    }
    relay.identity = relay.target_aor;
    relay.kind =
        request.is_trusted ? RelayDecision::Kind::Allowed : RelayDecision::Kind::NeedsCredentials;
    return true;
}

/// A user's registrations are told to the user and to trusted peers (RFC 3680 §4.8).
bool RequestIntake::examine_subscribe(Now, Candidate& candidate, ports::Outbox&) {
    const proxy::IncomingRequest& request = candidate.request;
    candidate.is_reg_event = true;
    RelayDecision& relay = candidate.relay;
    relay.target_tenant = candidate.routing.tenant;
    relay.target_aor = sip::canonical_user(candidate.routing.uri);
    relay.identity = relay.target_aor;
    relay.kind =
        request.is_trusted ? RelayDecision::Kind::Allowed : RelayDecision::Kind::NeedsCredentials;
    return true;
}

bool RequestIntake::examine_proxied(Now now, Candidate& candidate, ports::Outbox& out) {
    const proxy::IncomingRequest& request = candidate.request;
    if (auto rejection = proxy::validate_request(request, candidate.routing)) {
        if (rejection->status == 483) s_.counters.add(Counter::max_forwards_exceeded_total);
        if (rejection->status == 440) s_.counters.add(Counter::max_breadth_exceeded_total);
        reject(now, candidate, *rejection, out);
        return false;
    }
    // A dialog that our token proves is not challenged again: it goes only where the dialog has
    // been. Who shows another of our users in it than at its beginning still has to be that user.
    candidate.relay = candidate.routing.token
                          ? proxy::decide_in_dialog(request, *candidate.routing.token, s_.keys)
                          : proxy::decide_relay(request, candidate.routing);
    candidate.loop_hash = proxy::loop_hash(request, candidate.routing, candidate.relay,
                                           s_.keys.current().siphash_key);
    if (proxy::is_loop(request, candidate.loop_hash, s_.keys, now.wall)) {
        s_.counters.add(Counter::loops_detected_total);
        reject(now, candidate, {482, {}, {}}, out);
        return false;
    }
    return true;
}

/// Registrars and redirect servers answer for themselves, proxies for others (RFC 3261 §22.1).
bool RequestIntake::acts_as_server(const Candidate& candidate) {
    const bool redirects = candidate.request.mode == ports::ProxyMode::Redirect;
    return candidate.is_for_us() || (redirects && !candidate.routing.token);
}

void RequestIntake::authorise(Now now, const Candidate& candidate, ports::Outbox& out) {
    if (candidate.relay.kind == RelayDecision::Kind::Allowed) return serve(now, candidate, {}, out);
    const proxy::IncomingRequest& request = candidate.request;
    if (candidate.routing.token) s_.counters.add(Counter::dialog_identity_changed_total);
    const HeaderId id =
        acts_as_server(candidate) ? HeaderId::Authorization : HeaderId::ProxyAuthorization;
    const auto credentials =
        auth::find_credentials(request.message, id, request.snapshot.auth.realm);
    if (!credentials)
        return reject(now, candidate, {400, error_text(credentials.error().code), {}}, out);
    CredentialQuestion question;
    question.method = request.message.method_text();
    question.request_uri = request.message.request_uri();
    question.is_any_user = candidate.relay.is_any_user;
    question.identity = candidate.relay.identity;
    question.preferred = candidate.relay.preferred;
    question.source = request.flow.remote.address;
    std::string claimed = candidate.relay.identity;
    if (*credentials) {
        question.credentials = (*credentials)->text;
        const auto user = auth::claimed_user(**credentials);
        if (!user)
            return reject(now, candidate, {400, error_text(ErrorCode::malformed_authorization), {}},
                          out);
        claimed = user->name;
    } else if (!s_.directory.guard().is_blocked(now, question.source)) {
        return challenge(now, candidate, false, out);
    }
    const uint8_t shard = ports::shard_of_aor(question.tenant, claimed, setup_.shards);
    if (shard != setup_.shard) return suspend(now, candidate, shard, question, out);
    std::optional<proxy::SourceBlocked> blocked;
    const CredentialAnswer answer =
        *credentials ? s_.directory.check(now, question, **credentials, request.snapshot, blocked)
                     : s_.directory.answer(now, question, request.snapshot, blocked);
    if (blocked) {
        for (uint8_t other = 0; other < setup_.shards; ++other) {
            if (other != setup_.shard)
                encode(proxy::ShardMessage(*blocked), out.shard_message(other));
        }
    }
    judge(now, candidate, answer, out);
}

void RequestIntake::judge(Now now, const Candidate& candidate, const CredentialAnswer& answer,
                          ports::Outbox& out) {
    switch (answer.verdict) {
        case CredentialVerdict::Accepted:
            if (is_of_another_user(candidate, answer.user)) return forbid(now, candidate, out);
            return serve(
                now, candidate,
                {answer.user,
                 answer.may_prefer ? std::string_view(candidate.relay.preferred) : answer.user},
                out);
        case CredentialVerdict::NotThisIdentity:
            return forbid(now, candidate, out);
        case CredentialVerdict::Wrong:
            return challenge(now, candidate, false, out);
        case CredentialVerdict::Stale:
            return challenge(now, candidate, true, out);
        case CredentialVerdict::Malformed:
            return reject(
                now, candidate,
                {400,
                 answer.user.empty() ? error_text(ErrorCode::malformed_authorization) : answer.user,
                 {}},
                out);
        case CredentialVerdict::Unanswered:
            s_.counters.add(Counter::auth_source_blocked_dropped_total);
            return;
    }
}

/// An address that a user was granted is his to bind, and to watch, as long as it is nobody's own
/// (RFC 3261 §10.3 step 3). Its user is of this shard, which was chosen by it.
bool RequestIntake::is_of_another_user(const Candidate& candidate, std::string_view user) const {
    const RelayDecision& relay = candidate.relay;
    return candidate.is_for_us() && user != relay.target_aor &&
           s_.directory.has_user(relay.target_tenant, relay.target_aor);
}

void RequestIntake::forbid(Now now, const Candidate& candidate, ports::Outbox& out) {
    s_.counters.add(Counter::auth_forbidden_total);
    reject(now, candidate, {403, "Not your address", {}}, out);
}

void RequestIntake::serve(Now now, const Candidate& candidate, const Caller& caller,
                          ports::Outbox& out) {
    if (candidate.is_register) return serve_register(now, candidate, out);
    if (candidate.is_reg_event) return serve_subscribe(now, candidate, out);
    if (refuses_invites_ && candidate.request.method() == sip::Method::Invite)
        return reject(now, candidate, proxy::server_stopping(), out);
    const bool is_proven =
        candidate.routing.token || !caller.user.empty() || candidate.request.is_trusted;
    const proxy::Admission admission{candidate.relay, caller.user, candidate.loop_hash, is_proven,
                                     caller.asserted};
    s_.proxy.start(now, candidate.request, candidate.routing, admission, out);
}

void RequestIntake::serve_register(Now now, const Candidate& candidate, ports::Outbox& out) {
    const proxy::IncomingRequest& request = candidate.request;
    if (const auto refused = refuse_content(request.message))
        return reject(now, candidate, *refused, out);
    const transport::Flow back = transport::response_flow(request.via, request.flow);
    // Deviation: RFC 3261 §8.2.2.2 — a REGISTER that came by two ways is told by its CSeq and gets
    // 500 instead of 482: nothing is bound twice, and no index of merged requests is needed.
    const transaction::ServerHandle server =
        s_.transactions.create_server(now, request.received(), back, request.snapshot.timers, 0);
    if (!server) {
        s_.counters.add(Counter::overload_refused_total);
        return reject(now, candidate, {503, {}, {}}, out);
    }
    via_.clear();
    transport::append_stamped_via(request.via, request.flow, via_);
    const proxy::ToTag to_tag = s_.reply.to_tag(request);
    const registrar::RegisterContext context{candidate.relay.target_tenant,
                                             candidate.relay.target_aor, request.snapshot,
                                             to_tag.view(), via_};
    const int status =
        s_.registrar.process(now, request.message, request.flow, context, out, response_);
    s_.transactions.respond(now, server, status, response_, out.transmits);
    if (status != 200) return;
    tell_moves(context, request.flow, out);
    s_.reg_event.bindings_changed(now, context.tenant, context.aor, out);
}

/// Dialogs of the phone that just registered may be on any shard.
void RequestIntake::tell_moves(const registrar::RegisterContext& context,
                               const transport::Flow& flow, ports::Outbox& out) {
    const auto tell = [&](const transport::Flow& from) {
        const proxy::FlowMoved move{context.tenant, context.aor, from, flow};
        s_.moved_flows.note(move);
        for (uint8_t other = 0; other < setup_.shards; ++other) {
            if (other != setup_.shard) encode(proxy::ShardMessage(move), out.shard_message(other));
        }
    };
    for (const transport::Flow& left : s_.registrar.left_flows()) tell(left);
    if (s_.moved_flows.find(context.tenant, context.aor, flow)) tell(flow);
}

void RequestIntake::serve_subscribe(Now now, const Candidate& candidate, ports::Outbox& out) {
    if (const auto refused = refuse_extensions(candidate.request.message))
        return reject(now, candidate, *refused, out);
    if (const auto refused = refuse_content(candidate.request.message))
        return reject(now, candidate, *refused, out);
    const RelayDecision& relay = candidate.relay;
    const proxy::LocationQuestion question{0, relay.target_tenant, relay.target_aor};
    const bool exists = s_.directory.answer(now, question, candidate.request.snapshot).exists;
    s_.reg_event.subscribe(now, candidate.request, {relay.target_tenant, relay.target_aor, exists},
                           out);
}

void RequestIntake::challenge(Now now, const Candidate& candidate, bool stale, ports::Outbox& out) {
    const proxy::IncomingRequest& request = candidate.request;
    if (candidate.relay.is_foreign && candidate.relay.is_any_user)
        s_.counters.add(Counter::relay_denied_total);
    s_.counters.add(Counter::auth_challenges_total);
    const auth::NonceMaker maker{s_.keys, setup_.node, setup_.shard};
    const auto nonce = auth::make_nonce(now, s_.random, maker, request.flow.remote.address);
    const int status = acts_as_server(candidate) ? 401 : 407;
    answer(now, request, status, s_.reply.render_challenge(request, status, nonce.view(), stale),
           out);
}

void RequestIntake::reject(Now now, const Candidate& candidate, const proxy::Rejection& rejection,
                           ports::Outbox& out) {
    const proxy::IncomingRequest& request = candidate.request;
    s_.counters.add(Counter::requests_refused_total);
    answer(now, request, rejection.status, s_.reply.render(request, rejection), out);
}

void RequestIntake::answer(Now now, const proxy::IncomingRequest& request, int status,
                           std::string_view response, ports::Outbox& out) {
    const transport::Flow back = transport::response_flow(request.via, request.flow);
    // In a dialog the To tag is the dialog's, so that it cannot tell whose failure an ACK
    // acknowledges: a transaction must.
    if (request.method() == sip::Method::Invite && request.is_in_dialog()) {
        const transaction::ServerHandle server = s_.transactions.create_server(
            now, request.received(), back, request.snapshot.timers, 0);
        if (server) {
            s_.transactions.respond(now, server, status, response, out.transmits);
            return;
        }
    }
    out.transmits.add(back, response);
}

}  // namespace signalbox::core
