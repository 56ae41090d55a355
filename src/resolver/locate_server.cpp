// Where a URI says that a request must go next. Implements: RFC 3263 §4.1, §4.2
#include "resolver/locate_server.h"

namespace signalbox::resolver {

Result<NextHop> next_hop(const sip::Uri& uri) {
    if (uri.scheme != sip::Scheme::Sip) return fail(ErrorCode::unsupported_uri_scheme);
    NextHop hop;
    if (const auto transport = uri.param("transport")) {
        if (!transport::parse_transport(*transport, hop.transport)) {
            return fail(ErrorCode::unsupported_uri_scheme);
        }
    }
    hop.host = uri.host;
    if (const auto maddr = uri.param("maddr"); maddr && !maddr->empty()) hop.host = *maddr;
    hop.port = uri.port.value_or(5060);
    hop.address = IpAddress::parse(hop.host);
    return hop;
}

}  // namespace signalbox::resolver
