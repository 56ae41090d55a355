// Takes this server's own hops off a route that leads to a phone.
// Implements: RFC 3327 §5.2; RFC 5626 §5.3
#include "proxy/own_hops.h"

#include "proxy/flow_token.h"
#include "sip/header_values.h"

namespace signalbox::proxy {

void take_own_hops(const ports::Snapshot& snapshot, const crypto::TokenKeys& keys, WallTime now,
                   Target& target) {
    while (!target.path.empty()) {
        std::string_view rest;
        const auto hop = sip::parse_name_addr(target.path, ErrorCode::malformed_route, &rest);
        if (!hop || !hop->uri.is_sip() || snapshot.tenant_of(hop->uri) == ports::kNoTenant) return;
        target.path = rest;
        const auto flow = hop->uri.has_user
                              ? open_flow_token(hop->uri.user, keys, now, snapshot.listeners)
                              : std::optional<transport::Flow>{};
        if (!flow) continue;
        target.has_flow = true;
        target.flow = transport::only_by_connection(*flow);
        return;
    }
}

}  // namespace signalbox::proxy
