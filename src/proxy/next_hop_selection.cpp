// From a branch's target to the flow by which its request leaves. Implements: RFC 3261 §16.6 step
// 7, §16.12; RFC 3263 §4
#include "proxy/owner.h"
#include "proxy/proxy_core.h"
#include "proxy/resumed_request.h"
#include "resolver/locate_server.h"

namespace signalbox::proxy {

void ProxyCore::resolve_or_send(Now now, ContextHandle handle, size_t index, const Target& target,
                                const IncomingRequest& request, const Routing& routing,
                                ports::Outbox& out) {
    if (target.has_flow) return send_branch(now, handle, index, target.flow, request, routing, out);
    Branch& branch = contexts_.get(handle)->branches[index];
    const auto uri = sip::parse_uri(next_hop_uri(routing, branch.path, branch.target));
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
    if (transport::is_secure(hop->transport)) {
        branch.domain = transport::PeerDomain::of(hop->host);
        out.tls_domains.emplace_back(hop->host);
    }
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
        auto flow =
            transport::outgoing_flow(snapshot.listeners, snapshot.own_addresses, context->flow,
                                     branch.transport, {address, branch.port});
        if (!flow) continue;
        flow->domain = branch.domain;
        const ResumedRequest resumed(*context);
        const auto routing = preprocess_route(resumed.request(), s_.keys, now.wall);
        CHECK(routing.has_value());
        return send_branch(now, handle, owner.branch, *flow, resumed.request(), *routing, out);
    }
    s_.counters.add(Counter::dns_failures_total);
    // RFC 3263 §4.3: nothing to try is as if a 503 had come.
    branch_failed(now, handle, owner.branch, 503, out);
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
