// Forwarding without a transaction: stateless mode, CANCEL for what we do not know.
// Implements: RFC 3261 §16.11, §16.10
#include "base/random.h"
#include "ports/sharding.h"
#include "proxy/fork_strategy.h"
#include "proxy/loop_detection.h"
#include "proxy/next_hop.h"
#include "proxy/proxy_core.h"
#include "proxy/request_uri.h"
#include "proxy/response_forwarding.h"
#include "proxy/resumed_request.h"
#include "proxy/stable_hash.h"
#include "proxy/via_flow.h"
#include "resolver/locate_server.h"
#include "sip/params.h"
#include "transport/receive.h"

namespace signalbox::proxy {

using sip::HeaderId;
using sip::Method;

namespace {

/// What our Via and Record-Route add to a request, in octets.
constexpr size_t kAdded = 320;

/// Whether a response must take the connection of its request: no other may be opened for it. The
/// Via of such a client need not name the port by which a stateless proxy would find it (RFC 7118
/// §5).
bool is_bound_to_connection(const transport::Flow& flow) {
    return transport::is_secure(flow.transport) || transport::is_websocket(flow.transport);
}

/// Between a reliable and an unreliable transport somebody must retransmit: that is a stateful
/// proxy (RFC 3261 §16.1).
bool can_do_without_state(const transport::Flow& a, const transport::Flow& b) {
    return transport::is_reliable(a.transport) == transport::is_reliable(b.transport) &&
           !is_bound_to_connection(a) && !is_bound_to_connection(b);
}

}  // namespace

/// Renders the request as it leaves by `flow`, into rendered_.
bool ProxyCore::render_stateless(const IncomingRequest& request, const Routing& routing,
                                 std::string_view target, const transport::Flow& flow,
                                 uint64_t hash) {
    transaction::BranchFields fields;
    fields.kind = transaction::BranchKind::Stateless;
    fields.cookie = stable_hash(request, s_.keys.current().siphash_key);
    fields.loop_hash = hash;
    fields.node = setup_.node;
    fields.shard = setup_.shard;
    const transaction::BranchText branch = transaction::make_branch(fields, s_.keys);
    // In stateful mode this is the ACK to a 2xx, which has no response.
    ViaFlowText way_back;
    if (request.mode == ports::ProxyMode::Stateless) {
        way_back = seal_via_flow(request.via,
                                 transport::stateless_response_flow(request.via, request.flow),
                                 setup_.node, s_.keys);
    }
    std::string scratch;
    const Forwarding forwarding{request,
                                routing,
                                request_uri_of(target, scratch),
                                flow,
                                branch.view(),
                                hash,
                                request.snapshot.proxy.record_route,
                                setup_.node,
                                s_.keys,
                                {},
                                {},
                                incoming_breadth(request.message),
                                nullptr,
                                way_back.view()};
    if (demands_tls(forwarding) && !transport::is_secure(flow.transport)) return false;
    return render_request(forwarding, rendered_);
}

bool ProxyCore::forward_stateless(const IncomingRequest& request, const Routing& routing,
                                  std::string_view target, const transport::Flow& flow,
                                  uint64_t hash, ports::Outbox& out) {
    if (!render_stateless(request, routing, target, flow, hash)) return false;
    send_stateless(flow, out);
    return true;
}

void ProxyCore::send_stateless(const transport::Flow& flow, ports::Outbox& out) {
    out.transmits.add(flow, rendered_);
    s_.counters.add(Counter::requests_forwarded_total);
}

bool ProxyCore::start_stateless(Now now, const IncomingRequest& request, const Routing& routing,
                                const Admission& admission, ports::Outbox& out) {
    // Credentials may be used once only, so a request that needed them keeps a transaction to
    // absorb its retransmissions.
    if (!admission.user.empty()) return false;
    // What a phone's flow or a GRUU does not reach must be tried otherwise, or answered.
    if (routing.edge_flow || routing.gruu || admission.relay.is_unresolvable) return false;
    // A call that has a record keeps state to its end: somebody must see the answer to its BYE.
    if (s_.calls.find(request.call_id, request.from.tag, request.to.tag)) return false;
    if (!routing.token && !admission.relay.is_foreign)
        return start_stateless_to_user(now, request, routing, admission, out);
    DialogHop hop{std::nullopt, true};
    if (routing.token) hop = dialog_hop(request, routing);
    const auto flow = hop.is_name ? known_flow(now, request, routing,
                                               stable_hash(request, s_.keys.current().siphash_key))
                                  : hop.flow;
    if (!flow || !can_do_without_state(*flow, request.flow)) return false;
    if (is_too_large(now, *flow, routing, routing.target(), hop.is_name, request)) return false;
    return forward_stateless(request, routing, routing.target(), *flow, admission.loop_hash, out);
}

/// True when the request would cross to TCP: somebody must fall back to UDP when that cannot be
/// had.
bool ProxyCore::is_too_large(Now now, const transport::Flow& flow, const Routing& routing,
                             std::string_view target, bool is_looked_up,
                             const IncomingRequest& request) const {
    if (flow.transport != transport::Transport::Udp ||
        request.message.bytes().size() + kAdded <= request.snapshot.proxy.datagram_max)
        return false;
    return stream_for_large(now, flow, routing.next_route.empty() ? target : routing.next_route,
                            is_looked_up, request)
        .has_value();
}

bool ProxyCore::start_stateless_to_user(Now now, const IncomingRequest& request,
                                        const Routing& routing, const Admission& admission,
                                        ports::Outbox& out) {
    const LocationQuestion question{0, admission.relay.target_tenant, admission.relay.target_aor};
    const uint8_t shard = ports::shard_of_aor(question.tenant, question.aor, setup_.shards);
    if (shard == setup_.shard)
        return forward_to_only_target(now, request, routing, question, admission.loop_hash, out);
    StatelessRequest handed;
    handed.tenant = question.tenant;
    handed.aor = question.aor;
    handed.loop_hash = admission.loop_hash;
    handed.flow = request.flow;
    handed.bytes = request.message.bytes();
    encode(ShardMessage(handed), out.shard_message(shard));
    return true;
}

bool ProxyCore::forward_to_only_target(Now now, const IncomingRequest& request,
                                       const Routing& routing, const LocationQuestion& question,
                                       uint64_t hash, ports::Outbox& out) {
    const uint64_t stable = stable_hash(request, s_.keys.current().siphash_key);
    if (const auto chosen = stateless_choices_.find(now.monotonic, stable)) {
        if (!forward_stateless(request, routing, chosen->uri(), chosen->flow(), hash, out))
            s_.counters.add(Counter::stateless_target_changed_dropped_total);
        return true;
    }
    const LocationAnswer& answer = s_.directory.answer(now, question, request.snapshot);
    // Nobody, or several: an answer or a fork needs state.
    if (answer.targets.size() != 1 || !answer.targets[0].has_flow ||
        !can_do_without_state(answer.targets[0].flow, request.flow))
        return false;
    const Target& target = answer.targets[0];
    if (is_too_large(now, target.flow, routing, target.uri, false, request)) return false;
    if (!render_stateless(request, routing, target.uri, target.flow, hash)) return false;
    // What could not be found again might go elsewhere when it comes again.
    const auto kept = StatelessTarget::of(target.uri, target.flow);
    const Instant until = now.monotonic + stateless_life(request);
    if (!kept || !stateless_choices_.note(now.monotonic, stable, *kept, until)) {
        s_.counters.add(Counter::stateless_choices_refused_total);
        return false;
    }
    send_stateless(target.flow, out);
    return true;
}

void ProxyCore::on_stateless_request(Now now, uint8_t from, const StatelessRequest& handed,
                                     ports::Outbox& out) {
    const ResumedRequest resumed(handed.bytes, handed.flow, s_.snapshots.current());
    const IncomingRequest& request = resumed.request();
    const auto routing = preprocess_route(request, s_.keys, now.wall);
    CHECK(routing.has_value());
    if (handed.needs_state) return take_back(now, request, *routing, handed, out);
    if (request.method() == Method::Ack && routing->token) {
        const auto instance = gruu_question(request, *routing);
        if (instance &&
            forward_ack_to_phone(now, request, *routing, *instance, handed.loop_hash, out))
            return;
        if (!send_ack(now, request, *routing, {routing->target(), handed.loop_hash},
                      routing->token->flow, out))
            s_.counters.add(Counter::stray_acks_dropped_total);
        return;
    }
    const LocationQuestion question{0, handed.tenant, handed.aor};
    if (forward_to_only_target(now, request, *routing, question, handed.loop_hash, out)) return;
    StatelessRequest back = handed;
    back.needs_state = true;
    encode(ShardMessage(back), out.shard_message(from));
}

void ProxyCore::take_back(Now now, const IncomingRequest& request, const Routing& routing,
                          const StatelessRequest& handed, ports::Outbox& out) {
    if (request.method() == Method::Ack) return s_.counters.add(Counter::stray_acks_dropped_total);
    // What came after it may have begun its transaction meanwhile.
    const transaction::RequestMatch match =
        s_.transactions.receive_request(now, request.received(), out.transmits);
    if (match.kind == transaction::RequestMatch::Kind::Absorbed) return;
    if (request.method() == Method::Cancel) {
        if (match.cancelled) return on_cancel(now, request, match.cancelled, out);
        return s_.reply.send_stateless(request.message, request.flow, request.snapshot,
                                       {481, {}, {}}, out.transmits);
    }
    RelayDecision relay;
    relay.target_tenant = handed.tenant;
    relay.target_aor = handed.aor;
    start_stateful(now, request, routing, {relay, {}, handed.loop_hash, request.is_trusted}, out);
}

void ProxyCore::forward_stateless_response(Now now, const IncomingResponse& response,
                                           ports::Outbox& out) {
    // Nobody answers an ACK (RFC 3261 §17.1.1.2, §13.2.2.4): who does has another use for our Via.
    if (response.method() == Method::Ack)
        return s_.counters.add(Counter::rx_responses_to_ack_dropped_total);
    const ports::Snapshot& snapshot = s_.snapshots.current();
    const auto next = second_via(response);
    if (!next) return s_.counters.add(Counter::stray_responses_dropped_total);
    const auto way =
        open_via_flow(response.fields.via, *next, s_.keys, now.wall, snapshot.listeners);
    if (!way) return s_.counters.add(Counter::rx_response_next_via_mismatch_dropped_total);
    // Nobody remembers whether it was a binding that led there: a trusted peer is taken for a
    // server.
    const bool is_phone = !snapshot.is_trusted(response.flow);
    if (!render_response(response, *way, is_phone, snapshot, setup_.node, s_.keys, now.wall,
                         rendered_)) {
        s_.counters.add(Counter::stray_responses_dropped_total);
        return;
    }
    // Nobody cancels an INVITE that is answered: what may come of it is its ACK, and itself again.
    if (response.status() >= 200 && response.method() != Method::Cancel)
        stateless_choices_.shorten(now.monotonic, response.branch.cookie,
                                   now.monotonic + snapshot.timers.h);
    // Without its request nothing but our Record-Route proves whose answer it is.
    const bool is_proven =
        response.is_success() && proves_dialog(response, snapshot, s_.keys, now.wall);
    if (response.is_success() && (is_proven || !is_phone)) {
        note_answered_target(response, nullptr,
                             {response.call_id(), response.to_tag(), response.from_tag()});
    }
    out.transmits.add(*way, rendered_);
    s_.counters.add(Counter::responses_forwarded_total);
}

bool ProxyCore::can_go_on(Now now, const IncomingRequest& request, uint64_t hash) const {
    return request.max_forwards != 0 && !is_loop(request, hash, s_.keys, now.wall);
}

}  // namespace signalbox::proxy
