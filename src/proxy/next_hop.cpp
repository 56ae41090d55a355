// From a URI, or from a dialog's flow, to the next hop. Implements: RFC 3261 §16.6 step 7, §16.12
#include "proxy/next_hop.h"

#include "base/text.h"

namespace signalbox::proxy {

Result<resolver::NextHop> hop_of(std::string_view next, std::string_view target) {
    TRY_ASSIGN(uri, sip::parse_uri(next));
    return hop_of(uri, target);
}

Result<resolver::NextHop> hop_of(const sip::Uri& next, std::string_view target) {
    const bool is_secure = next.is_sip() && text::istarts_with(target, "sips:");
    if (!is_secure || next.scheme == sip::Scheme::Sips) return resolver::next_hop(next);
    sip::Uri uri = next;
    uri.scheme = sip::Scheme::Sips;
    return resolver::next_hop(uri);
}

std::optional<transport::Flow> dialog_flow_to(const transport::Flow& dialog,
                                              const resolver::Hop& hop) {
    if (hop.transport != dialog.transport || hop.remote.address != dialog.remote.address)
        return std::nullopt;
    transport::Flow flow = dialog;
    flow.remote.port = hop.remote.port;
    return flow;
}

}  // namespace signalbox::proxy
