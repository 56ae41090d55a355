// The names of the transports.
// Implements: RFC 3261 §19.1.2, §20.42, §26.2.2; RFC 7118 §5
#include "transport/flow.h"

#include <array>

#include "base/random.h"
#include "base/text.h"

namespace signalbox::transport {

namespace {

/// Not secret: it only has to spread, and to be the same after a restart.
constexpr std::array<uint64_t, 2> kDomainKey{0x506c6174666f726d, 0x4275666665727374};
constexpr size_t kDomainMax = 255;

}  // namespace

std::string_view transport_name(Transport transport) {
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

bool parse_transport(std::string_view text, Transport& transport) {
    for (const Transport candidate :
         {Transport::Udp, Transport::Tcp, Transport::Tls, Transport::Ws, Transport::Wss}) {
        if (text::iequals(text, transport_name(candidate))) {
            transport = candidate;
            return true;
        }
    }
    return false;
}

std::optional<Transport> transport_of_uri(std::optional<std::string_view> parameter, bool is_sips) {
    if (!parameter) return is_sips ? Transport::Tls : Transport::Udp;
    Transport transport;
    if (!parse_transport(*parameter, transport)) return std::nullopt;
    if (!is_sips) return transport;
    switch (transport) {
        case Transport::Udp:
            return std::nullopt;
        case Transport::Tcp:  // the transport below TLS (RFC 3261 §26.2.2)
        case Transport::Tls:
            return Transport::Tls;
        case Transport::Ws:
        case Transport::Wss:
            return Transport::Wss;
    }
    return std::nullopt;
}

std::string_view uri_transport(Transport transport) {
    switch (transport) {
        case Transport::Udp:
            return {};
        case Transport::Tcp:
            return "tcp";
        case Transport::Tls:
            return "tls";
        case Transport::Ws:
        case Transport::Wss:
            return "ws";
    }
    return {};
}

uint16_t default_port(Transport transport) {
    switch (transport) {
        case Transport::Udp:
        case Transport::Tcp:
            return 5060;
        case Transport::Tls:
            return 5061;
        case Transport::Ws:
            return 80;
        case Transport::Wss:
            return 443;
    }
    return 5060;
}

PeerDomain PeerDomain::of(std::string_view domain) {
    if (domain.ends_with('.')) domain.remove_suffix(1);
    std::array<char, kDomainMax> lower;
    size_t size = 0;
    for (const char c : domain.substr(0, kDomainMax)) lower[size++] = text::lower(c);
    const uint64_t hash = siphash(kDomainKey, {lower.data(), size});
    return from(hash == 0 ? 1 : hash);
}

bool is_same_flow(const Flow& a, const Flow& b) {
    if (a.transport != b.transport || a.remote != b.remote) return false;
    return !is_reliable(a.transport) ||
           (a.shard == b.shard && a.connection == b.connection && a.generation == b.generation);
}

Flow only_by_connection(const Flow& flow) {
    Flow bound = flow;
    // Port 0 is nobody's: no driver opens a connection to it.
    if (is_reliable(flow.transport) && flow.connection != Flow::kNoConnection)
        bound.remote.port = 0;
    return bound;
}

bool is_only_by_connection(const Flow& flow) {
    return is_reliable(flow.transport) && flow.connection != Flow::kNoConnection &&
           flow.remote.port == 0;
}

}  // namespace signalbox::transport
