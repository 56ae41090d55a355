// What the proxy does with a response. Implements: RFC 3261 §16.7; RFC 6026 §8; RFC 4320 §4; RFC
// 3326
#include <algorithm>

#include "proxy/owner.h"
#include "proxy/proxy_core.h"
#include "proxy/response_forwarding.h"
#include "proxy/response_selection.h"
#include "proxy/resumed_request.h"
#include "proxy/session_timer.h"
#include "sip/edit_list.h"
#include "sip/response_builder.h"

namespace signalbox::proxy {

using ports::EndedBy;
using sip::HeaderId;
using sip::Method;

namespace {

/// RFC 3261 §18.1.2: only what we once wrote into a Via comes back to us. The address at which the
/// response arrived may be newer than the configuration's list of ours.
bool is_own_sent_by(const sip::Via& via, const transport::Flow& flow,
                    const ports::Snapshot& snapshot) {
    const uint16_t port = via.port_or_default();
    const bool is_listening = std::any_of(
        snapshot.listeners.begin(), snapshot.listeners.end(),
        [port](const transport::Listener& listener) { return listener.bound.port == port; });
    if (is_listening && IpAddress::parse(via.host) == flow.local.address) return true;
    sip::Uri sent_by;
    sent_by.scheme = sip::Scheme::Sip;
    sent_by.host = via.host;
    sent_by.port = port;
    return snapshot.is_own_address(sent_by);
}

/// RFC 3261 §16.7 step 6: without any final response a 408 is sent.
constexpr Branch kNobodyAnswered = [] {
    Branch branch;
    branch.is_local = true;
    branch.status = 408;
    return branch;
}();

}  // namespace

void ProxyCore::on_response(Now now, const sip::MessageView& message, const sip::KeyFields& fields,
                            const transport::Flow& flow, ports::Outbox& out) {
    const auto branch = transaction::read_branch(fields.via.branch, s_.keys, now.wall);
    if (!branch || !is_own_sent_by(fields.via, flow, s_.snapshots.current())) {
        s_.counters.add(Counter::rx_response_sent_by_mismatch_dropped_total);
        return;
    }
    const IncomingResponse response{message, flow, fields, *branch};
    if (branch->kind == transaction::BranchKind::Stateless)
        return forward_stateless_response(now, response, out);
    if (branch->kind == transaction::BranchKind::KeepAlive)
        return s_.counters.add(Counter::nat_keep_alives_answered_total);
    const transaction::ResponseMatch match =
        s_.transactions.receive_response(now, message, *branch, out.transmits);
    if (match.kind != transaction::ResponseMatch::Kind::Pass) return;
    const Owner owner = Owner::unpack(match.owner);
    if (owner.kind == Owner::Kind::OtherUser)
        return s_.other_user.on_response(now, match.owner, {response.status(), &message}, out);
    if (owner.kind == Owner::Kind::LateSuccess)
        return on_late_success(now, match.owner, response, out);
    const ContextHandle handle = owner.context();
    ResponseContext* context = contexts_.get(handle);
    if (context == nullptr || owner.branch >= context->branches.size()) {
        s_.counters.add(Counter::stale_handles_dropped_total);
        return;
    }
    Branch& branch_of_response = context->branches[owner.branch];
    if (branch_of_response.attempts != nullptr && match.client != branch_of_response.client) {
        return on_left_hop_response(now, handle, owner.branch, match.client, response, out);
    }
    note_hop_answered(now, branch_of_response, response.status(), out);
    if (response.status() < 200) {
        on_provisional(now, handle, owner.branch, response, out);
    } else {
        on_final(now, handle, owner.branch, response, out);
    }
}

void ProxyCore::on_provisional(Now now, ContextHandle handle, size_t index,
                               const IncomingResponse& response, ports::Outbox& out) {
    ResponseContext& context = *contexts_.get(handle);
    Branch& branch = context.branches[index];
    branch.has_provisional = true;
    // 100 is hop by hop; to other than INVITE nothing but 100 is lawful, and ours is made by the
    // clock (RFC 4320 §4.1).
    if (response.status() == 100 || !context.is_invite()) return;
    branch.has_rung = true;
    if (!branch.is_cancelled) {
        branch.deadline = now.monotonic + context.snapshot->timers.c;
        arm(handle);
    }
    if (context.is_final_sent) return;
    if (!render_response(response, context.flow, branch.is_binding, *context.snapshot, setup_.node,
                         s_.keys, now.wall, rendered_))
        return;
    s_.calls.ringing(now, context.call, branch.leg, branch.target, out);
    if (s_.transactions.respond(now, context.server, response.status(), rendered_, out.transmits)) {
        s_.counters.add(Counter::responses_forwarded_total);
    }
}

void ProxyCore::on_final(Now now, ContextHandle handle, size_t index,
                         const IncomingResponse& response, ports::Outbox& out) {
    ResponseContext& context = *contexts_.get(handle);
    Branch& branch = context.branches[index];
    const bool is_first = branch.state != BranchState::Final;
    // A proxy before the phone says that its flow has failed, or that nothing came by it (RFC 5626
    // §7).
    const bool is_flow_failure =
        response.status() == 430 || (response.status() == 408 && !branch.has_rung);
    if (is_first && is_flow_failure && try_other_flow(now, handle, index, out)) return;
    if (is_first && response.status() == 503 &&
        leave_overloaded_hop(now, handle, index, response, out)) {
        return;
    }
    if (!render_response(response, context.flow, branch.is_binding, *context.snapshot, setup_.node,
                         s_.keys, now.wall, rendered_)) {
        if (is_first) branch_failed(now, handle, index, 502, out);
        return;
    }
    end_branch(context, index);
    if (response.status() < 300) {
        branch.status = response.status();
        note_contacts(now, context, response);
        return on_success(now, handle, index, response, out);
    }
    if (!is_first) return;
    // We have cancelled it so that others ring: nobody took the call there in time.
    if (branch.is_left && response.status() == 487) {
        branch.is_local = true;
        branch.status = 408;
        return send_best_if_done(now, handle, out);
    }
    branch.status = response.status();
    branch.response = context.arena.copy(rendered_);
    if (recurse(now, handle, index, out)) return;
    // A 6xx speaks for the callee everywhere: the others stop ringing, and their answers are waited
    // for (§16.7 step 5).
    if (branch.status >= 600) cancel_pending(now, handle, {}, out);
    send_best_if_done(now, handle, out);
}

void ProxyCore::on_success(Now now, ContextHandle handle, size_t index,
                           const IncomingResponse& response, ports::Outbox& out) {
    ResponseContext& context = *contexts_.get(handle);
    const Branch& branch = context.branches[index];
    if (!context.is_invite() && context.is_final_sent) return finish_if_done(handle);
    if (context.is_invite()) {
        s_.calls.answered(now, context.call, branch.leg, response.to_tag(), branch.target, out);
    } else {
        note_final(now, context, response.status(), EndedBy::Callee, response.message.reason(),
                   out);
    }
    context.is_final_sent = true;
    if (s_.transactions.respond(now, context.server, response.status(), rendered_, out.transmits)) {
        s_.counters.add(Counter::responses_forwarded_total);
    }
    cancel_pending(now, handle, kAnsweredElsewhere, out);
}

void ProxyCore::on_late_success(Now now, uint64_t packed_owner, const IncomingResponse& response,
                                ports::Outbox& out) {
    const Owner owner = Owner::unpack(packed_owner);
    if (!response.is_success() || !s_.transactions.is_live(owner.server())) {
        s_.counters.add(Counter::stray_responses_dropped_total);
        return;
    }
    const ports::Snapshot& snapshot = s_.snapshots.current();
    const transport::Flow upstream = s_.transactions.server_flow(owner.server());
    if (!render_response(response, upstream, owner.branch != 0, snapshot, setup_.node, s_.keys,
                         now.wall, rendered_))
        return;
    const cdr::CallHandle call = s_.calls.find(response.call_id(), response.from_tag());
    s_.calls.answered(now, call, 0, response.to_tag(), {}, out);
    if (s_.transactions.respond(now, owner.server(), response.status(), rendered_, out.transmits)) {
        s_.counters.add(Counter::responses_forwarded_total);
    }
}

void ProxyCore::branch_failed(Now now, ContextHandle handle, size_t index, int status,
                              ports::Outbox& out) {
    ResponseContext* context = contexts_.get(handle);
    if (context == nullptr || index >= context->branches.size()) {
        s_.counters.add(Counter::stale_handles_dropped_total);
        return;
    }
    Branch& branch = context->branches[index];
    if (branch.state == BranchState::Final) return;
    const bool is_flow_failure = status == 503 || (status == 408 && !branch.has_provisional);
    if (is_flow_failure && try_other_flow(now, handle, index, out)) return;
    // RFC 5626 §5.3: whoever sent it here has other flows of that phone to try.
    if (status == 503 && branch.is_edge_flow) status = 430;
    // As for a call to such a phone: it is away until it has another connection.
    if (status == 503 && branch.is_only_by_connection) status = 480;
    end_branch(*context, index);
    branch.is_local = true;
    branch.status = context->is_cancelled && context->is_invite() ? 487 : status;
    branch.client = {};
    send_best_if_done(now, handle, out);
}

/// False when it had ended before. What it held of the Max-Breadth is free again (RFC 5393 §5.3.4).
bool ProxyCore::end_branch(ResponseContext& context, size_t index) {
    Branch& branch = context.branches[index];
    if (branch.state == BranchState::Final) return false;
    branch.state = BranchState::Final;
    branch.deadline = kNever;
    context.fork.breadth_free = static_cast<uint8_t>(context.fork.breadth_free + branch.breadth);
    branch.breadth = 0;
    return true;
}

void ProxyCore::send_best_if_done(Now now, ContextHandle handle, ports::Outbox& out) {
    ResponseContext* found = contexts_.get(handle);
    if (found == nullptr) return;  // the failure of another branch has just ended it
    ResponseContext& context = *found;
    if (context.fork.is_starting) return;
    if (context.has_waiting()) return continue_fork(now, handle, out);
    for (const Branch& branch : context.branches) {
        if (branch.state != BranchState::Final) return;
    }
    if (context.is_final_sent) return finish_if_done(handle);
    // Only what was tried instead of others may have said nothing itself.
    const auto best = best_response(context.branches, context.is_invite());
    const Branch& chosen = best ? context.branches[*best] : kNobodyAnswered;
    if (chosen.status == 408 && !context.is_invite()) {
        // Nobody can use a 408 to other than INVITE, whoever made it: the client has given up by
        // then (RFC 4320 §4.2).
        note_final(now, context, 408, EndedBy::Server, "Request Timeout", out);
        s_.transactions.abandon(now, context.server, out.transmits);
        context.is_final_sent = true;
        return finish_if_done(handle);
    }
    if (!chosen.is_local && upstream_status(chosen.status) == chosen.status) {
        const bool is_challenge = chosen.status == 401 || chosen.status == 407;
        const std::string_view text =
            is_challenge ? with_all_challenges(context, *best) : chosen.response;
        const EndedBy by = context.is_cancelled ? EndedBy::Caller : EndedBy::Callee;
        const size_t line_end = chosen.response.find("\r\n");
        return send_upstream(now, handle, chosen.status, text, by,
                             chosen.response.substr(12, line_end - 12), out);
    }
    reply_final(now, handle, {upstream_status(chosen.status), {}, {}}, out);
}

std::string_view ProxyCore::with_all_challenges(const ResponseContext& context, size_t best) {
    sip::MessageView chosen;
    if (!sip::parse_message(context.branches[best].response, chosen))
        return context.branches[best].response;
    sip::EditList edits(chosen);
    for (size_t i = 0; i < context.branches.size(); ++i) {
        const Branch& branch = context.branches[i];
        if (i == best || (branch.status != 401 && branch.status != 407) || branch.response.empty())
            continue;
        sip::MessageView other;
        if (!sip::parse_message(branch.response, other)) continue;
        for (const HeaderId id : {HeaderId::WwwAuthenticate, HeaderId::ProxyAuthenticate}) {
            for (const sip::HeaderField* field = other.first(id); field != nullptr;
                 field = other.next(field)) {
                edits.append_header(sip::header_name(id), other.value(*field));
            }
        }
    }
    if (!edits.ok()) return context.branches[best].response;
    edits.render(challenged_);
    return challenged_;
}

void ProxyCore::send_upstream(Now now, ContextHandle handle, int status, std::string_view response,
                              EndedBy by, std::string_view reason, ports::Outbox& out) {
    ResponseContext& context = *contexts_.get(handle);
    note_final(now, context, status, by, reason, out);
    context.is_final_sent = true;
    if (s_.transactions.respond(now, context.server, status, response, out.transmits)) {
        s_.counters.add(Counter::responses_forwarded_total);
    }
    finish_if_done(handle);
}

void ProxyCore::note_final(Now now, ResponseContext& context, int status, EndedBy by,
                           std::string_view reason, ports::Outbox& out) {
    if (context.is_final_sent) return;
    if (context.is_unrecorded) {
        if (context.is_locating) {
            context.early_end = {now, status, by, context.arena.copy(reason)};
            return;
        }
        // Whether it was for a user of ours will never be known: no call of theirs may go missing.
        settle_record(context, ResumedRequest(context).request(), true, out);
    }
    if (!context.call) return;
    if (context.is_invite()) return s_.calls.failed(now, context.call, status, by, reason, out);
    // A BYE ends its dialog when the far side takes it, does not know the dialog any more, or is
    // gone (RFC 3261 §12.2.1.2, §15.1.1). Refused for another reason, it leaves the dialog as it
    // was.
    const bool is_over = status < 300 || status == 481 || status == 408 || by == EndedBy::Server;
    if (context.method != Method::Bye || !is_over) return;
    const bool by_caller = s_.calls.is_caller_tag(context.call, context.from_tag);
    s_.calls.dialog_ended(context.call, context.started,
                          by_caller ? context.to_tag : context.from_tag,
                          by_caller ? EndedBy::Caller : EndedBy::Callee,
                          context.reason.empty() ? "BYE" : context.reason, out);
}

void ProxyCore::note_contacts(Now now, const ResponseContext& context,
                              const IncomingResponse& response) {
    if (!begins_dialog(context.method) && context.method != Method::Update) return;
    const cdr::CallHandle call =
        context.call ? context.call
                     : s_.calls.find(response.call_id(), response.from_tag(), response.to_tag());
    // Knowing the tags is not enough to shorten a session that is up.
    const bool may_refresh = context.is_proven || !s_.calls.is_answered(call);
    if (refreshes_session(context.method) && may_refresh)
        s_.calls.session_refreshed(now, call, session_interval(response.message));
    const bool is_in_dialog = !context.to_tag.empty();
    // The beginning of any other dialog is in its Record-Route; an ACK may come without one.
    if (!is_in_dialog && !context.is_invite()) return;
    std::optional<DialogToken> token;
    if (is_in_dialog) {
        const ResumedRequest resumed(context);
        const auto routing = preprocess_route(resumed.request(), s_.keys, now.wall);
        CHECK(routing.has_value());
        token = routing->token;
    }
    const std::string_view answered_by = is_in_dialog ? context.to_tag : response.to_tag();
    note_answered_target(response, token ? &*token : nullptr,
                         {context.call_id, answered_by, context.from_tag});
}

}  // namespace signalbox::proxy
