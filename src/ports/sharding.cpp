// Which shard owns a call or an address of record: a keyed hash that stays the same over restarts.
#include "ports/sharding.h"

#include "base/random.h"

namespace signalbox::ports {

namespace {

/// Fixed for good: a change would move every binding and call to another shard.
constexpr std::array<uint64_t, 2> kKey{0x5349474e414c424fULL, 0x5853484152444b59ULL};

/// Scales the hash's upper half to [0, shards): even, and without a division.
uint8_t scale(uint64_t hash, uint8_t shards) {
    return static_cast<uint8_t>(((hash >> 32) * shards) >> 32);
}

}  // namespace

uint8_t shard_of_call_id(std::string_view call_id, uint8_t shards) {
    if (shards <= 1) return 0;
    return scale(siphash(kKey, call_id), shards);
}

uint8_t shard_of_aor(TenantId tenant, std::string_view name, uint8_t shards) {
    if (shards <= 1) return 0;
    return scale(siphash({kKey[0] ^ tenant, kKey[1]}, name), shards);
}

}  // namespace signalbox::ports
