// The proxy's beginning of a request: context, 100, call, targets. Implements: RFC 3261 §16.2,
// §16.5
#include "proxy/proxy_core.h"

#include <array>
#include <charconv>

#include "proxy/asserted_identity.h"
#include "proxy/owner.h"
#include "proxy/resumed_request.h"
#include "sip/params.h"
#include "sip/response_builder.h"
#include "transport/receive.h"

namespace signalbox::proxy {

using ports::EndedBy;
using sip::HeaderId;
using sip::Method;

namespace {

/// "192.0.2.1:5060" on the stack.
class SourceText final {
 public:
    explicit SourceText(const Endpoint& endpoint) {
        char* const colon = text_.data() + write_host(endpoint.address, text_.data());
        *colon = ':';
        const auto end = std::to_chars(colon + 1, text_.data() + text_.size(), endpoint.port).ptr;
        size_ = static_cast<size_t>(end - text_.data());
    }
    std::string_view view() const { return {text_.data(), size_}; }

 private:
    std::array<char, 64> text_;
    size_t size_ = 0;
};

/// A display name without its quotes; `scratch` is used only where it has quoted pairs.
std::string_view plain_display(std::string_view display, std::string& scratch) {
    if (display.find('\\') != std::string_view::npos) {
        scratch = sip::unquote(display);
        return scratch;
    }
    const bool is_quoted = display.size() >= 2 && display.front() == '"' && display.back() == '"';
    return is_quoted ? display.substr(1, display.size() - 2) : display;
}

/// With views of the copy for what is read again when the request is answered.
void keep_request(ResponseContext& context, const IncomingRequest& request) {
    const std::string_view received = request.message.bytes();
    context.request = context.arena.copy(received);
    const auto kept = [&](std::string_view part) {
        if (part.empty()) return std::string_view{};
        return context.request.substr(static_cast<size_t>(part.data() - received.data()),
                                      part.size());
    };
    context.call_id = kept(request.call_id);
    context.from_tag = kept(request.from.tag);
    context.to_tag = kept(request.to.tag);
    context.reason = kept(request.message.value(HeaderId::Reason));
}

}  // namespace

ProxyCore::ProxyCore(const Setup& setup, const Services& services)
    : setup_(setup),
      s_(services),
      contexts_(std::min(setup.contexts_max, Owner::kIndexMax)),
      shown_targets_(services.random, services.counters),
      resolver_({.lookups_max = setup.contexts_max}, services.keys.current().siphash_key,
                services.counters),
      stateless_choices_(services.keys.current().siphash_key) {}

ProxyCore::~ProxyCore() = default;

void ProxyCore::start(Now now, const IncomingRequest& request, const Routing& routing,
                      const Admission& admission, ports::Outbox& out) {
    note_refreshed_target(request, routing);
    if (request.mode == ports::ProxyMode::Stateless &&
        start_stateless(now, request, routing, admission, out)) {
        return;
    }
    start_stateful(now, request, routing, admission, out);
}

void ProxyCore::start_stateful(Now now, const IncomingRequest& request, const Routing& routing,
                               const Admission& admission, ports::Outbox& out) {
    const ContextHandle handle = begin(now, request, admission, out);
    if (!handle) {
        s_.counters.add(Counter::overload_refused_total);
        Rejection overloaded{503, {}, {}};
        overloaded.headers[0] = {"Retry-After", "5"};
        s_.reply.send_stateless(request.message, request.flow, request.snapshot, overloaded,
                                out.transmits);
        return;
    }
    find_targets(now, handle, request, routing, admission.relay, out);
}

ContextHandle ProxyCore::begin(Now now, const IncomingRequest& request, const Admission& admission,
                               ports::Outbox& out) {
    const ContextHandle handle = contexts_.emplace(s_.pool);
    if (!handle) return {};
    ResponseContext& context = *contexts_.get(handle);
    context.server = s_.transactions.create_server(
        now, request.received(), transport::response_flow(request.via, request.flow),
        request.snapshot.timers, handle.packed());
    if (!context.server) {
        contexts_.erase(handle);
        return {};
    }
    context.snapshot = s_.snapshots.use();
    keep_request(context, request);
    context.flow = request.flow;
    context.method = request.method();
    context.started = now;
    context.loop_hash = admission.loop_hash;
    context.is_for_us = admission.relay.target_tenant != ports::kNoTenant;
    context.is_proven = admission.is_proven;
    if (!admission.asserted.empty()) {
        write_asserted_identity(request, admission.asserted, rendered_);
        context.asserted = context.arena.copy(rendered_);
    }
    context.timer.kind = kContextTimer;
    context.timer.owner = handle.packed();
    if (context.is_invite()) {
        s_.transactions.respond(now, context.server, 100, s_.reply.render(request, 100),
                                out.transmits);
    }
    begin_call(context, request, admission, out);
    return handle;
}

void ProxyCore::begin_call(ResponseContext& context, const IncomingRequest& request,
                           const Admission& admission, ports::Outbox& out) {
    if (request.method() == Method::Bye) {
        // Knowing the tags is not enough to end somebody's record.
        if (!admission.is_proven) return;
        context.call = s_.calls.find(request.call_id, request.from.tag, request.to.tag);
        const bool by_caller = s_.calls.is_caller_tag(context.call, request.from.tag);
        // Already now: his 487 may overtake the answer to the BYE.
        s_.calls.bye_before_answer(context.call, by_caller ? EndedBy::Caller : EndedBy::Callee);
        return;
    }
    if (!context.is_invite() || request.is_in_dialog()) return;
    if (admission.is_proven || s_.calls.find(request.call_id, request.from.tag))
        return record_call(context, request, admission.user, out);
    context.is_unrecorded = true;
}

void ProxyCore::record_call(ResponseContext& context, const IncomingRequest& request,
                            std::string_view user, ports::Outbox& out) {
    context.is_unrecorded = false;
    const SourceText source(request.flow.remote);
    std::string scratch;
    cdr::CallStart start;
    start.call_id = request.call_id;
    start.caller_tag = request.from.tag;
    start.from = request.from.uri_text;
    start.from_display = plain_display(request.from.display_name, scratch);
    start.to = request.to.uri_text;
    start.request_uri = request.message.request_uri();
    start.user = user;
    start.source = source.view();
    start.snapshot_version = request.snapshot.version;
    start.call_max = request.snapshot.limits.call_max;
    context.call = s_.calls.begin(context.started, start, out);
}

/// A stranger may call numbers at random for ever: what reaches no user of ours is counted and
/// leaves no record.
void ProxyCore::settle_record(ResponseContext& context, const IncomingRequest& request,
                              bool reaches_user, ports::Outbox& out) {
    if (!context.is_unrecorded) return;
    if (!reaches_user) {
        context.is_unrecorded = false;
        s_.counters.add(Counter::stranger_calls_unrecorded_total);
        return;
    }
    record_call(context, request, {}, out);
    const EarlyEnd& end = context.early_end;
    if (context.is_final_sent)
        s_.calls.failed(end.at, context.call, end.status, end.by, end.reason, out);
}

void ProxyCore::reply_final(Now now, ContextHandle handle, const Rejection& rejection,
                            ports::Outbox& out) {
    ResponseContext& context = *contexts_.get(handle);
    const ResumedRequest resumed(context);
    const std::string_view text =
        s_.reply.render(resumed.message(), context.flow, *context.snapshot, rejection);
    s_.counters.add(Counter::requests_refused_total);
    const EndedBy by = context.is_cancelled ? EndedBy::Caller : EndedBy::Server;
    const std::string_view reason =
        rejection.reason.empty() ? sip::default_reason(rejection.status) : rejection.reason;
    send_upstream(now, handle, rejection.status, text, by, reason, out);
}

void ProxyCore::reply_trying(Now now, ContextHandle handle, ports::Outbox& out) {
    const ResponseContext* context = contexts_.get(handle);
    if (context == nullptr || context->is_final_sent) return;
    const ResumedRequest resumed(*context);
    s_.transactions.respond(
        now, context->server, 100,
        s_.reply.render(resumed.message(), context->flow, *context->snapshot, 100), out.transmits);
}

void ProxyCore::on_transaction_event(Now now, const transaction::TransactionEvent& event,
                                     ports::Outbox& out) {
    using Kind = transaction::TransactionEvent::Kind;
    switch (event.kind) {
        case Kind::ClientTimeout:
            if (Owner::unpack(event.owner).kind == Owner::Kind::OtherUser)
                s_.other_user.on_response(now, event.owner, {408, nullptr}, out);
            attempt_failed(now, event, 408, out);
            break;
        case Kind::ClientTransportError:
            // As if a 503 had come (RFC 3261 §16.9).
            if (Owner::unpack(event.owner).kind == Owner::Kind::OtherUser)
                s_.other_user.on_response(now, event.owner, {503, nullptr}, out);
            attempt_failed(now, event, 503, out);
            break;
        case Kind::TryingDue:
            reply_trying(now, ContextHandle::unpack(event.owner), out);
            break;
        case Kind::ServerEnded: {
            const ContextHandle handle = ContextHandle::unpack(event.owner);
            ResponseContext* context = contexts_.get(handle);
            if (context == nullptr) break;
            // Deviation: RFC 3261 §16.9 — when no response can reach the caller any more, the
            // phones that ring are cancelled: whoever took such a call would talk to nobody.
            context->is_cancelled = true;
            note_final(now, *context, 500, EndedBy::Server, "The caller's connection is gone", out);
            context->is_final_sent = true;
            cancel_pending(now, handle, {}, out);
            break;
        }
    }
}

void ProxyCore::finish_if_done(ContextHandle handle) {
    ResponseContext* context = contexts_.get(handle);
    if (context == nullptr || !context->is_final_sent || context->is_locating ||
        context->fork.is_starting)
        return;
    for (const Branch& branch : context->branches) {
        if (branch.state != BranchState::Final) return;
    }
    for (const Branch& branch : context->branches) end_attempts(*context, branch);
    if (context->is_invite()) {
        for (const Branch& branch : context->branches) {
            if (branch.client) {
                s_.transactions.set_owner(
                    branch.client, Owner::of_late_success(context->server, branch.is_binding));
            }
        }
    }
    contexts_.erase(handle);
}

}  // namespace signalbox::proxy
