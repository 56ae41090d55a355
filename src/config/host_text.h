// A host as people write it in the configuration: a name or an address, with a port or without.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace signalbox::config {

/// Whether this is a host name, or an address; IPv6 in brackets.
bool is_host(std::string_view text);

/// Views: the text that was split.
struct HostAndPort {
    std::string_view host;
    uint16_t port = 0;  // 0: none is written
};

/// Splits "203.0.113.7:5060", "[2001:db8::1]:5060" or "sip.example.test". Nothing when the host is
/// none, or the port lies outside 1 to 65535.
std::optional<HostAndPort> split_host(std::string_view text);

}  // namespace signalbox::config
