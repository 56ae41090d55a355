// The token in a Path that we add as the first hop of a phone: it leads back to the phone's flow,
// without any state here. Implements: RFC 5626 §5.2; RFC 3327 §5.2
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/time.h"
#include "crypto/token.h"
#include "transport/flow.h"
#include "transport/listener.h"

namespace signalbox::proxy {

/// The text of a token for `flow`. Whoever holds it may send requests over that flow, so that its
/// tag is an HMAC.
std::string seal_flow_token(const transport::Flow& flow, uint16_t node,
                            const crypto::TokenKeys& keys);

/// The flow, unless we did not make the token or its listener is gone. A stream may have closed
/// since.
std::optional<transport::Flow> open_flow_token(std::string_view text, const crypto::TokenKeys& keys,
                                               WallTime now,
                                               std::span<const transport::Listener> listeners);

}  // namespace signalbox::proxy
