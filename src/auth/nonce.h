// Nonces that prove by themselves that we made them, when, and for whom.
// Implements: RFC 3261 §22.4; RFC 7616 §3.3, §5.4
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/ip_endpoint.h"
#include "base/random.h"
#include "base/time.h"
#include "crypto/token.h"

namespace signalbox::auth {

/// What a nonce is told apart by.
struct NonceId {
    uint64_t random = 0;
    uint64_t issued_ms = 0;  // since the Unix epoch
    friend bool operator==(const NonceId&, const NonceId&) = default;
};

/// A nonce as text.
struct NonceText {
    std::array<char, crypto::kTokenTextMax> text;
    size_t size = 0;
    std::string_view view() const { return {text.data(), size}; }
};

struct NonceCheck {
    enum class Kind : uint8_t {
        Invalid,  // not ours, or of a key that is gone
        Foreign,  // ours, but sent to another source
        Expired,  // ours, but past its lifetime, or issued by a clock more than a minute ahead of
                  // this one
        Valid,
    };
    Kind kind = Kind::Invalid;
    NonceId id;  // not of Invalid and Foreign
};

/// Who sends a nonce, and where it goes.
struct NonceMaker {
    const crypto::TokenKeys& keys;
    uint16_t node = 0;
    uint8_t shard = 0;
};

/// Makes a nonce for the client at `client`: the time in milliseconds, 64 random bits and the
/// client's source (auth/source.h) under HMAC, 66 characters for IPv4 and 72 for IPv6. It holds
/// over restarts, on every node with these keys, and over key rotation.
NonceText make_nonce(Now now, Random& random, const NonceMaker& maker, const IpAddress& client);

/// Tells what `text`, which came from `client`, is at `now`. A nonce lives from its making through
/// `lifetime`.
NonceCheck check_nonce(Now now, std::string_view text, const IpAddress& client,
                       const crypto::TokenKeys& keys, Duration lifetime);

}  // namespace signalbox::auth
