// Where a URI says that a request must go next. Implements: RFC 3263 §4.1, §4.2
#include "resolver/locate_server.h"

namespace signalbox::resolver {

Result<NextHop> next_hop(const sip::Uri& uri) {
    if (!uri.is_sip()) return fail(ErrorCode::unsupported_uri_scheme);
    const auto transport =
        transport::transport_of_uri(uri.param("transport"), uri.scheme == sip::Scheme::Sips);
    if (!transport) return fail(ErrorCode::unsupported_uri_scheme);
    NextHop hop;
    hop.transport = *transport;
    hop.has_transport = uri.param("transport").has_value();
    hop.has_port = uri.port.has_value();
    hop.is_secure = uri.scheme == sip::Scheme::Sips;
    hop.host = uri.host;
    if (const auto maddr = uri.param("maddr"); maddr && !maddr->empty()) hop.host = *maddr;
    hop.port = uri.port.value_or(transport::default_port(hop.transport));
    hop.address = IpAddress::parse(hop.host);
    return hop;
}

bool names_address(std::string_view uri_text, const Endpoint& address) {
    const auto uri = sip::parse_uri(uri_text);
    const auto hop = uri ? next_hop(*uri) : fail(ErrorCode::malformed_uri);
    return hop && hop->address == address.address && hop->port == address.port;
}

}  // namespace signalbox::resolver
