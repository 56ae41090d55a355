// Endpoints as the socket interface writes them, and back.
#include "io/socket_address.h"

#include <arpa/inet.h>

#include <algorithm>
#include <cstring>

namespace signalbox::io {

in_addr to_in_addr(const IpAddress& address) {
    in_addr out{};
    std::memcpy(&out, address.octets.data(), sizeof(out));
    return out;
}

in6_addr to_in6_addr(const IpAddress& address) {
    in6_addr out{};
    std::memcpy(&out, address.octets.data(), sizeof(out));
    return out;
}

IpAddress from_in_addr(const in_addr& address) {
    IpAddress out;
    std::memcpy(out.octets.data(), &address, sizeof(address));
    out.family = Family::V4;
    return out;
}

IpAddress from_in6_addr(const in6_addr& address) {
    std::array<uint8_t, 16> octets{};
    std::memcpy(octets.data(), &address, octets.size());
    return IpAddress::v6(octets);
}

socklen_t to_socket_address(const Endpoint& endpoint, SocketAddress& out) {
    switch (endpoint.address.family) {
        case Family::V4:
            out.v4 = {};
            out.v4.sin_family = AF_INET;
            out.v4.sin_port = htons(endpoint.port);
            out.v4.sin_addr = to_in_addr(endpoint.address);
            return sizeof(out.v4);
        case Family::V6:
            out.v6 = {};
            out.v6.sin6_family = AF_INET6;
            out.v6.sin6_port = htons(endpoint.port);
            out.v6.sin6_addr = to_in6_addr(endpoint.address);
            return sizeof(out.v6);
        case Family::None:
            return 0;
    }
    return 0;
}

Endpoint from_socket_address(const SocketAddress& address) {
    if (address.any.sa_family == AF_INET) {
        return {from_in_addr(address.v4.sin_addr), ntohs(address.v4.sin_port)};
    }
    if (address.any.sa_family == AF_INET6) {
        return {from_in6_addr(address.v6.sin6_addr), ntohs(address.v6.sin6_port)};
    }
    return {};
}

Endpoint local_endpoint(int fd) {
    SocketAddress address{};
    socklen_t size = sizeof(address);
    if (::getsockname(fd, &address.any, &size) != 0) return {};
    return from_socket_address(address);
}

Endpoint remote_endpoint(int fd) {
    SocketAddress address{};
    socklen_t size = sizeof(address);
    if (::getpeername(fd, &address.any, &size) != 0) return {};
    return from_socket_address(address);
}

}  // namespace signalbox::io
