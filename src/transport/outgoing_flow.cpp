// Chooses the listener and local address from which a request leaves. Implements: RFC 3261 §18.1.1
#include "transport/outgoing_flow.h"

namespace signalbox::transport {
namespace {

bool is_bound_to(const Listener& listener, Transport transport, const Endpoint& local) {
    if (listener.transport != transport || listener.bound.port != local.port) return false;
    if (listener.bound.address == local.address) return true;
    return listener.bound.address.is_unspecified() &&
           listener.bound.address.family == local.address.family;
}

bool reaches(const Listener& listener, Transport transport, const IpAddress& remote) {
    if (listener.transport != transport || listener.bound.address.family != remote.family)
        return false;
    // A socket bound to a loopback address cannot send elsewhere; a bound public one may well send
    // to loopback addresses.
    return !listener.bound.address.is_loopback() || remote.is_loopback();
}

IpAddress local_address(const Listener& listener, std::span<const IpAddress> own_addresses,
                        const Flow& incoming, const IpAddress& remote) {
    if (!listener.bound.address.is_unspecified()) return listener.bound.address;
    const IpAddress& known = incoming.local.address;
    if (known.family == remote.family && !known.is_unspecified() &&
        known.is_loopback() == remote.is_loopback())
        return known;
    for (const IpAddress& own : own_addresses) {
        if (own.family == remote.family && own.is_loopback() == remote.is_loopback()) return own;
    }
    if (remote.is_loopback()) return remote;
    return listener.bound.address;
}

}  // namespace

std::optional<uint16_t> find_listener(std::span<const Listener> listeners, Transport transport,
                                      const Endpoint& local, uint16_t hint) {
    if (hint < listeners.size() && is_bound_to(listeners[hint], transport, local)) return hint;
    for (size_t index = 0; index < listeners.size(); ++index) {
        if (is_bound_to(listeners[index], transport, local)) return static_cast<uint16_t>(index);
    }
    return std::nullopt;
}

std::optional<uint16_t> listener_of(std::span<const Listener> listeners, const Flow& flow) {
    const auto listener = find_listener(listeners, flow.transport, flow.local, flow.listener);
    if (listener || !is_reliable(flow.transport) || flow.listener >= listeners.size())
        return listener;
    const Endpoint opened_from{flow.local.address, listeners[flow.listener].bound.port};
    return find_listener(listeners, flow.transport, opened_from, flow.listener);
}

std::optional<Flow> outgoing_flow(std::span<const Listener> listeners,
                                  std::span<const IpAddress> own_addresses, const Flow& incoming,
                                  Transport transport, const Endpoint& remote) {
    if (is_websocket(transport)) return std::nullopt;
    const auto make = [&](size_t index) {
        Flow flow;
        flow.transport = transport;
        flow.shard = incoming.shard;
        flow.listener = static_cast<uint16_t>(index);
        flow.local = {local_address(listeners[index], own_addresses, incoming, remote.address),
                      listeners[index].bound.port};
        flow.remote = remote;
        return flow;
    };
    if (incoming.listener < listeners.size() &&
        reaches(listeners[incoming.listener], transport, remote.address)) {
        return make(incoming.listener);
    }
    for (size_t index = 0; index < listeners.size(); ++index) {
        if (reaches(listeners[index], transport, remote.address)) return make(index);
    }
    return std::nullopt;
}

}  // namespace signalbox::transport
