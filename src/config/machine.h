// What the machine says of itself: its addresses, its name, whether it speaks IPv6.
#pragma once

#include <string>
#include <vector>

#include "base/ip_endpoint.h"

namespace signalbox::config {

/// Addresses of the interfaces that are up, loopback and link-local ones included, each once, IPv4
/// first.
std::vector<IpAddress> own_addresses();
/// Lower case; "localhost" when the machine has no name.
std::string host_name();
/// True when a socket for IPv6 can be bound.
bool has_ipv6();

}  // namespace signalbox::config
