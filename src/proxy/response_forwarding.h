// Renders a response for the next element upstream. Implements: RFC 3261 §16.7 steps 3, 8, 9; RFC
// 3325 §5
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "crypto/token.h"
#include "ports/snapshot.h"
#include "proxy/incoming_response.h"

namespace signalbox::proxy {

/// The Reason of a CANCEL to a phone whose call another one has answered (RFC 3326 §3.1).
inline constexpr std::string_view kAnsweredElsewhere =
    "SIP;cause=200;text=\"Call completed elsewhere\"";

/// The Via below ours: of who sent us the request. Nothing when there is none, or it is malformed.
std::optional<sip::Via> second_via(const IncomingResponse& response);

/// True when the response has our Record-Route of this passage of its request, and that proves that
/// Call-ID and the tag of the dialog's caller are those of the request.
bool proves_dialog(const IncomingResponse& response, const ports::Snapshot& snapshot,
                   const crypto::TokenKeys& keys, WallTime now);

/// Takes our Via off and, in a response that makes a dialog, lets our Record-Route name the far
/// side (its flow and Contact) for the requests that the caller will send. `is_direct` says that a
/// phone is at the other end of the response's flow, whose Contact shows whether it is behind a
/// NAT. Of a request that passed us twice, each passage changes its own Record-Route only.
/// `upstream` is where the request came from: who is who is told across the border of trust only
/// (RFC 3325 §5). `out` is cleared first. False when no Via is left: the response was meant for us
/// and ends here.
bool render_response(const IncomingResponse& response, const transport::Flow& upstream,
                     bool is_direct, const ports::Snapshot& snapshot, uint16_t node,
                     const crypto::TokenKeys& keys, WallTime now, std::string& out);

}  // namespace signalbox::proxy
