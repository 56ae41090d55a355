// A number that a request has in common with all that must take the same way without state.
// Implements: RFC 3261 §16.11
#pragma once

#include <array>
#include <cstdint>

#include "proxy/incoming_request.h"

namespace signalbox::proxy {

/// The same for a request, its retransmissions, its CANCEL and the ACK to its failure: they have
/// the top Via's branch in common; without a magic cookie, what RFC 3261 §16.11 names instead.
uint64_t stable_hash(const IncomingRequest& request, std::array<uint64_t, 2> key);

}  // namespace signalbox::proxy
