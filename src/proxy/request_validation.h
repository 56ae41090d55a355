// The checks that every request passes before it is proxied. Implements: RFC 3261 §16.3; RFC 5393
// §5.3.3
#pragma once

#include <optional>

#include "proxy/incoming_request.h"
#include "proxy/local_reply.h"
#include "proxy/route_preprocessing.h"

namespace signalbox::proxy {

/// Steps 2, 3 and 5 of §16.3: URI scheme (416), Max-Forwards (483), Proxy-Require (420);
/// Max-Breadth (440), and a critical Privacy that we cannot give (500). Step 1 is check_message(),
/// step 4 is_loop(), step 6 the authorisation. Nothing: the request may be proxied.
std::optional<Rejection> validate_request(const IncomingRequest& request, const Routing& routing);

}  // namespace signalbox::proxy
