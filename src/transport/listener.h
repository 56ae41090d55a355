// The addresses at which we listen, and which addresses are therefore ours. Implements: RFC 3261
// §18.1.1
#pragma once

#include <array>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "transport/flow.h"

namespace signalbox::transport {

struct Listener {
    Transport transport = Transport::Udp;
    Endpoint bound;  // may be a wildcard address
    std::optional<std::string>
        advertise_host;  // as it shall stand in Via, Record-Route; IPv6 with brackets
    uint16_t advertise_port = 0;
};

/// The host and port of a Via. An IPv6 address has its brackets.
struct SentBy {
    std::array<char, 256> text;  // "192.0.2.1:5060": the port is always written
    size_t size = 0;
    std::string_view view() const { return {text.data(), size}; }
};

/// What Via and Record-Route show for messages that leave by `flow`: the listener's advertised
/// address, else the flow's local address (with the listener's port for streams that we opened).
/// `listeners` is the snapshot's list. An advertised host too long for SentBy counts as none.
SentBy sent_by(const Flow& flow, std::span<const Listener> listeners);

}  // namespace signalbox::transport
