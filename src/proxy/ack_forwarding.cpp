// The way of an ACK to a 2xx: that of its dialog, without a transaction.
// Implements: RFC 3261 §16.11, §17.1.1.3, §18.1.1; RFC 5627 §4.4; RFC 6026 §7.1
#include "ports/sharding.h"
#include "proxy/loop_detection.h"
#include "proxy/next_hop.h"
#include "proxy/own_hops.h"
#include "proxy/proxy_core.h"
#include "proxy/stable_hash.h"

namespace signalbox::proxy {

namespace {

/// How long after its time for a connection the driver may say that it had none.
constexpr Duration kWordOfDriver = std::chrono::seconds(1);

}  // namespace

void ProxyCore::on_ack(Now now, const IncomingRequest& request, ports::Outbox& out) {
    const auto routing = preprocess_route(request, s_.keys, now.wall);
    DialogHop hop;
    if (routing && !routing->token && request.mode == ports::ProxyMode::Stateless) {
        // The ACK to a failure takes the way of the INVITE that we forwarded without state.
        const RelayDecision relay = decide_relay(request, *routing);
        const Admission admission{
            relay, {}, loop_hash(request, *routing, relay, s_.keys.current().siphash_key)};
        const bool may_go = relay.kind == RelayDecision::Kind::Allowed &&
                            can_go_on(now, request, admission.loop_hash);
        if (may_go && start_stateless(now, request, *routing, admission, out)) return;
    }
    const uint64_t hash =
        routing ? loop_hash(request, *routing, {}, s_.keys.current().siphash_key) : 0;
    if (routing && routing->token) {
        if (routing->gruu && can_go_on(now, request, hash) &&
            forward_ack_to_gruu(now, request, *routing, hash, out))
            return;
        hop = dialog_hop(request, *routing);
    } else if (routing) {
        const auto uri =
            sip::parse_uri(routing->next_route.empty() ? routing->target() : routing->next_route);
        const bool may_go = request.is_trusted || (uri && is_shown(request, hop_hash(*uri), false));
        const bool is_for_us = uri && request.snapshot.tenant_of(*uri) != ports::kNoTenant;
        if (uri && may_go && !is_for_us) {
            hop.flow = known_flow(now, request, *routing,
                                  stable_hash(request, s_.keys.current().siphash_key));
            hop.is_name = !hop.flow;
        }
    }
    const bool may_go_on = (hop.flow || hop.is_name) && can_go_on(now, request, hash);
    const bool is_sent =
        may_go_on &&
        (hop.is_name ? look_up_ack(now, request, *routing, hash, out)
                     : send_ack(now, request, *routing, {routing->target(), hash}, *hop.flow, out));
    if (!is_sent) s_.counters.add(Counter::stray_acks_dropped_total);
}

/// A phone that shows its GRUU may have come to another flow since the INVITE: its ACK follows the
/// request that it belongs to. False: the dialog's own flow is the way.
bool ProxyCore::forward_ack_to_gruu(Now now, const IncomingRequest& request, const Routing& routing,
                                    uint64_t hash, ports::Outbox& out) {
    const auto question = gruu_question(request, routing);
    if (!question) return false;
    const uint8_t shard = ports::shard_of_aor(question->tenant, question->aor, setup_.shards);
    if (shard == setup_.shard)
        return forward_ack_to_phone(now, request, routing, *question, hash, out);
    StatelessRequest handed;
    handed.tenant = question->tenant;
    handed.aor = question->aor;
    handed.loop_hash = hash;
    handed.flow = request.flow;
    handed.bytes = request.message.bytes();
    encode(ShardMessage(handed), out.shard_message(shard));
    return true;
}

bool ProxyCore::forward_ack_to_phone(Now now, const IncomingRequest& request,
                                     const Routing& routing, const LocationQuestion& question,
                                     uint64_t hash, ports::Outbox& out) {
    for (Target target : s_.directory.answer(now, question, request.snapshot).targets) {
        take_own_hops(request.snapshot, s_.keys, now.wall, target);
        if (target.has_flow)
            return send_ack(now, request, routing, {target.uri, hash}, target.flow, out);
    }
    return false;
}

/// A large one goes by TCP where its INVITE would have gone: an open connection to that place is
/// used, else one is opened within the time for large requests, else it goes by UDP. Nobody answers
/// an ACK, so that only the driver's word that it had no connection brings it back; what is lost
/// beyond that comes again with the next 2xx (RFC 3261 §13.3.1.4).
bool ProxyCore::send_ack(Now now, const IncomingRequest& request, const Routing& routing,
                         const AckTarget& target, const transport::Flow& flow, ports::Outbox& out) {
    if (!render_stateless(request, routing, target.uri, flow, target.loop_hash)) return false;
    s_.counters.add(Counter::requests_forwarded_total);
    const ports::ProxySettings& settings = request.snapshot.proxy;
    const bool is_large =
        flow.transport == transport::Transport::Udp && rendered_.size() > settings.datagram_max;
    const auto stream = is_large
                            ? stream_for_large(now, flow, next_hop_uri(routing, {}, target.uri),
                                               target.is_looked_up, request)
                            : std::optional<transport::Flow>{};
    if (!stream) {
        out.transmits.add(flow, rendered_);
        return true;
    }
    const std::string datagram = rendered_;
    const Instant until = now.monotonic + settings.large_connect_max + kWordOfDriver;
    const uint64_t owner = render_stateless(request, routing, target.uri, *stream, target.loop_hash)
                               ? large_acks_.keep(now.monotonic, flow, datagram, until)
                               : 0;
    if (owner == 0) {
        out.transmits.add(flow, datagram);
        return true;
    }
    out.transmits.add(*stream, rendered_, owner);
    out.transmits.limit_connect(settings.large_connect_max);
    s_.counters.add(Counter::large_requests_by_tcp_total);
    return true;
}

void ProxyCore::on_ack_not_sent(Now now, uint64_t transmit_owner, ports::Outbox& out) {
    const auto kept = large_acks_.take(transmit_owner);
    if (!kept) return s_.counters.add(Counter::stale_handles_dropped_total);
    s_.counters.add(Counter::large_requests_back_to_udp_total);
    const ports::Snapshot& snapshot = s_.snapshots.current();
    // As with other large requests: silence would cost the same time again.
    if (now.monotonic - kept->sent >= snapshot.proxy.large_connect_max) {
        hold_down(now, snapshot.resolver, {transport::Transport::Tcp, kept->flow.remote},
                  snapshot.resolver.hold_down, out);
    }
    out.transmits.add(kept->flow, kept->datagram);
}

}  // namespace signalbox::proxy
