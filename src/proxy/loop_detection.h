// Tells a loop from a spiral: a request that comes back unchanged in all that decides its way is a
// loop. Implements: RFC 3261 §16.3 step 4, §16.6 step 8; RFC 5393 §4.2
#pragma once

#include "crypto/token.h"
#include "proxy/incoming_request.h"
#include "proxy/relay_policy.h"

namespace signalbox::proxy {

/// The hash that goes into our branch: of what decides the way and nothing else, so that no detail
/// that others may change between two visits makes a loop look like a spiral. For an address of
/// record of ours that is the address, whatever its URI looks like, and the phone that a GRUU
/// asks for; else the whole Request-URI. Besides: the remaining Route set, Call-ID, From tag and
/// CSeq number. Not Via, and nothing that a CANCEL or the ACK to a failure may lack, which must get
/// their INVITE's branch where it was forwarded without state (RFC 3261 §16.11): method, To tag,
/// credentials (ours end here, and those for others decide nothing) and Proxy-Require (always
/// refused).
uint64_t loop_hash(const IncomingRequest& request, const Routing& routing,
                   const RelayDecision& relay, std::array<uint64_t, 2> key);

/// True when a Via that we added carries the same hash.
bool is_loop(const IncomingRequest& request, uint64_t hash, const crypto::TokenKeys& keys,
             WallTime now);

}  // namespace signalbox::proxy
