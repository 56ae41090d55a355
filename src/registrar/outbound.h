// Whether the first hop of a registration keeps the flow to its phone.
// Implements: RFC 5626 §6
#pragma once

#include <cstdint>
#include <string_view>

#include "sip/message_view.h"
#include "transport/flow.h"

namespace signalbox::registrar {

/// True when the phone itself sent `request` to us: there is one Via.
bool came_directly(const sip::MessageView& request);

/// True when the first hop supports outbound: it is us, or the proxy that put the last value into
/// `path` said so with the "ob" parameter. `path` is a checked list of Path values.
bool first_hop_keeps_flows(const sip::MessageView& request, std::string_view path);

/// Seconds within which a phone shall send a keep-alive over `flow` (Flow-Timer, RFC 5626 §4.4,
/// §6): NATs forget a datagram's way after 30 s, a stream's after two minutes and more.
uint32_t flow_timer_s(const transport::Flow& flow);

}  // namespace signalbox::registrar
