// The names of the transports. Implements: RFC 3261 §20.42
#include "transport/flow.h"

#include "base/text.h"

namespace signalbox::transport {

std::string_view transport_name(Transport transport) {
    switch (transport) {
        case Transport::Udp:
            return "UDP";
        case Transport::Tcp:
            return "TCP";
    }
    return {};
}

bool parse_transport(std::string_view text, Transport& transport) {
    for (const Transport candidate : {Transport::Udp, Transport::Tcp}) {
        if (text::iequals(text, transport_name(candidate))) {
            transport = candidate;
            return true;
        }
    }
    return false;
}

}  // namespace signalbox::transport
