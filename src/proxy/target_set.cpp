// The proxy's way from a request to its branches. Implements: RFC 3261 §16.5, §16.6
#include "ports/sharding.h"
#include "proxy/owner.h"
#include "proxy/proxy_core.h"
#include "proxy/resumed_request.h"
#include "resolver/locate_server.h"

namespace signalbox::proxy {

using ports::EndedBy;

namespace {

constexpr uint64_t kWholeContext = 63;  // not a branch: the answer is for the context

uint64_t question_id(ContextHandle handle) {
    return Owner::of_branch(handle, kWholeContext);
}

/// The target as a Request-URI: header fields have no place in one (RFC 3261 §19.1.1, §16.6 step
/// 2).
std::string_view without_headers(std::string_view target) {
    const auto uri = sip::parse_uri(target);
    if (!uri || uri->headers.empty()) return target;
    return target.substr(0, static_cast<size_t>(uri->headers.data() - target.data()) - 1);
}

/// Keeps each URI once: two registrations of the same Contact ring one phone.
void remove_equal_targets(std::vector<Target>& targets) {
    for (size_t i = 0; i < targets.size(); ++i) {
        for (size_t j = targets.size(); j-- > i + 1;) {
            if (targets[i].uri == targets[j].uri && targets[i].flow == targets[j].flow) {
                targets.erase(targets.begin() + static_cast<std::ptrdiff_t>(j));
            }
        }
    }
}

}  // namespace

void ProxyCore::find_targets(Now now, ContextHandle handle, const IncomingRequest& request,
                             const Routing& routing, const RelayDecision& relay,
                             ports::Outbox& out) {
    ResponseContext& context = *contexts_.get(handle);
    if (routing.token) {
        const auto flow = in_dialog_flow(request, routing);
        const Target target{routing.target_uri, 1000, flow.has_value(),
                            flow.value_or(transport::Flow{})};
        if (!flow) return reply_final(now, handle, {480, {}, {}}, out);
        return fork(now, handle, request, routing, {&target, 1}, out);
    }
    if (relay.is_foreign) {
        const Target target{routing.target_uri, 1000, false, {}};
        return fork(now, handle, request, routing, {&target, 1}, out);
    }
    LocationQuestion question{question_id(handle), relay.target_tenant, relay.target_aor};
    const uint8_t shard = ports::shard_of_aor(question.tenant, question.aor, setup_.shards);
    if (shard == setup_.shard) {
        const LocationAnswer& answer = s_.directory.answer(now, question, request.snapshot);
        settle_record(context, request, answer.exists, out);
        return take_targets(now, handle, request, routing, answer, out);
    }
    context.is_locating = true;
    s_.wheel.arm(context.timer, now.monotonic + request.snapshot.limits.port_timeout);
    encode(ShardMessage(question), out.shard_message(shard));
}

void ProxyCore::on_location_answer(Now now, const LocationAnswer& answer, ports::Outbox& out) {
    const ContextHandle handle = Owner::unpack(answer.id).context();
    ResponseContext* context = contexts_.get(handle);
    if (context == nullptr || !context->is_locating) {
        s_.counters.add(Counter::stale_handles_dropped_total);
        return;
    }
    context->is_locating = false;
    s_.wheel.cancel(context->timer);
    const ResumedRequest resumed(*context);
    settle_record(*context, resumed.request(), answer.exists, out);
    if (context->is_final_sent) return finish_if_done(handle);
    const auto routing = preprocess_route(resumed.request(), s_.keys, now.wall);
    CHECK(routing.has_value());
    take_targets(now, handle, resumed.request(), *routing, answer, out);
}

void ProxyCore::take_targets(Now now, ContextHandle handle, const IncomingRequest& request,
                             const Routing& routing, const LocationAnswer& answer,
                             ports::Outbox& out) {
    if (!answer.exists) return reply_final(now, handle, {404, {}, {}}, out);
    targets_.assign(answer.targets.begin(), answer.targets.end());
    remove_equal_targets(targets_);
    if (targets_.size() > kBranchesMax - 1) targets_.resize(kBranchesMax - 1);
    if (targets_.empty()) return reply_final(now, handle, {480, {}, {}}, out);
    fork(now, handle, request, routing, targets_, out);
}

void ProxyCore::fork(Now now, ContextHandle handle, const IncomingRequest& request,
                     const Routing& routing, std::span<const Target> targets, ports::Outbox& out) {
    ResponseContext& context = *contexts_.get(handle);
    context.branches = context.arena.make_array<Branch>(targets.size());
    for (size_t i = 0; i < targets.size(); ++i) {
        context.branches[i].leg = static_cast<uint16_t>(i + 1);
        context.branches[i].target = context.arena.copy(without_headers(targets[i].uri));
        context.branches[i].is_binding = targets[i].has_flow && !routing.token;
    }
    for (size_t i = 0; i < targets.size(); ++i) {
        // A branch may fail at once, and the last one to fail ends the context.
        if (contexts_.get(handle) == nullptr) return;
        resolve_or_send(now, handle, i, targets[i], request, routing, out);
    }
}

void ProxyCore::resolve_or_send(Now now, ContextHandle handle, size_t index, const Target& target,
                                const IncomingRequest& request, const Routing& routing,
                                ports::Outbox& out) {
    if (target.has_flow) return send_branch(now, handle, index, target.flow, request, routing, out);
    Branch& branch = contexts_.get(handle)->branches[index];
    const auto uri =
        sip::parse_uri(routing.next_route.empty() ? branch.target : routing.next_route);
    const auto hop = uri ? resolver::next_hop(*uri) : fail(ErrorCode::malformed_uri);
    if (!hop) {
        const bool unsupported = hop.error().code == ErrorCode::unsupported_uri_scheme;
        return branch_failed(now, handle, index, unsupported ? 416 : 400, out);
    }
    if (hop->address) {
        const auto flow =
            transport::outgoing_flow(request.snapshot.listeners, request.snapshot.own_addresses,
                                     request.flow, hop->transport, {*hop->address, hop->port});
        if (!flow) return branch_failed(now, handle, index, 503, out);
        return send_branch(now, handle, index, *flow, request, routing, out);
    }
    branch.transport = hop->transport;
    branch.port = hop->port;
    branch.deadline = now.monotonic + request.snapshot.limits.port_timeout;
    s_.counters.add(Counter::dns_lookups_total);
    out.dns_requests.push_back({Owner::of_branch(handle, index), std::string(hop->host)});
    arm(handle);
}

void ProxyCore::on_dns_reply(Now now, uint64_t id, std::span<const IpAddress> addresses,
                             ports::Outbox& out) {
    const Owner owner = Owner::unpack(id);
    const ContextHandle handle = owner.context();
    ResponseContext* context = contexts_.get(handle);
    if (context == nullptr || owner.branch >= context->branches.size() ||
        context->branches[owner.branch].state != BranchState::Resolving) {
        s_.counters.add(Counter::stale_handles_dropped_total);
        return;
    }
    const Branch& branch = context->branches[owner.branch];
    const ports::Snapshot& snapshot = *context->snapshot;
    for (const IpAddress& address : addresses) {
        const auto flow =
            transport::outgoing_flow(snapshot.listeners, snapshot.own_addresses, context->flow,
                                     branch.transport, {address, branch.port});
        if (!flow) continue;
        const ResumedRequest resumed(*context);
        const auto routing = preprocess_route(resumed.request(), s_.keys, now.wall);
        CHECK(routing.has_value());
        return send_branch(now, handle, owner.branch, *flow, resumed.request(), *routing, out);
    }
    s_.counters.add(Counter::dns_failures_total);
    // RFC 3263 §4.3: nothing to try is as if a 503 had come.
    branch_failed(now, handle, owner.branch, 503, out);
}

void ProxyCore::send_branch(Now now, ContextHandle handle, size_t index,
                            const transport::Flow& flow, const IncomingRequest& request,
                            const Routing& routing, ports::Outbox& out) {
    ResponseContext& context = *contexts_.get(handle);
    Branch& branch = context.branches[index];
    const transaction::ClientStart start = s_.transactions.reserve_client(
        context.method, context.loop_hash, Owner::of_branch(handle, index));
    if (!start.client) return branch_failed(now, handle, index, 503, out);
    const Forwarding forwarding{request,
                                routing,
                                branch.target,
                                flow,
                                start.branch.view(),
                                request.snapshot.proxy.record_route,
                                setup_.node,
                                s_.keys};
    if (!render_request(forwarding, rendered_)) {
        s_.transactions.release_client(start.client);
        return branch_failed(now, handle, index, 513, out);
    }
    branch.client = start.client;
    branch.state = BranchState::Sent;
    branch.deadline = context.is_invite() ? now.monotonic + request.snapshot.timers.c : kNever;
    s_.transactions.send_request(now, start.client, flow, rendered_, request.snapshot.timers,
                                 out.transmits);
    s_.counters.add(Counter::requests_forwarded_total);
    if (context.is_invite()) arm(handle);
}

std::optional<transport::Flow> ProxyCore::in_dialog_flow(const IncomingRequest& request,
                                                         const Routing& routing) const {
    const DialogToken& token = *routing.token;
    const auto uri =
        sip::parse_uri(routing.next_route.empty() ? routing.target_uri : routing.next_route);
    if (!uri) return token.flow;
    const uint64_t hash = hop_hash(*uri);
    const bool is_first_shown = hash == token.next_hop && !token.is_nated;
    const bool is_shown =
        is_first_shown ||
        s_.calls.has_shown(s_.calls.find(request.call_id, request.from.tag, request.to.tag), hash);
    if (!is_shown) return token.flow;
    const auto hop = resolver::next_hop(*uri);
    // A name is not looked up in a dialog: its server is at the other end of the flow by which the
    // dialog was made.
    if (!hop || !hop->address) return token.flow;
    if (hop->transport == token.flow.transport && *hop->address == token.flow.remote.address) {
        transport::Flow flow = token.flow;
        flow.remote.port = hop->port;
        return flow;
    }
    return transport::outgoing_flow(request.snapshot.listeners, request.snapshot.own_addresses,
                                    request.flow, hop->transport, {*hop->address, hop->port});
}

}  // namespace signalbox::proxy
