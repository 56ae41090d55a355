// Nonces as tokens of purpose 'n': 8 octets of time, 8 of randomness.
#include "auth/nonce.h"

#include <cstring>

namespace signalbox::auth {

namespace {

constexpr size_t kPayloadBytes = 16;
/// Shards and nodes read their clocks at slightly different moments.
constexpr uint64_t kClockSkewMsMax = 60'000;

uint64_t wall_ms(Now now) {
    return static_cast<uint64_t>(
        std::chrono::floor<std::chrono::milliseconds>(now.wall.time_since_epoch()).count());
}

}  // namespace

NonceText make_nonce(Now now, Random& random, const crypto::TokenKeys& keys, uint16_t node,
                     uint8_t shard) {
    std::array<char, kPayloadBytes> payload;
    const NonceId id{random.next(), wall_ms(now)};
    std::memcpy(payload.data(), &id.issued_ms, 8);
    std::memcpy(payload.data() + 8, &id.random, 8);
    crypto::TokenFields fields;
    fields.node = node;
    fields.shard = shard;
    fields.payload = {payload.data(), payload.size()};
    NonceText nonce;
    nonce.size = crypto::seal_hmac(crypto::purpose::kNonce, fields, keys, nonce.text.data());
    return nonce;
}

NonceCheck check_nonce(Now now, std::string_view text, const crypto::TokenKeys& keys,
                       Duration lifetime) {
    NonceCheck check;
    const auto opened = crypto::open_hmac(crypto::purpose::kNonce, text, keys, now.wall);
    if (!opened || opened->payload_size != kPayloadBytes) return check;
    std::memcpy(&check.id.issued_ms, opened->storage.data(), 8);
    std::memcpy(&check.id.random, opened->storage.data() + 8, 8);
    const uint64_t now_ms = wall_ms(now);
    const auto lifetime_ms =
        static_cast<uint64_t>(std::chrono::floor<std::chrono::milliseconds>(lifetime).count());
    const bool is_future = check.id.issued_ms > now_ms + kClockSkewMsMax;
    const bool is_old = now_ms > check.id.issued_ms && now_ms - check.id.issued_ms > lifetime_ms;
    check.kind = is_future || is_old ? NonceCheck::Kind::Expired : NonceCheck::Kind::Valid;
    return check;
}

}  // namespace signalbox::auth
