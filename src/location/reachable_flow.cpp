// Finds the listener of a registration again, and falls back to the Contact where its stream is
// gone.
#include "location/reachable_flow.h"

#include "sip/uri.h"

namespace signalbox::location {

namespace {

using transport::Flow;
using transport::Listener;
using transport::Transport;

/// How well a listener fits a flow's local address: 3 it is bound to it, 2 as a wildcard, 1 only
/// the family is right, 0 not at all.
int fitness(const Listener& listener, const Flow& flow) {
    if (listener.transport != flow.transport) return 0;
    if (listener.bound.address.family != flow.local.address.family) return 0;
    if (listener.bound == flow.local) return 3;
    if (listener.bound.port == flow.local.port && listener.bound.address.is_unspecified()) return 2;
    return 1;
}

/// Points `flow` to its listener in `snapshot`; false when none fits by at least `needed`. An index
/// that still fits is kept: of two wildcards on one port the one that received it.
bool find_listener(Flow& flow, const ports::Snapshot& snapshot, int needed) {
    int best = needed - 1;
    if (flow.listener < snapshot.listeners.size()) {
        const int kept = fitness(snapshot.listeners[flow.listener], flow);
        if (kept >= needed) best = kept;
    }
    bool is_found = best >= needed;
    for (size_t i = 0; i < snapshot.listeners.size() && i <= UINT16_MAX; ++i) {
        const int candidate = fitness(snapshot.listeners[i], flow);
        if (candidate <= best) continue;
        best = candidate;
        flow.listener = static_cast<uint16_t>(i);
        is_found = true;
    }
    return is_found;
}

/// The Contact's own address by the transport that it asks for, else the one by which it
/// registered.
std::optional<Flow> contact_flow(const Binding& binding, const ports::Snapshot& snapshot,
                                 uint8_t own_shard) {
    const auto uri = sip::parse_uri(binding.record.contact);
    if (!uri || !uri->is_sip()) return std::nullopt;
    const auto address = IpAddress::parse(uri->host);
    if (!address) return std::nullopt;
    Flow flow;
    flow.transport = binding.record.flow.transport;
    const bool is_sips = uri->scheme == sip::Scheme::Sips;
    if (const auto asked = uri->param("transport"); asked || is_sips) {
        const auto transport = transport::transport_of_uri(asked, is_sips);
        if (!transport) return std::nullopt;
        flow.transport = *transport;
    }
    // Nobody listens at the Contact of a WebSocket client (RFC 7118 §5).
    if (transport::is_websocket(flow.transport)) return std::nullopt;
    flow.shard = own_shard;
    flow.listener = binding.record.flow.listener;
    flow.local = binding.record.flow.local;
    flow.remote = Endpoint{*address, uri->port_or_default()};
    if (!find_listener(flow, snapshot, 1)) return std::nullopt;
    const Endpoint& bound = snapshot.listeners[flow.listener].bound;
    flow.local.port = bound.port;
    if (!bound.address.is_unspecified()) flow.local.address = bound.address;
    return flow;
}

/// Nothing but its flow leads to the phone: a NAT stands between, or it has registered that flow as
/// one of several (RFC 5626 §7: the same flow, or none).
bool is_bound_to_flow(const Binding& binding) {
    return binding.record.is_nated || binding.record.reg_id != 0;
}

}  // namespace

std::optional<Flow> reachable_flow(const Binding& binding, const ports::Snapshot& snapshot,
                                   uint8_t own_shard) {
    Flow flow = binding.record.flow;
    if (flow.transport == Transport::Udp) {
        // A NAT lets in only what comes from the address that was written to.
        flow.shard = own_shard;
        if (find_listener(flow, snapshot, 2)) return flow;
        return is_bound_to_flow(binding) ? std::nullopt
                                         : contact_flow(binding, snapshot, own_shard);
    }
    if (!binding.is_flow_closed) {
        find_listener(flow, snapshot, 1);
        return is_bound_to_flow(binding) ? transport::only_by_connection(flow) : flow;
    }
    return is_bound_to_flow(binding) ? std::nullopt : contact_flow(binding, snapshot, own_shard);
}

}  // namespace signalbox::location
