// Sends the request of one branch over its flow. Implements: RFC 3261 §16.6 steps 8-11, §18.1.1
#include "proxy/owner.h"
#include "proxy/proxy_core.h"
#include "resolver/locate_server.h"

namespace signalbox::proxy {
namespace {

using transport::Transport;

}  // namespace

std::optional<transport::Flow> ProxyCore::stream_for_large(Now now, const transport::Flow& flow,
                                                           std::string_view next_uri,
                                                           bool is_looked_up,
                                                           const IncomingRequest& request) const {
    // Deviation: RFC 3261 §18.1.1 — a phone whose Contact is not where it sends from stays on its
    // flow, however large the request: nothing else reaches it through its NAT.
    if (!is_looked_up && !resolver::names_address(next_uri, flow.remote)) return std::nullopt;
    if (resolver_.health().is_held_down(now.monotonic, {Transport::Tcp, flow.remote}))
        return std::nullopt;
    return transport::outgoing_flow(request.snapshot.listeners, request.snapshot.own_addresses,
                                    request.flow, Transport::Tcp, flow.remote);
}

void ProxyCore::send_branch(Now now, ContextHandle handle, size_t index,
                            const transport::Flow& flow, const IncomingRequest& request,
                            const Routing& routing, BySize by_size, ports::Outbox& out) {
    ResponseContext& context = *contexts_.get(handle);
    Branch& branch = context.branches[index];
    const transaction::ClientStart start = s_.transactions.reserve_client(
        context.method, context.loop_hash, Owner::of_branch(handle, index));
    if (!start.client) return branch_failed(now, handle, index, 503, out);
    // Others than our own users and trusted peers are not told more than the request itself says.
    const bool may_be_told =
        !context.asserted.empty() && (branch.is_binding || request.snapshot.is_trusted(flow));
    const ports::ProxySettings& settings = request.snapshot.proxy;
    bool is_exposed = false;
    const auto render = [&](const transport::Flow& leaving) {
        const Forwarding forwarding{request,
                                    routing,
                                    branch.target,
                                    leaving,
                                    start.branch.view(),
                                    context.loop_hash,
                                    settings.record_route,
                                    setup_.node,
                                    s_.keys,
                                    branch.path,
                                    may_be_told ? context.asserted : std::string_view{},
                                    branch.breadth,
                                    &flow};
        // SIPS is never carried further in the clear (RFC 3261 §26.2.2): this phone cannot be
        // called.
        is_exposed = demands_tls(forwarding) && !transport::is_secure(leaving.transport);
        return !is_exposed && render_request(forwarding, rendered_);
    };
    bool is_rendered = render(flow);
    std::optional<transport::Flow> stream;
    if (is_rendered && flow.transport == Transport::Udp &&
        rendered_.size() > settings.datagram_max && by_size == BySize::Yes) {
        const bool is_looked_up = branch.attempts != nullptr && branch.attempts->lookup;
        stream = stream_for_large(now, flow, next_hop_uri(routing, branch.path, branch.target),
                                  is_looked_up, request);
        if (stream) is_rendered = render(*stream);
    }
    if (!is_rendered) {
        s_.transactions.release_client(start.client);
        return branch_failed(now, handle, index, is_exposed ? 480 : 513, out);
    }
    branch.client = start.client;
    branch.state = BranchState::Sent;
    branch.deadline = context.is_invite() ? now.monotonic + request.snapshot.timers.c : kNever;
    s_.transactions.send_request(now, start.client, stream ? *stream : flow, rendered_,
                                 request.snapshot.timers, out.transmits);
    if (stream) {
        HopAttempts& attempts = attempts_of(context, branch);
        attempts.is_large_by_stream = true;
        attempts.datagram_flow = flow;
        attempts.sent = now.monotonic;
        out.transmits.limit_connect(settings.large_connect_max);
        s_.counters.add(Counter::large_requests_by_tcp_total);
    }
    s_.counters.add(Counter::requests_forwarded_total);
    if (context.is_invite()) arm(handle);
}

}  // namespace signalbox::proxy
