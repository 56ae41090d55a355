// Endpoints as the socket interface writes them, and back.
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include "base/ip_endpoint.h"

namespace signalbox::io {

/// Room for an IPv4 or IPv6 socket address; smaller than sockaddr_storage, because hot loops copy
/// it.
union SocketAddress {
    sockaddr any;
    sockaddr_in v4;
    sockaddr_in6 v6;
};

/// Writes `endpoint`; returns its length, 0 when it has no family.
socklen_t to_socket_address(const Endpoint& endpoint, SocketAddress& out);
/// An endpoint without a family when the address is neither IPv4 nor IPv6.
Endpoint from_socket_address(const SocketAddress& address);
IpAddress from_in_addr(const in_addr& address);
IpAddress from_in6_addr(const in6_addr& address);
in_addr to_in_addr(const IpAddress& address);
in6_addr to_in6_addr(const IpAddress& address);

/// What getsockname and getpeername tell; no family when they fail.
Endpoint local_endpoint(int fd);
Endpoint remote_endpoint(int fd);

}  // namespace signalbox::io
