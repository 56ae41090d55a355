// A host as people write it in the configuration: a name or an address, with a port or without.
#include "config/host_text.h"

#include <algorithm>

#include "base/ip_endpoint.h"
#include "base/text.h"

namespace signalbox::config {

namespace {

constexpr size_t kHostNameMax = 253;  // RFC 1035 §2.3.4, in its written form

}  // namespace

bool is_host(std::string_view text) {
    if (IpAddress::parse(text)) return text.find(':') == std::string_view::npos || text[0] == '[';
    if (text.empty() || text.size() > kHostNameMax) return false;
    return std::all_of(text.begin(), text.end(), [](char c) {
        return text::is_alpha(c) || text::is_digit(c) || c == '-' || c == '.' || c == '_';
    });
}

std::optional<HostAndPort> split_host(std::string_view text) {
    HostAndPort split{text};
    const size_t colon = text.rfind(':');
    if (colon != std::string_view::npos && !text.ends_with(']')) {
        const auto port = text::to_u32(text.substr(colon + 1));
        if (!port || *port == 0 || *port > 65535) return std::nullopt;
        split = {text.substr(0, colon), static_cast<uint16_t>(*port)};
    }
    if (!is_host(split.host)) return std::nullopt;
    return split;
}

}  // namespace signalbox::config
