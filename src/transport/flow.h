// The path that a message came by and that its answer takes back. Implements: RFC 3261 §18; RFC
// 5626 §4 (the term); RFC 7118 §5; RFC 5922 §7.3
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/ip_endpoint.h"

namespace signalbox::transport {

/// The values stand in tokens and in the journal: they never change.
enum class Transport : uint8_t {
    Udp = 0,
    Tcp = 1,
    Tls = 2,  // over TCP
    Ws = 3,   // WebSocket over TCP
    Wss = 4,  // WebSocket over TLS
};
inline constexpr size_t kTransports = 5;

/// "UDP", "TCP", "TLS", "WS" or "WSS", as in a Via (RFC 3261 §20.42, RFC 7118 §5.2).
std::string_view transport_name(Transport transport);
/// The transport of a Via, case-insensitive; false when it is not one of ours.
bool parse_transport(std::string_view text, Transport& transport);
/// The transport that a URI with this transport parameter asks for; without one (`parameter` has no
/// value) UDP, or TLS where the scheme is sips. "ws" is WSS behind sips (RFC 7118 §5). Nothing:
/// none of ours, or one that sips excludes (RFC 3261 §26.2.2: it demands TLS on every hop).
std::optional<Transport> transport_of_uri(std::optional<std::string_view> parameter, bool is_sips);
/// The value of the transport parameter that names this transport in a URI: "tls", and "ws" for
/// both WebSocket transports. Empty for UDP, which needs none.
std::string_view uri_transport(Transport transport);

inline bool is_reliable(Transport transport) {
    return transport != Transport::Udp;
}
/// True when TLS protects it.
inline bool is_secure(Transport transport) {
    return transport == Transport::Tls || transport == Transport::Wss;
}
inline bool is_websocket(Transport transport) {
    return transport == Transport::Ws || transport == Transport::Wss;
}
/// The port of a URI that names none (RFC 3261 §19.1.2, RFC 6455 §3).
uint16_t default_port(Transport transport);

/// The name of a TLS peer as it stands in flows: a hash, equal for equal domains without regard to
/// case, and the same after a restart. None: no domain. Two words, so that a flow needs no padding.
struct PeerDomain {
    uint32_t high = 0, low = 0;

    static PeerDomain of(std::string_view domain);
    static PeerDomain from(uint64_t number) {
        return {static_cast<uint32_t>(number >> 32), static_cast<uint32_t>(number)};
    }
    uint64_t number() const { return (uint64_t{high} << 32) | low; }
    explicit operator bool() const { return number() != 0; }
    friend bool operator==(const PeerDomain&, const PeerDomain&) = default;
};

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
    /// TLS: the domain for which the peer has shown a certificate, or must show one when the
    /// connection is opened (RFC 5922 §7.1, §7.3). None: it showed none; an opened connection must
    /// show one for the address of `remote`.
    PeerDomain domain{};

    friend bool operator==(const Flow&, const Flow&) = default;
};

/// True when both name one peer: its connection, or for datagrams its address and port.
bool is_same_flow(const Flow& a, const Flow& b);

/// The same flow, for a phone that nothing but its connection leads to: once that is gone, sending
/// fails at once. Nobody listens at the port from which a NAT let the connection out. Datagrams and
/// flows that name no connection stay as they are (RFC 5626 §5.3).
Flow only_by_connection(const Flow& flow);
/// True for what only_by_connection() has made of a stream.
bool is_only_by_connection(const Flow& flow);

/// Why a flow ended.
enum class FlowError : uint8_t {
    ClosedByPeer,
    ConnectFailed,
    ConnectTimedOut,
    Reset,
    IdleTimeout,
    Overflow,  // the peer reads too slowly
    Framing,
    Handshake,  // TLS or WebSocket could not be agreed on
    Shutdown,
};

}  // namespace signalbox::transport
