// CANCEL from the caller, and CANCELs that we send. Implements: RFC 3261 §9.2, §16.10
#include "proxy/loop_detection.h"
#include "proxy/owner.h"
#include "proxy/proxy_core.h"
#include "proxy/response_selection.h"
#include "transport/receive.h"

namespace signalbox::proxy {

using ports::EndedBy;
using sip::HeaderId;

namespace {

/// The values of all Reason header fields: one for each protocol (RFC 3326 §2).
std::string all_reasons(const sip::MessageView& message) {
    std::string reasons;
    for (const sip::HeaderField* field = message.first(HeaderId::Reason); field != nullptr;
         field = message.next(field)) {
        if (!reasons.empty()) reasons += ", ";
        reasons += message.value(*field);
    }
    return reasons;
}

}  // namespace

void ProxyCore::on_cancel(Now now, const IncomingRequest& request,
                          transaction::ServerHandle cancelled, ports::Outbox& out) {
    if (!cancelled) {
        // We may have forwarded the INVITE without state, then its CANCEL takes the same way
        // (§16.10).
        const auto routing = preprocess_route(request, s_.keys, now.wall);
        if (routing && request.mode == ports::ProxyMode::Stateless) {
            const RelayDecision relay = decide_relay(request, *routing);
            const Admission admission{
                relay, {}, loop_hash(request, *routing, relay, s_.keys.current().siphash_key)};
            const bool is_allowed =
                (relay.kind == RelayDecision::Kind::Allowed || routing->token) &&
                can_go_on(now, request, admission.loop_hash);
            if (is_allowed && start_stateless(now, request, *routing, admission, out)) return;
        }
        // Deviation: RFC 3261 §8.2.7, §16.10 — a CANCEL for what was answered without state, or
        // for what we do not know, gets 481, as §9.2 asks of a server with transactions, and is
        // neither passed over nor passed on: nobody behind us has its branch.
        s_.reply.send_stateless(request.message, request.flow, request.snapshot, {481, {}, {}},
                                out.transmits);
        return;
    }
    // The CANCEL's own transaction absorbs its retransmissions and answers them with the same 200.
    const transaction::ServerHandle server = s_.transactions.create_server(
        now, request.received(), transport::response_flow(request.via, request.flow),
        request.snapshot.timers, 0);
    const std::string_view ok = s_.reply.render(request, 200);
    if (server) {
        s_.transactions.respond(now, server, 200, ok, out.transmits);
    } else {
        out.transmits.add(transport::response_flow(request.via, request.flow), ok);
    }
    const ContextHandle handle = ContextHandle::unpack(s_.transactions.owner(cancelled));
    ResponseContext* context = contexts_.get(handle);
    // No other request than INVITE is ended by it (RFC 3261 §9.2).
    if (context == nullptr || !context->is_invite()) return;
    if (context->is_final_sent || context->is_cancelled) return;
    context->is_cancelled = true;
    if (context->is_locating) return reply_final(now, handle, {487, {}, {}}, out);
    cancel_pending(now, handle, all_reasons(request.message), out);
}

void ProxyCore::cancel_pending(Now now, ContextHandle handle, std::string_view reason,
                               ports::Outbox& out) {
    // Those that wait are not tried any more.
    if (ResponseContext* whole = contexts_.get(handle))
        whole->branches = whole->branches.first(whole->fork.begun);
    // Branches that have nothing to cancel fail at once, and the last of them ends the context.
    for (size_t i = 0;
         contexts_.get(handle) != nullptr && i < contexts_.get(handle)->branches.size(); ++i) {
        ResponseContext& context = *contexts_.get(handle);
        Branch& branch = context.branches[i];
        if (branch.is_cancelled) continue;
        if (branch.state == BranchState::Sent && context.is_invite()) {
            branch.is_cancelled = true;
            branch.deadline = kNever;
            s_.transactions.cancel(now, branch.client, reason, out.transmits);
        } else if (branch.state == BranchState::Resolving) {
            branch_failed(now, handle, i, 487, out);
        }
    }
    finish_if_done(handle);
}

}  // namespace signalbox::proxy
