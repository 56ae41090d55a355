// Which shard owns what: one rule for cores, drivers and stores. Not secret, stable across restarts
// with the same number of shards.
#pragma once

#include <cstdint>
#include <string_view>

#include "ports/snapshot.h"

namespace signalbox::ports {

/// Calls, and every request that is not a REGISTER.
uint8_t shard_of_call_id(std::string_view call_id, uint8_t shards);
/// Bindings, users, nonce counts. `name` is a canonical user part.
uint8_t shard_of_aor(TenantId tenant, std::string_view name, uint8_t shards);

}  // namespace signalbox::ports
