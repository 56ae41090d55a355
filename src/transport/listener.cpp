// The address that Via and Record-Route show. Implements: RFC 3261 §18.1.1
#include "transport/listener.h"

#include <charconv>

namespace signalbox::transport {

namespace {

constexpr size_t kPortTextMax = 6;  // ":65535"

size_t append_port(uint16_t port, char* out, char* end) {
    *out = ':';
    return static_cast<size_t>(std::to_chars(out + 1, end, port).ptr - out);
}

}  // namespace

SentBy sent_by(const Flow& flow, std::span<const Listener> listeners) {
    SentBy result;
    char* const begin = result.text.data();
    char* const end = begin + result.text.size();
    const Listener* listener =
        flow.listener < listeners.size() ? &listeners[flow.listener] : nullptr;
    const bool is_advertised =
        listener != nullptr && listener->advertise_host &&
        listener->advertise_host->size() + kPortTextMax <= sizeof(result.text);
    // A stream that we opened has a local port of its own, at which nobody listens.
    const bool is_listener_port = listener != nullptr && listener->bound.port != 0 &&
                                  (is_reliable(flow.transport) || flow.local.port == 0);
    uint16_t port = is_listener_port ? listener->bound.port : flow.local.port;
    if (is_advertised) {
        result.size = listener->advertise_host->copy(begin, result.text.size());
        if (listener->advertise_port != 0) port = listener->advertise_port;
    } else {
        const bool is_local_known =
            flow.local.address.family != Family::None && !flow.local.address.is_unspecified();
        const bool is_bound_better = !is_local_known && listener != nullptr;
        result.size =
            write_host(is_bound_better ? listener->bound.address : flow.local.address, begin);
    }
    result.size += append_port(port, begin + result.size, end);
    return result;
}

}  // namespace signalbox::transport
