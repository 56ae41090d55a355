// Which addresses count as one source.
// Implements: RFC 3261 §26.3.2.4
#pragma once

#include <algorithm>

#include "base/ip_endpoint.h"

namespace signalbox::auth {

/// An IPv4 address, or the /64 of an IPv6 one: one client holds all of it and changes within it.
/// Neither port nor transport tell sources apart, because a NAT changes the one, and a request that
/// credentials make too long for UDP changes the other (RFC 3261 §18.1.1).
inline IpAddress source_of(const IpAddress& address) {
    IpAddress source = address;
    if (source.family == Family::V6) std::fill(source.octets.begin() + 8, source.octets.end(), 0);
    return source;
}

}  // namespace signalbox::auth
