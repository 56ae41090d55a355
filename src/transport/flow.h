// The path that a message came by and that its answer takes back. Implements: RFC 3261 §18; RFC
// 5626 §4 (the term)
#pragma once

#include <cstdint>
#include <string_view>

#include "base/ip_endpoint.h"

namespace signalbox::transport {

enum class Transport : uint8_t { Udp, Tcp };

/// "UDP" or "TCP", as in a Via.
std::string_view transport_name(Transport transport);
/// The transport of a Via or of a transport parameter, case-insensitive; false when it is not one
/// of ours.
bool parse_transport(std::string_view text, Transport& transport);
inline bool is_reliable(Transport transport) {
    return transport != Transport::Udp;
}

/// A value: it owns nothing, and a stream's flow may name a connection that has closed since (its
/// generation tells). Datagrams: socket `listener`, from `local`, to `remote`. Streams: connection
/// `connection` of shard `shard`; kNoConnection asks the driver to reuse a connection to `remote`
/// of any age or to open one from the address of `listener`.
struct Flow {
    static constexpr uint32_t kNoConnection = UINT32_MAX;

    Transport transport = Transport::Udp;
    uint8_t shard = 0;
    uint16_t listener = 0;  // index in Snapshot::listeners
    uint32_t connection = kNoConnection;
    uint32_t generation = 0;
    Endpoint local;  // learned by IP_PKTINFO or getsockname; what Via and Record-Route show unless
                     // the listener advertises
    Endpoint remote;

    friend bool operator==(const Flow&, const Flow&) = default;
};

/// Why a flow ended.
enum class FlowError : uint8_t {
    ClosedByPeer,
    ConnectFailed,
    ConnectTimedOut,
    Reset,
    IdleTimeout,
    Overflow,  // the peer reads too slowly
    Framing,
    Shutdown,
};

}  // namespace signalbox::transport
