// The challenges of a 401 or 407.
// Implements: RFC 3261 §22.1, §22.2, §22.3; RFC 7616 §3.3; RFC 8760 §2.4
#pragma once

#include <string_view>

#include "ports/snapshot.h"
#include "sip/response_builder.h"

namespace signalbox::auth {

/// A longer realm is cut in challenges; the configuration refuses one before.
inline constexpr size_t kRealmBytesMax = 256;

/// Adds one header field per configured algorithm, in that order: WWW-Authenticate for 401,
/// Proxy-Authenticate for 407. `stale` tells the client that its password was right and only its
/// nonce is too old.
void append_challenges(sip::ResponseBuilder& response, int status, const ports::Snapshot& snapshot,
                       std::string_view nonce, bool stale);

}  // namespace signalbox::auth
