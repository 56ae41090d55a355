// Nonces as tokens of purpose 'n': 8 octets of time, 8 of randomness, 4 or 8 of the source.
#include "auth/nonce.h"

#include <cstring>

#include "auth/source.h"

namespace signalbox::auth {

namespace {

constexpr size_t kSourceAt = 16;
constexpr size_t kSourceBytesMax = 8;
/// Shards and nodes read their clocks at slightly different moments.
constexpr uint64_t kClockSkewMsMax = 60'000;

uint64_t wall_ms(Now now) {
    return static_cast<uint64_t>(
        std::chrono::floor<std::chrono::milliseconds>(now.wall.time_since_epoch()).count());
}

/// An address of the source as octets: its family follows from their number.
struct SourceOctets {
    explicit SourceOctets(const IpAddress& client) {
        const IpAddress source = source_of(client);
        if (source.family == Family::V4) size = 4;
        if (source.family == Family::V6) size = 8;
        std::memcpy(octets.data(), source.octets.data(), size);
    }
    std::string_view view() const { return {octets.data(), size}; }

    std::array<char, kSourceBytesMax> octets;
    size_t size = 0;
};

}  // namespace

NonceText make_nonce(Now now, Random& random, const NonceMaker& maker, const IpAddress& client) {
    std::array<char, kSourceAt + kSourceBytesMax> payload;
    const NonceId id{random.next(), wall_ms(now)};
    std::memcpy(payload.data(), &id.issued_ms, 8);
    std::memcpy(payload.data() + 8, &id.random, 8);
    const SourceOctets source(client);
    std::memcpy(payload.data() + kSourceAt, source.octets.data(), source.size);
    crypto::TokenFields fields;
    fields.node = maker.node;
    fields.shard = maker.shard;
    fields.payload = {payload.data(), kSourceAt + source.size};
    NonceText nonce;
    nonce.size = crypto::seal_hmac(crypto::purpose::kNonce, fields, maker.keys, nonce.text.data());
    return nonce;
}

NonceCheck check_nonce(Now now, std::string_view text, const IpAddress& client,
                       const crypto::TokenKeys& keys, Duration lifetime) {
    NonceCheck check;
    const auto opened = crypto::open_hmac(crypto::purpose::kNonce, text, keys, now.wall);
    if (!opened || opened->payload_size < kSourceAt) return check;
    if (opened->payload().substr(kSourceAt) != SourceOctets(client).view()) {
        check.kind = NonceCheck::Kind::Foreign;
        return check;
    }
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
