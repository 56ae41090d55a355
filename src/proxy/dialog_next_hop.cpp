// Where a request inside a dialog goes next: to the first Route after ours, else to its
// Request-URI, as far as the dialog has been there. Implements: RFC 3261 §12.2, §16.6 step 7,
// §16.12
#include "location/location.h"
#include "proxy/next_hop.h"
#include "proxy/proxy_core.h"

namespace signalbox::proxy {

namespace {

/// Those whose Contact takes the place of the one before (RFC 3261 §12.2.1.2, §12.2.2; RFC 3311
/// §5.1).
bool refreshes_target(sip::Method method) {
    return begins_dialog(method) || method == sip::Method::Update;
}

}  // namespace

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

/// Without a token nothing is known of how the dialog began, so that `may_be_vouched` is false.
bool ProxyCore::is_shown(const IncomingRequest& request, uint64_t hop, bool may_be_vouched) const {
    const ShownTarget target{request.call_id, request.to.tag, request.from.tag, hop};
    if (!target.tells_sides()) return false;
    const cdr::CallHandle call = s_.calls.find(request.call_id, request.from.tag, request.to.tag);
    const auto is_kept = [&](ShownAs as) {
        const uint64_t key = shown_targets_.key(target, as);
        return s_.calls.has_shown(call, key) || shown_targets_.has(key);
    };
    return is_kept(ShownAs::Source) || (may_be_vouched && is_kept(ShownAs::Vouched));
}

/// A call's record keeps what its sides have shown as long as the call lasts.
void ProxyCore::note_shown(const ShownTarget& target, ShownAs as) {
    if (!target.tells_sides()) return;
    const uint64_t key = shown_targets_.key(target, as);
    const cdr::CallHandle call = s_.calls.find(target.call_id, target.shown_to, target.shown_by);
    if (call)
        return s_.calls.contact_shown(call, s_.calls.is_caller_tag(call, target.shown_by), key);
    shown_targets_.note(key);
}

/// Inside a proven dialog only: the token says that its sender is the side of his From tag.
void ProxyCore::note_refreshed_target(const IncomingRequest& request, const Routing& routing) {
    if (!routing.token || !refreshes_target(request.method())) return;
    const ShownHop hop = shown_hop(request.message, {}, request.flow, far_side_of(request));
    if (hop.is_bound_to_flow) return;
    // Anybody can write another Via, as if he were behind a proxy.
    const bool is_vouched = request.is_trusted;
    // Deviation: RFC 3261 §12.2.2 — who shows an address from which he does not send, and is no
    // trusted peer, is taken to be behind a NAT: his flow is kept.
    if (!hop.is_at_source && !is_vouched) return;
    note_shown({request.call_id, request.from.tag, request.to.tag, hop.hash},
               hop.is_at_source ? ShownAs::Source : ShownAs::Vouched);
}

/// Of the answer only the Contact counts: who its two sides are, the request says, which alone is
/// proven. `token` is that request's; null: it was none inside a dialog, or is not known any more.
void ProxyCore::note_answered_target(const IncomingResponse& response, const DialogToken* token,
                                     ShownTarget target) {
    if (!refreshes_target(response.method()) || !response.is_success()) return;
    const ShownHop hop = shown_hop(response.message, {}, response.flow, FarSide::Phone);
    if (hop.is_bound_to_flow) return;
    // Who was not at his own Contact in the beginning, and behind no NAT, has a proxy before him.
    const bool is_behind_proxy = token != nullptr && !token->is_nated && !token->is_at_contact;
    const bool is_vouched = is_behind_proxy || s_.snapshots.current().is_trusted(response.flow);
    if (!hop.is_at_source && !is_vouched) return;
    target.hop = hop.hash;
    note_shown(target, hop.is_at_source ? ShownAs::Source : ShownAs::Vouched);
}

/// Whether the request may leave the way on which its dialog began, for where `uri` leads. A
/// stranger's may only where the far side has been seen, or said to be; else his token would open
/// the way to anybody. A trusted peer is believed, so that its dialogs outlive a restart.
bool ProxyCore::may_follow(const IncomingRequest& request, const DialogToken& token,
                           const sip::Uri& uri) const {
    if (is_shown(request, hop_hash(uri), !token.is_nated)) return true;
    return request.is_trusted && !token.is_nated;
}

DialogHop ProxyCore::dialog_hop(const IncomingRequest& request, const Routing& routing) const {
    const DialogToken& token = *routing.token;
    const bool is_parsed = routing.next_route.empty() && routing.without_maddr.empty();
    const auto uri =
        is_parsed ? routing.uri : sip::parse_uri(next_hop_uri(routing, {}, routing.target()));
    const auto hop = uri ? hop_of(*uri, routing.target()) : fail(ErrorCode::malformed_uri);
    const auto kept_flow = [&] { return token.is_nated ? nated_flow(request, token) : token.flow; };
    if (!hop) return {kept_flow()};
    const bool is_first_shown = hop_hash(*uri) == token.next_hop;
    if (is_first_shown && token.is_nated && !is_shown(request, token.next_hop, false))
        return {kept_flow()};
    // Deviation: RFC 3261 §16.6 step 7 — in a dialog a target that a stranger names, and that its
    // far side is not known to have shown, is not followed: his token would lead to anybody.
    if (!is_first_shown && !may_follow(request, token, *uri)) {
        s_.counters.add(Counter::dialog_targets_not_shown_total);
        return {kept_flow()};
    }
    // A WebSocket client is nowhere but at the other end of its own connection (RFC 7118 §5).
    if (transport::is_websocket(hop->transport)) return {token.flow};
    // Who shows an address of ours as his own, as in a GRUU, cannot be reached there.
    const ports::TenantId tenant =
        routing.next_route.empty() ? routing.tenant : request.snapshot.tenant_of(*uri);
    if (tenant != ports::kNoTenant) return {token.flow};
    if (!hop->address) {
        const bool is_client =
            transport::is_websocket(token.flow.transport) || location::is_unresolvable(*uri);
        return is_client ? DialogHop{token.flow} : DialogHop{std::nullopt, true};
    }
    const resolver::Hop server{hop->transport, {*hop->address, hop->port}};
    // A connection leads to another port of its host only where that is the one to open it by.
    if (is_first_shown || !transport::is_reliable(hop->transport)) {
        if (const auto flow = dialog_flow_to(token.flow, server)) return {flow};
    }
    return {transport::outgoing_flow(request.snapshot.listeners, request.snapshot.own_addresses,
                                     request.flow, server.transport, server.remote)};
}

}  // namespace signalbox::proxy
