// The one format of all that we mint and must know again: branches, Record-Route, flows, nonces and
// To tags.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "crypto/base32.h"
#include "crypto/hmac.h"

namespace signalbox::crypto {

/// What a token is for. It goes into the tag, so that a token of one purpose never opens for
/// another.
namespace purpose {
inline constexpr char kBranch = 'b';
inline constexpr char kViaFlow = 'v';
inline constexpr char kRecordRoute = 'r';
inline constexpr char kFlow = 'f';
inline constexpr char kNonce = 'n';
inline constexpr char kToTag = 't';
inline constexpr char kGruu = 'g';
}  // namespace purpose

inline constexpr uint8_t kTokenVersion = 1;
inline constexpr size_t kTokenKeysMax = 4;
inline constexpr size_t kTokenSecretBytes = 32;
inline constexpr size_t kTokenPayloadMax = 84;
inline constexpr size_t kTokenHeaderBytes = 5;  // version, key id, node (2), shard
inline constexpr size_t kSiphashTagBytes = 8;
inline constexpr size_t kHmacTagBytes = 16;  // HMAC-SHA256, truncated
/// Characters of the longest token: the room that seal_siphash() and seal_hmac() need at `out`.
inline constexpr size_t kTokenTextMax =
    base32_size(kTokenHeaderBytes + kTokenPayloadMax + kHmacTagBytes);

struct TokenFields {
    uint8_t version = kTokenVersion;
    std::optional<uint8_t> key_id;  // the key to seal with; the current one when absent
    uint16_t node = 0;
    uint8_t shard = 0;
    std::string_view payload;  // at most kTokenPayloadMax octets
};

/// A key as it lies in data_dir.
struct TokenKey {
    uint8_t id = 0;
    std::array<uint8_t, kTokenSecretBytes> secret{};
    WallTime not_after;  // tokens of this key open until then, this moment included
};

/// Up to 4 keys, of which one seals. One per shard, because the HMAC contexts are reused; a
/// rotation makes a new one. Each secret gives two independent keys: SipHash takes its first 16
/// octets, HMAC the other 16.
class TokenKeys final {
 public:
    struct Key {
        uint8_t id;
        WallTime not_after;
        std::array<uint64_t, 2> siphash_key;
        mutable Hmac
            hmac;  // its context is scratch space; it always returns to the same keyed state
    };

    /// 1 to 4 keys with different ids. The first one is current. The secrets are not kept.
    explicit TokenKeys(std::span<const TokenKey> keys);
    TokenKeys(TokenKeys&&) noexcept = default;
    TokenKeys& operator=(TokenKeys&&) noexcept = default;

    const Key& current() const { return keys_.front(); }
    /// Null when there is no such key. Valid while this object lives.
    const Key* find(uint8_t id) const;

 private:
    std::vector<Key> keys_;
};

/// The text of a token whose tag is SipHash-2-4: fast, for what is only worth guessing during a
/// call. `fields.key_id`, where given, must name a key of `keys`. The text is lower-case base32.
std::string seal_siphash(char purpose, const TokenFields& fields, const TokenKeys& keys);
/// The same with a tag of 128 bits of HMAC-SHA256: for what gives rights.
std::string seal_hmac(char purpose, const TokenFields& fields, const TokenKeys& keys);

/// The same into `out`, which has room for kTokenTextMax characters; returns the length. For hot
/// paths.
size_t seal_siphash(char purpose, const TokenFields& fields, const TokenKeys& keys, char* out);
size_t seal_hmac(char purpose, const TokenFields& fields, const TokenKeys& keys, char* out);

/// A token whose tag was right.
struct OpenedToken {
    uint8_t key_id = 0;
    uint16_t node = 0;
    uint8_t shard = 0;
    std::array<char, 96> storage{};
    uint8_t payload_size = 0;

    /// Views: storage (lives as long as this object).
    std::string_view payload() const { return {storage.data(), payload_size}; }
};

/// Opens what seal_siphash() made for this purpose, in either case. Nothing when the text is no
/// token, its version or key is unknown, its key is past not_after at `now`, or its tag is wrong
/// (compared in constant time).
std::optional<OpenedToken> open_siphash(char purpose, std::string_view text, const TokenKeys& keys,
                                        WallTime now);
std::optional<OpenedToken> open_hmac(char purpose, std::string_view text, const TokenKeys& keys,
                                     WallTime now);

}  // namespace signalbox::crypto
