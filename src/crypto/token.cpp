// Sealing and opening of tokens: version, key id, node (big-endian), shard, payload, tag.
#include "crypto/token.h"

#include <algorithm>
#include <cstring>

#include "base/check.h"
#include "base/random.h"
#include "crypto/constant_time.h"

namespace signalbox::crypto {

namespace {

enum class Tag { Siphash, Hmac };

constexpr size_t kBytesMax = kTokenHeaderBytes + kTokenPayloadMax + kHmacTagBytes;

constexpr size_t tag_size(Tag tag) {
    return tag == Tag::Siphash ? kSiphashTagBytes : kHmacTagBytes;
}

/// A token's bytes behind its purpose, which is part of what the tag covers but not of the text.
struct Sheet {
    std::array<char, 1 + kBytesMax> octets{};

    char* token() { return octets.data() + 1; }
    std::string_view covered(size_t token_bytes) const { return {octets.data(), 1 + token_bytes}; }
};

std::array<char, kHmacTagBytes> make_tag(Tag tag, const TokenKeys::Key& key,
                                         std::string_view covered) {
    std::array<char, kHmacTagBytes> octets{};
    if (tag == Tag::Siphash) {
        const uint64_t value = siphash(key.siphash_key, covered);
        std::memcpy(octets.data(), &value, sizeof(value));
    } else {
        const auto value = key.hmac.sha256({covered});
        std::memcpy(octets.data(), value.data(), octets.size());
    }
    return octets;
}

/// In a time that tells nothing about where they differ: of one word, a comparison is that.
bool is_same_tag(Tag tag, const char* given, const char* expected) {
    if (tag == Tag::Hmac)
        return equal_constant_time({given, kHmacTagBytes}, {expected, kHmacTagBytes});
    uint64_t a = 0;
    uint64_t b = 0;
    static_assert(sizeof(a) == kSiphashTagBytes);
    std::memcpy(&a, given, sizeof(a));
    std::memcpy(&b, expected, sizeof(b));
    return a == b;
}

const TokenKeys::Key& sealing_key(const TokenFields& fields, const TokenKeys& keys) {
    if (!fields.key_id) return keys.current();
    const TokenKeys::Key* key = keys.find(*fields.key_id);
    CHECK(key != nullptr);
    return *key;
}

size_t seal(Tag tag, char purpose, const TokenFields& fields, const TokenKeys& keys, char* out) {
    CHECK(fields.version == kTokenVersion);
    CHECK(fields.payload.size() <= kTokenPayloadMax);
    const TokenKeys::Key& key = sealing_key(fields, keys);
    Sheet sheet;
    sheet.octets[0] = purpose;
    char* const token = sheet.token();
    token[0] = static_cast<char>(fields.version);
    token[1] = static_cast<char>(key.id);
    token[2] = static_cast<char>(fields.node >> 8);
    token[3] = static_cast<char>(fields.node & 0xff);
    token[4] = static_cast<char>(fields.shard);
    std::copy(fields.payload.begin(), fields.payload.end(), token + kTokenHeaderBytes);
    const size_t size = kTokenHeaderBytes + fields.payload.size();
    const auto octets = make_tag(tag, key, sheet.covered(size));
    std::copy_n(octets.data(), tag_size(tag), token + size);
    return base32_encode({token, size + tag_size(tag)}, out);
}

std::optional<OpenedToken> open(Tag tag, char purpose, std::string_view text, const TokenKeys& keys,
                                WallTime now) {
    Sheet sheet;
    sheet.octets[0] = purpose;
    const char* const token = sheet.token();
    const auto decoded =
        base32_decode(text, sheet.token(), kTokenHeaderBytes + kTokenPayloadMax + tag_size(tag));
    if (!decoded || *decoded < kTokenHeaderBytes + tag_size(tag)) return std::nullopt;
    if (static_cast<uint8_t>(token[0]) != kTokenVersion) return std::nullopt;
    const TokenKeys::Key* key = keys.find(static_cast<uint8_t>(token[1]));
    if (key == nullptr || now > key->not_after) return std::nullopt;

    const size_t size = *decoded - tag_size(tag);
    const auto expected = make_tag(tag, *key, sheet.covered(size));
    if (!is_same_tag(tag, token + size, expected.data())) return std::nullopt;

    OpenedToken opened;
    opened.key_id = key->id;
    opened.node =
        static_cast<uint16_t>(static_cast<uint8_t>(token[2]) << 8 | static_cast<uint8_t>(token[3]));
    opened.shard = static_cast<uint8_t>(token[4]);
    opened.payload_size = static_cast<uint8_t>(size - kTokenHeaderBytes);
    std::copy_n(token + kTokenHeaderBytes, opened.payload_size, opened.storage.data());
    return opened;
}

std::string seal_text(Tag tag, char purpose, const TokenFields& fields, const TokenKeys& keys) {
    char buffer[kTokenTextMax];
    return {buffer, seal(tag, purpose, fields, keys, buffer)};
}

}  // namespace

TokenKeys::TokenKeys(std::span<const TokenKey> keys) {
    CHECK(!keys.empty());
    CHECK(keys.size() <= kTokenKeysMax);
    keys_.reserve(keys.size());
    for (const TokenKey& key : keys) {
        CHECK(find(key.id) == nullptr);
        std::array<uint64_t, 2> siphash_key{};
        static_assert(2 * sizeof(siphash_key) == kTokenSecretBytes);
        std::memcpy(siphash_key.data(), key.secret.data(), sizeof(siphash_key));
        const std::string_view secret(reinterpret_cast<const char*>(key.secret.data()),
                                      kTokenSecretBytes);
        keys_.push_back(
            Key{key.id, key.not_after, siphash_key, Hmac(secret.substr(sizeof(siphash_key)))});
    }
}

const TokenKeys::Key* TokenKeys::find(uint8_t id) const {
    for (const Key& key : keys_) {
        if (key.id == id) return &key;
    }
    return nullptr;
}

std::string seal_siphash(char purpose, const TokenFields& fields, const TokenKeys& keys) {
    return seal_text(Tag::Siphash, purpose, fields, keys);
}

std::string seal_hmac(char purpose, const TokenFields& fields, const TokenKeys& keys) {
    return seal_text(Tag::Hmac, purpose, fields, keys);
}

size_t seal_siphash(char purpose, const TokenFields& fields, const TokenKeys& keys, char* out) {
    return seal(Tag::Siphash, purpose, fields, keys, out);
}

size_t seal_hmac(char purpose, const TokenFields& fields, const TokenKeys& keys, char* out) {
    return seal(Tag::Hmac, purpose, fields, keys, out);
}

std::optional<OpenedToken> open_siphash(char purpose, std::string_view text, const TokenKeys& keys,
                                        WallTime now) {
    return open(Tag::Siphash, purpose, text, keys, now);
}

std::optional<OpenedToken> open_hmac(char purpose, std::string_view text, const TokenKeys& keys,
                                     WallTime now) {
    return open(Tag::Hmac, purpose, text, keys, now);
}

}  // namespace signalbox::crypto
