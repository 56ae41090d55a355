// Sends the request of one branch over its flow. Implements: RFC 3261 §16.6 steps 8-11
#include "proxy/owner.h"
#include "proxy/proxy_core.h"

namespace signalbox::proxy {

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
                                context.loop_hash,
                                request.snapshot.proxy.record_route,
                                setup_.node,
                                s_.keys,
                                branch.path};
    // SIPS is never carried further in the clear (RFC 3261 §26.2.2): this phone cannot be called.
    const bool is_exposed = demands_tls(forwarding) && !transport::is_secure(flow.transport);
    if (is_exposed || !render_request(forwarding, rendered_)) {
        s_.transactions.release_client(start.client);
        return branch_failed(now, handle, index, is_exposed ? 480 : 513, out);
    }
    branch.client = start.client;
    branch.state = BranchState::Sent;
    branch.deadline = context.is_invite() ? now.monotonic + request.snapshot.timers.c : kNever;
    s_.transactions.send_request(now, start.client, flow, rendered_, request.snapshot.timers,
                                 out.transmits);
    s_.counters.add(Counter::requests_forwarded_total);
    if (context.is_invite()) arm(handle);
}

}  // namespace signalbox::proxy
