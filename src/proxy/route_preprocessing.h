// Takes our own Routes off a request and finds what it is really for. Implements: RFC 3261 §16.4;
// RFC 5626 §5.3; RFC 5627 §5.1
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "location/gruu.h"
#include "proxy/dialog_token.h"
#include "proxy/incoming_request.h"

namespace signalbox::proxy {

/// The outcome. Views: the packet.
struct Routing {
    std::string_view target_uri;  // the Request-URI to route by, as it came
    std::string without_maddr;    // the same where its maddr names us; empty: it does not
    sip::Uri uri;                 // target(), parsed
    ports::TenantId tenant = ports::kNoTenant;  // whose it is: Snapshot::tenant_of(uri)
    size_t own_routes = 0;              // Route values at the top that name us: to be removed
    bool is_last_route_target = false;  // a strict router put our URI into the Request-URI: the
                                        // last Route was the target, remove it
    std::string_view next_route;        // the URI of the first Route that is left; empty: none
    bool is_next_route_loose = true;    // it has the lr parameter
    std::optional<DialogToken> token;  // of our Record-Route, proved to be of this request's dialog
    std::optional<location::Gruu> gruu;  // what the Request-URI names, where it is one of ours
    std::optional<transport::Flow>
        edge_flow;  // of the Path that we added for a phone: it goes there
    bool has_refused_token =
        false;  // a token of ours that does not prove it: the request counts as outside a dialog

    /// The Request-URI to route by. Views: the packet, or this object.
    std::string_view target() const {
        return without_maddr.empty() ? target_uri : std::string_view(without_maddr);
    }
};

/// Reads Request-URI and Route header fields. The errors: malformed_uri, malformed_route.
Result<Routing> preprocess_route(const IncomingRequest& request, const crypto::TokenKeys& keys,
                                 WallTime now);

}  // namespace signalbox::proxy
