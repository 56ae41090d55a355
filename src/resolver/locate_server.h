// Where a URI says that a request must go next. Implements: RFC 3263 §4.1, §4.2 (what the URI
// itself decides; names are looked up by ServerLookup)
#pragma once

#include <optional>
#include <string_view>

#include "base/ip_endpoint.h"
#include "base/result.h"
#include "sip/uri.h"
#include "transport/flow.h"

namespace signalbox::resolver {

/// Views: the URI. With `address` empty, `host` is a name that must be looked up before sending.
struct NextHop {
    transport::Transport transport = transport::Transport::Udp;  // for a name: unless DNS decides
    std::string_view host;
    uint16_t port = 5060;
    std::optional<IpAddress> address;
    bool has_transport = false;  // the URI names it
    bool has_port = false;       // the URI names it
    bool is_secure = false;      // sips
};

/// Reads maddr, host, port and transport of a SIP or SIPS URI. Without a transport parameter it is
/// UDP, or TLS for sips (RFC 3263 §4.1 for numeric hosts and explicit ports).
/// Error::unsupported_uri_scheme for another scheme, and for a transport that is not ours or that
/// sips excludes.
Result<NextHop> next_hop(const sip::Uri& uri);

/// True when the URI in this text names that very address and port, by whatever transport: it can
/// be reached there over another one as well. A phone behind a NAT, whose flow leads elsewhere than
/// its Contact says, cannot.
bool names_address(std::string_view uri_text, const Endpoint& address);

}  // namespace signalbox::resolver
