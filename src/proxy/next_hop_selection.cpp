// From a branch's target to the flow by which its request leaves. Implements: RFC 3261 §16.6 step
// 7, §16.12; RFC 3263 §4
#include "base/random.h"
#include "base/text.h"
#include "proxy/owner.h"
#include "proxy/proxy_core.h"
#include "proxy/resumed_request.h"
#include "resolver/locate_server.h"

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

/// Where a request for `target` goes next by the URI `next`. A SIPS target makes it a search for
/// SIPS, whatever a Route says (RFC 3261 §16.6 step 7).
Result<resolver::NextHop> hop_of(std::string_view next, std::string_view target) {
    TRY_ASSIGN(uri, sip::parse_uri(next));
    if (uri.is_sip() && text::istarts_with(target, "sips:")) uri.scheme = sip::Scheme::Sips;
    return resolver::next_hop(uri);
}

std::optional<transport::Flow> flow_to(const resolver::Hop& hop, const ports::Snapshot& snapshot,
                                       const transport::Flow& incoming) {
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
    const resolver::TransportSet transports = transports_of(request.snapshot);
    if (transports.has(transport::Transport::Tls) || hop->is_secure) {
        attempts.domain = transport::PeerDomain::of(hop->host);
        out.tls_domains.emplace_back(hop->host);
    }
    attempts.lookup = resolver_.begin(now, request.snapshot.resolver, *hop, transports,
                                      s_.random.next(), Owner::of_branch(handle, index));
    if (!attempts.lookup) return branch_failed(now, handle, index, 503, out);
    try_next_hop_or_fail(now, handle, index, 503, out);
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
}

HopAttempts& ProxyCore::attempts_of(ResponseContext& context, Branch& branch) {
    if (branch.attempts == nullptr) {
        branch.attempts = context.arena.make_array<HopAttempts>(1).data();
    }
    return *branch.attempts;
}

std::optional<transport::Flow> ProxyCore::next_flow(Now now, const ResponseContext& context,
                                                    HopAttempts& attempts, Progress& progress,
                                                    ports::Outbox& out) {
    const ports::Snapshot& snapshot = *context.snapshot;
    progress = Progress::Exhausted;
    while (attempts.tries < HopAttempts::kTriesMax) {
        resolver::Hop hop;
        progress = resolver_.next(now, snapshot.resolver, attempts.lookup, hop);
        put_questions(out);
        if (progress == Progress::Ready) {
            auto flow = flow_to(hop, snapshot, context.flow);
            if (!flow) {
                s_.counters.add(Counter::next_hops_unsupported_total);
                continue;
            }
            if (transport::is_secure(hop.transport)) flow->domain = attempts.domain;
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
    const auto flow = next_flow(now, context, attempts, progress, out);
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
    s_.counters.add(branch.attempts->tries == 0 ? Counter::dns_failures_total
                                                : Counter::next_hops_exhausted_total);
    branch_failed(now, handle, index, status, out);
}

void ProxyCore::on_dns_reply(Now now, const ports::DnsReply& reply, ports::Outbox& out) {
    waiting_owners_.clear();
    resolver_.answer(now, s_.snapshots.current().resolver, reply.id, reply.records,
                     waiting_owners_);
    put_questions(out);
    for (const uint64_t packed : waiting_owners_) {
        const Owner owner = Owner::unpack(packed);
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
    return flow_to(*hop, request.snapshot, request.flow);
}

/// The flow of a phone behind a NAT: the one by which the dialog was made, or by which it has
/// registered since.
transport::Flow ProxyCore::nated_flow(const IncomingRequest& request,
                                      const DialogToken& token) const {
    const ports::Snapshot& snapshot = request.snapshot;
    transport::Flow flow = token.flow;
    if (!s_.moved_flows.is_empty()) {
        const sip::Uri& phone = request.to.uri;
        const auto moved = s_.moved_flows.find(snapshot.tenant_of_identity(phone),
                                               sip::canonical_user(phone), token.flow);
        const auto listener = moved ? transport::find_listener(snapshot.listeners, moved->transport,
                                                               moved->local, moved->listener)
                                    : std::nullopt;
        if (listener) {
            s_.counters.add(Counter::moved_phones_followed_total);
            flow = *moved;
            flow.listener = *listener;
        }
    }
    // What we opened ourselves may be opened again: it has a local port of its own.
    const bool was_accepted = flow.listener < snapshot.listeners.size() &&
                              snapshot.listeners[flow.listener].bound.port == flow.local.port;
    return was_accepted ? transport::only_by_connection(flow) : flow;
}

std::optional<transport::Flow> ProxyCore::in_dialog_flow(const IncomingRequest& request,
                                                         const Routing& routing) const {
    const DialogToken& token = *routing.token;
    // A GRUU has our own address: where its phone is not known now, the dialog's flow is left.
    if (routing.gruu) return token.flow;
    const auto uri =
        sip::parse_uri(routing.next_route.empty() ? routing.target() : routing.next_route);
    if (!uri) return token.flow;
    const uint64_t hash = hop_hash(*uri);
    const bool is_first_shown = hash == token.next_hop && !token.is_nated;
    const bool is_shown =
        is_first_shown ||
        s_.calls.has_shown(s_.calls.find(request.call_id, request.from.tag, request.to.tag), hash);
    if (!is_shown) return token.is_nated ? nated_flow(request, token) : token.flow;
    const auto hop = hop_of(uri->text, routing.target());
    // A name is not looked up in a dialog: its server is at the other end of the flow by which the
    // dialog was made.
    if (!hop || !hop->address) return token.flow;
    // A WebSocket client is nowhere but at the other end of its own connection (RFC 7118 §5).
    if (transport::is_websocket(hop->transport)) return token.flow;
    if (hop->transport == token.flow.transport && *hop->address == token.flow.remote.address) {
        transport::Flow flow = token.flow;
        flow.remote.port = hop->port;
        return flow;
    }
    return transport::outgoing_flow(request.snapshot.listeners, request.snapshot.own_addresses,
                                    request.flow, hop->transport, {*hop->address, hop->port});
}

}  // namespace signalbox::proxy
