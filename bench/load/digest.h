// The answer of a phone to a digest challenge with MD5 or SHA-256.
// Implements: RFC 2617 §3.2.2; RFC 7616 §3.4; RFC 8760 §2; RFC 3261 §22.4
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace bench {

enum class Algorithm { Md5, Sha256 };

struct Challenge {
    std::string_view realm;
    std::string_view nonce;
    std::string_view opaque;
    bool has_qop_auth = false;
};

/// Reads the value of WWW-Authenticate. Nothing when it is no digest with `algorithm`, realm and
/// nonce, or when its qop offers something but not auth. The views refer to `value`.
std::optional<Challenge> read_challenge(std::string_view value, Algorithm algorithm);

/// The digest of user:realm:password in hexadecimal digits.
std::string ha1(Algorithm algorithm, std::string_view user, std::string_view realm,
                std::string_view password);

/// The value of the Authorization header for `method` and `uri`; the first use of the nonce.
std::string authorization(Algorithm algorithm, const Challenge& challenge, std::string_view ha1,
                          std::string_view user, std::string_view method, std::string_view uri);

}  // namespace bench
