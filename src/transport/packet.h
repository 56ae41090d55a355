// One received message: a datagram, or a message framed from a stream.
#pragma once

#include <string_view>

#include "transport/flow.h"

namespace signalbox::transport {

/// Views: the driver's receive buffer; valid until the core's call that receives it returns.
struct Packet {
    Flow flow;
    std::string_view bytes;
};

}  // namespace signalbox::transport
