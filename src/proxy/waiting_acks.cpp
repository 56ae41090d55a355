// Looks up the next hop of an ACK to a 2xx, and sends it.
// Implements: RFC 3261 §16.11, §17.1.1.3; RFC 3263 §4
#include "proxy/waiting_acks.h"

#include "proxy/next_hop.h"
#include "proxy/owner.h"
#include "proxy/proxy_core.h"
#include "proxy/resumed_request.h"
#include "proxy/stable_hash.h"

namespace signalbox::proxy {

using resolver::Progress;

/// What is known at once is used at once. True: it is sent, or waits.
bool ProxyCore::look_up_ack(Now now, const IncomingRequest& request, const Routing& routing,
                            uint64_t hash, ports::Outbox& out) {
    const auto name = hop_of(next_hop_uri(routing, {}, routing.target()), routing.target());
    if (!name || name->address) return false;
    const WaitingAckHandle handle = waiting_acks_.emplace();
    if (!handle) {
        s_.counters.add(Counter::acks_not_looked_up_total);
        return routing.token &&
               send_ack(now, request, routing, {routing.target(), hash}, routing.token->flow, out);
    }
    WaitingAck& ack = *waiting_acks_.get(handle);
    if (routing.token) ack.attempts.dialog_flow = routing.token->flow;
    const uint64_t draw =
        routing.token ? routing.token->dialog : stable_hash(request, s_.keys.current().siphash_key);
    begin_lookup(now, request.snapshot, *name, draw, Owner::of_waiting_ack(handle), ack.attempts,
                 out);
    Progress progress;
    const auto flow = next_flow(now, request.snapshot, request.flow, ack.attempts, progress, out);
    if (!flow && progress == Progress::Waiting) {
        ack.flow = request.flow;
        ack.bytes = request.message.bytes();
        ack.loop_hash = hash;
        ack.timer.kind = kWaitingAckTimer;
        ack.timer.owner = handle.packed();
        s_.counters.add(Counter::acks_waited_for_dns_total);
        s_.wheel.arm(ack.timer,
                     resolver_.wait_until(request.snapshot.resolver, ack.attempts.lookup));
        return true;
    }
    const bool is_sent = send_looked_up_ack(now, request, routing, hash, flow, out);
    end_waiting_ack(handle);
    return is_sent;
}

/// The answer of DNS has come, or the time for it is over.
void ProxyCore::go_on_with_ack(Now now, WaitingAckHandle handle, ports::Outbox& out) {
    WaitingAck* ack = waiting_acks_.get(handle);
    if (ack == nullptr) return s_.counters.add(Counter::stale_handles_dropped_total);
    const ports::Snapshot& snapshot = s_.snapshots.current();
    Progress progress;
    const auto flow = next_flow(now, snapshot, ack->flow, ack->attempts, progress, out);
    if (!flow && progress == Progress::Waiting) {
        s_.wheel.arm(ack->timer, resolver_.wait_until(snapshot.resolver, ack->attempts.lookup));
        return;
    }
    const ResumedRequest resumed(ack->bytes, ack->flow, snapshot);
    const auto routing = preprocess_route(resumed.request(), s_.keys, now.wall);
    CHECK(routing.has_value());
    if (!send_looked_up_ack(now, resumed.request(), *routing, ack->loop_hash, flow, out))
        s_.counters.add(Counter::stray_acks_dropped_total);
    end_waiting_ack(handle);
}

/// By the flow of the dialog where DNS names nothing to send to: that is better than nothing.
bool ProxyCore::send_looked_up_ack(Now now, const IncomingRequest& request, const Routing& routing,
                                   uint64_t hash, const std::optional<transport::Flow>& flow,
                                   ports::Outbox& out) {
    if (flow) {
        const AckTarget target{routing.target(), hash, true};
        return send_ack(now, request, routing, target, *flow, out);
    }
    s_.counters.add(Counter::dns_failures_total);
    if (!routing.token) return false;
    s_.counters.add(Counter::dialog_names_unresolved_total);
    return send_ack(now, request, routing, {routing.target(), hash}, routing.token->flow, out);
}

void ProxyCore::end_waiting_ack(WaitingAckHandle handle) {
    WaitingAck& ack = *waiting_acks_.get(handle);
    s_.wheel.cancel(ack.timer);
    resolver_.end(ack.attempts.lookup);
    waiting_acks_.erase(handle);
}

}  // namespace signalbox::proxy
