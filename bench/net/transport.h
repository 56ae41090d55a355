// The transports of the load and how Via and URIs name them.
// Implements: RFC 3261 §18.1.1; RFC 7118 §5.1
#pragma once

#include <cstdint>
#include <string_view>

namespace bench {

enum class Transport : std::uint8_t { Udp, Tcp, Tls, Ws, Wss };

inline bool is_stream(Transport transport) {
    return transport != Transport::Udp;
}
inline bool has_tls(Transport transport) {
    return transport == Transport::Tls || transport == Transport::Wss;
}
inline bool has_web_socket(Transport transport) {
    return transport == Transport::Ws || transport == Transport::Wss;
}

/// As Via and the command line name it.
inline std::string_view via_name(Transport transport) {
    switch (transport) {
        case Transport::Udp:
            return "UDP";
        case Transport::Tcp:
            return "TCP";
        case Transport::Tls:
            return "TLS";
        case Transport::Ws:
            return "WS";
        case Transport::Wss:
            return "WSS";
    }
    return {};
}

/// What a URI says; for both kinds of WebSocket it is the same word.
inline std::string_view uri_parameter(Transport transport) {
    switch (transport) {
        case Transport::Udp:
            return {};
        case Transport::Tcp:
            return ";transport=tcp";
        case Transport::Tls:
            return ";transport=tls";
        case Transport::Ws:
        case Transport::Wss:
            return ";transport=ws";
    }
    return {};
}

}  // namespace bench
