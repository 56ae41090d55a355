// Chooses the response that goes upstream when every branch has a final one. Implements: RFC 3261
// §16.7 step 6
#pragma once

#include <optional>
#include <span>

#include "proxy/response_context.h"

namespace signalbox::proxy {

/// The branch whose response is forwarded, or nothing when none is final with other than 2xx.
/// A 6xx wins; then the lowest class; in 4xx those that tell the caller how to try again (401, 407,
/// 415, 420, 484), then busy (486), then the first that came. An answer of a far side wins over any
/// failure that was made here, and anything over a 408 to other than INVITE, which may not be sent
/// (RFC 4320 §4.2).
std::optional<size_t> best_response(std::span<const Branch> branches, bool is_invite);

/// What a chosen status becomes upstream: 503 becomes 500, because the caller should not avoid this
/// server for one callee.
int upstream_status(int status);

}  // namespace signalbox::proxy
