// Chooses the listener and local address from which a request leaves. Implements: RFC 3261 §18.1.1
#pragma once

#include <optional>
#include <span>

#include "transport/flow.h"
#include "transport/listener.h"

namespace signalbox::transport {

/// The listener of that transport which is bound to `local` or to a wildcard of its family; `hint`
/// when that one fits. Nothing: none fits.
std::optional<uint16_t> find_listener(std::span<const Listener> listeners, Transport transport,
                                      const Endpoint& local, uint16_t hint);

/// The listener of a flow that a token names: found by its local address, and for a stream that we
/// opened, which has a port of its own, by the address alone. Nothing: it is gone.
std::optional<uint16_t> listener_of(std::span<const Listener> listeners, const Flow& flow);

/// The flow on which a new request goes to `remote`: from the listener by which `incoming` came
/// when that fits, else from the first of that transport and family. A wildcard listener sends from
/// the local address of `incoming` when the family is the same, else from the first fitting one of
/// `own_addresses`. Nothing when we listen on no such transport or family, and never a WebSocket:
/// only its client can open one (RFC 7118 §5).
std::optional<Flow> outgoing_flow(std::span<const Listener> listeners,
                                  std::span<const IpAddress> own_addresses, const Flow& incoming,
                                  Transport transport, const Endpoint& remote);

}  // namespace signalbox::transport
