// One received message: a datagram, or a message framed from a stream.
#pragma once

#include <string_view>

#include "base/time.h"
#include "transport/flow.h"

namespace signalbox::transport {

/// Views: the driver's receive buffer; valid until the core's call that receives it returns.
struct Packet {
    Flow flow;
    std::string_view bytes;
    /// Since it reached this machine, as far as is known: in the socket's buffer, on the way
    /// between shards, behind others of its stream. Never negative.
    Duration waited{};
    bool is_examined = false;  // the core was asked whether it drops the packet unread
};

}  // namespace signalbox::transport
