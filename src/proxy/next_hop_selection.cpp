// From a branch's target to the flow by which its request leaves. Implements: RFC 3261 §16.6 step
// 7, §16.12; RFC 3263 §4
#include "base/random.h"
#include "proxy/next_hop.h"
#include "proxy/owner.h"
#include "proxy/proxy_core.h"
#include "proxy/resumed_request.h"

namespace signalbox::proxy {

using resolver::Progress;

namespace {

resolver::TransportSet transports_of(const ports::Snapshot& snapshot) {
    resolver::TransportSet transports;
    for (const transport::Listener& listener : snapshot.listeners) {
        transports.add(listener.transport);
    }
    return transports;
}

/// `dialog`: the flow by which the dialog of the request was made, which is used again where it
/// leads there; null: it is outside a dialog.
std::optional<transport::Flow> flow_to(const resolver::Hop& hop, const ports::Snapshot& snapshot,
                                       const transport::Flow& incoming,
                                       const transport::Flow* dialog = nullptr) {
    const auto kept =
        dialog != nullptr ? dialog_flow_to(*dialog, hop) : std::optional<transport::Flow>{};
    if (kept) return kept;
    return transport::outgoing_flow(snapshot.listeners, snapshot.own_addresses, incoming,
                                    hop.transport, hop.remote);
}

}  // namespace

void ProxyCore::resolve_or_send(Now now, ContextHandle handle, size_t index, const Target& target,
                                const IncomingRequest& request, const Routing& routing,
                                ports::Outbox& out) {
    ResponseContext& context = *contexts_.get(handle);
    Branch& branch = context.branches[index];
    forget_target(branch);
    if (target.has_flow) {
        return send_branch(now, handle, index, target.flow, request, routing, BySize::Yes, out);
    }
    const auto hop = hop_of(next_hop_uri(routing, branch.path, branch.target), branch.target);
    if (!hop) {
        const bool unsupported = hop.error().code == ErrorCode::unsupported_uri_scheme;
        return branch_failed(now, handle, index, unsupported ? 416 : 400, out);
    }
    if (hop->address) {
        const auto flow =
            flow_to({hop->transport, {*hop->address, hop->port}}, request.snapshot, request.flow);
        if (!flow) return branch_failed(now, handle, index, 503, out);
        return send_branch(now, handle, index, *flow, request, routing, BySize::Yes, out);
    }
    HopAttempts& attempts = attempts_of(context, branch);
    const bool is_in_dialog = routing.token && branch.path.empty() && !routing.gruu;
    if (is_in_dialog) attempts.dialog_flow = routing.token->flow;
    // All requests of a dialog choose alike among equal servers.
    const uint64_t draw = is_in_dialog ? routing.token->dialog : s_.random.next();
    begin_lookup(now, request.snapshot, *hop, draw, Owner::of_branch(handle, index), attempts, out);
    try_next_hop_or_fail(now, handle, index, 503, out);
}

/// Without room for a lookup there is no next hop to try.
void ProxyCore::begin_lookup(Now now, const ports::Snapshot& snapshot,
                             const resolver::NextHop& name, uint64_t draw, uint64_t owner,
                             HopAttempts& attempts, ports::Outbox& out) {
    const resolver::TransportSet transports = transports_of(snapshot);
    if (transports.has(transport::Transport::Tls) || name.is_secure) {
        attempts.domain = transport::PeerDomain::of(name.host);
        out.tls_domains.emplace_back(name.host);
    }
    attempts.lookup = resolver_.begin(now, snapshot.resolver, name, transports, draw, owner);
}

/// The branch begins anew with another target; what it left stays left.
void ProxyCore::forget_target(Branch& branch) {
    branch.hop_deadline = kNever;
    if (branch.attempts == nullptr) return;
    HopAttempts& attempts = *branch.attempts;
    resolver_.end(attempts.lookup);
    attempts.lookup = {};
    attempts.is_large_by_stream = false;
    attempts.tries = 0;
    attempts.give_up = kNever;
    attempts.dialog_flow.reset();
}

HopAttempts& ProxyCore::attempts_of(ResponseContext& context, Branch& branch) {
    if (branch.attempts == nullptr) {
        branch.attempts = context.arena.make_array<HopAttempts>(1).data();
    }
    return *branch.attempts;
}

std::optional<transport::Flow> ProxyCore::next_flow(Now now, const ports::Snapshot& snapshot,
                                                    const transport::Flow& incoming,
                                                    HopAttempts& attempts, Progress& progress,
                                                    ports::Outbox& out) {
    const transport::Flow* dialog = attempts.dialog_flow ? &*attempts.dialog_flow : nullptr;
    progress = Progress::Exhausted;
    while (attempts.tries < HopAttempts::kTriesMax) {
        resolver::Hop hop;
        progress = resolver_.next(now, snapshot.resolver, attempts.lookup, hop);
        put_questions(out);
        if (progress == Progress::Ready) {
            auto flow = flow_to(hop, snapshot, incoming, dialog);
            if (!flow) {
                s_.counters.add(Counter::next_hops_unsupported_total);
                continue;
            }
            const bool is_new = flow->connection == transport::Flow::kNoConnection;
            if (transport::is_secure(hop.transport) && is_new) flow->domain = attempts.domain;
            attempts.hop = hop;
            return flow;
        }
        const bool is_overdue =
            progress == Progress::Waiting &&
            resolver_.wait_until(snapshot.resolver, attempts.lookup) <= now.monotonic;
        if (!is_overdue) break;
        resolver_.stop_waiting(now, snapshot.resolver, attempts.lookup);
    }
    return std::nullopt;
}

Progress ProxyCore::try_next_hop(Now now, ContextHandle handle, size_t index, ports::Outbox& out) {
    ResponseContext& context = *contexts_.get(handle);
    Branch& branch = context.branches[index];
    HopAttempts& attempts = *branch.attempts;
    Progress progress;
    const auto flow = next_flow(now, *context.snapshot, context.flow, attempts, progress, out);
    if (!flow) return progress;
    if (attempts.tries > 0) s_.counters.add(Counter::next_hop_failovers_total);
    leave_hop(now, context, branch, {}, out);
    ++attempts.tries;
    const ports::ProxySettings& settings = context.snapshot->proxy;
    if (attempts.give_up == kNever) attempts.give_up = now.monotonic + settings.failover_max;
    const bool has_more =
        attempts.tries < HopAttempts::kTriesMax && resolver_.has_more(attempts.lookup);
    if (has_more) {
        branch.hop_deadline = std::min(now.monotonic + settings.failover_wait, attempts.give_up);
    } else {
        branch.hop_deadline = attempts.tries > 1 ? attempts.give_up : kNever;
    }
    const ResumedRequest resumed(context);
    const auto routing = preprocess_route(resumed.request(), s_.keys, now.wall);
    CHECK(routing.has_value());
    send_branch(now, handle, index, *flow, resumed.request(), *routing, BySize::Yes, out);
    arm(handle);
    return progress;
}

void ProxyCore::try_next_hop_or_fail(Now now, ContextHandle handle, size_t index, int status,
                                     ports::Outbox& out) {
    const Progress progress = try_next_hop(now, handle, index, out);
    if (progress == Progress::Ready) return;
    Branch& branch = contexts_.get(handle)->branches[index];
    if (progress == Progress::Waiting) {
        branch.state = BranchState::Resolving;
        branch.deadline = kNever;
        branch.hop_deadline = resolver_.wait_until(contexts_.get(handle)->snapshot->resolver,
                                                   branch.attempts->lookup);
        return arm(handle);
    }
    const bool is_untried = branch.attempts->tries == 0;
    s_.counters.add(is_untried ? Counter::dns_failures_total : Counter::next_hops_exhausted_total);
    if (is_untried && branch.attempts->dialog_flow)
        return send_by_dialog_flow(now, handle, index, out);
    branch_failed(now, handle, index, status, out);
}

/// DNS does not say where the far side of the dialog is: where it was is better than nothing.
void ProxyCore::send_by_dialog_flow(Now now, ContextHandle handle, size_t index,
                                    ports::Outbox& out) {
    const ResponseContext& context = *contexts_.get(handle);
    HopAttempts& attempts = *context.branches[index].attempts;
    s_.counters.add(Counter::dialog_names_unresolved_total);
    resolver_.end(std::exchange(attempts.lookup, {}));
    const ResumedRequest resumed(context);
    const auto routing = preprocess_route(resumed.request(), s_.keys, now.wall);
    CHECK(routing.has_value());
    const transport::Flow flow = *attempts.dialog_flow;
    send_branch(now, handle, index, flow, resumed.request(), *routing, BySize::Yes, out);
}

void ProxyCore::on_dns_reply(Now now, const ports::DnsReply& reply, ports::Outbox& out) {
    waiting_owners_.clear();
    resolver_.answer(now, s_.snapshots.current().resolver, reply.id, reply.records,
                     waiting_owners_);
    put_questions(out);
    for (const uint64_t packed : waiting_owners_) {
        const Owner owner = Owner::unpack(packed);
        if (owner.kind == Owner::Kind::WaitingAck) {
            go_on_with_ack(now, owner.waiting_ack(), out);
            continue;
        }
        const ResponseContext* context = contexts_.get(owner.context());
        if (context == nullptr || owner.branch >= context->branches.size()) continue;
        if (context->branches[owner.branch].state != BranchState::Resolving) continue;
        // RFC 3263 §4.3: nothing to try is as if a 503 had come.
        try_next_hop_or_fail(now, owner.context(), owner.branch, 503, out);
    }
}

void ProxyCore::put_questions(ports::Outbox& out) {
    for (resolver::Resolver::Asked& asked : resolver_.questions()) {
        out.dns_requests.push_back({asked.id, std::move(asked.question)});
    }
    resolver_.questions().clear();
}

std::optional<transport::Flow> ProxyCore::known_flow(Now now, const IncomingRequest& request,
                                                     const Routing& routing, uint64_t draw) {
    const auto next = hop_of(next_hop_uri(routing, {}, routing.target()), routing.target());
    if (!next) return std::nullopt;
    const transport::Flow* dialog = routing.token ? &routing.token->flow : nullptr;
    if (next->address) {
        return flow_to({next->transport, {*next->address, next->port}}, request.snapshot,
                       request.flow);
    }
    // What DNS says, and which servers fail, may change between a request and its retransmission;
    // its server may not.
    const uint64_t key = draw ^ siphash(s_.keys.current().siphash_key, next->host);
    const auto known = stateless_hops_.find(now.monotonic, key);
    const auto hop =
        known ? known : resolver_.pick(now, *next, transports_of(request.snapshot), draw);
    if (!hop) return std::nullopt;
    const bool is_kept =
        known || request.mode != ports::ProxyMode::Stateless ||
        stateless_hops_.note(now.monotonic, key, *hop, now.monotonic + stateless_life(request));
    if (!is_kept) {
        s_.counters.add(Counter::stateless_choices_refused_total);
        return std::nullopt;
    }
    return flow_to(*hop, request.snapshot, request.flow, dialog);
}

}  // namespace signalbox::proxy
