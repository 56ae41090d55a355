// Takes this server's own hops off a route that leads to a phone.
// Implements: RFC 3327 §5.2; RFC 5626 §5.3
#pragma once

#include "crypto/token.h"
#include "ports/snapshot.h"
#include "proxy/shard_message.h"

namespace signalbox::proxy {

/// A path may lead back to this server, which was the first hop of the phone too: then the token in
/// it names the phone's flow, and target.has_flow is set. What is left of the path is the target's.
void take_own_hops(const ports::Snapshot& snapshot, const crypto::TokenKeys& keys, WallTime now,
                   Target& target);

}  // namespace signalbox::proxy
