// The flow by which a binding is reached now.
// Implements: RFC 3261 §16.6 step 7, §18.1.1; RFC 5626 §5.3, §7
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "location/location.h"
#include "ports/snapshot.h"
#include "transport/flow.h"

namespace signalbox::location {

/// Where a request for `binding` goes.
/// Datagrams: the flow by which it registered. Streams: that connection while it lives; after it
/// has closed, the numeric address of its Contact. Where a NAT stands between, or the phone gave
/// the flow a reg-id, it is the connection or nothing, also when it closes before the request is
/// sent. Nothing: it cannot be reached (480). The listener is found again by address, because a
/// reload or a restart may have moved it. `own_shard` becomes the flow's shard where no connection
/// ties it to another.
std::optional<transport::Flow> reachable_flow(const Binding& binding,
                                              const ports::Snapshot& snapshot, uint8_t own_shard);

}  // namespace signalbox::location
