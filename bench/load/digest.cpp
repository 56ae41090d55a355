// The answer of a phone to a digest challenge with MD5 or SHA-256.
// Implements: RFC 2617 §3.2.2; RFC 7616 §3.4; RFC 8760 §2; RFC 3261 §22.4
#include "load/digest.h"

#include <openssl/evp.h>

#include <array>
#include <initializer_list>
#include <memory>
#include <stdexcept>

#include "load/message_scan.h"

namespace bench {
namespace {

constexpr std::string_view kNonceCount = "00000001";
constexpr std::string_view kClientNonce = "6c6f6164";

using Digest = std::unique_ptr<EVP_MD, decltype(&EVP_MD_free)>;

std::string_view algorithm_name(Algorithm algorithm) {
    return algorithm == Algorithm::Md5 ? "MD5" : "SHA-256";
}

const EVP_MD* digest_of(Algorithm algorithm) {
    static const Digest md5(EVP_MD_fetch(nullptr, "MD5", nullptr), EVP_MD_free);
    static const Digest sha256(EVP_MD_fetch(nullptr, "SHA256", nullptr), EVP_MD_free);
    return algorithm == Algorithm::Md5 ? md5.get() : sha256.get();
}

/// The digest of the parts joined by colons, in hexadecimal digits. One context serves the whole
/// run: making one per digest costs the load more than the digest itself.
std::string hash_of(Algorithm algorithm, std::initializer_list<std::string_view> parts) {
    static const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(),
                                                                                 EVP_MD_CTX_free);
    const EVP_MD* const kind = digest_of(algorithm);
    if (!context || kind == nullptr || EVP_DigestInit_ex2(context.get(), kind, nullptr) != 1) {
        throw std::runtime_error("this OpenSSL lacks MD5 or SHA-256");
    }
    bool is_first = true;
    for (const std::string_view part : parts) {
        if (!is_first) EVP_DigestUpdate(context.get(), ":", 1);
        EVP_DigestUpdate(context.get(), part.data(), part.size());
        is_first = false;
    }
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned length = 0;
    EVP_DigestFinal_ex(context.get(), digest.data(), &length);
    std::string text;
    for (unsigned i = 0; i < length; ++i) {
        constexpr std::string_view kDigits = "0123456789abcdef";
        text += kDigits[digest[i] >> 4];
        text += kDigits[digest[i] & 15];
    }
    return text;
}

std::string_view unquote(std::string_view text) {
    if (text.size() >= 2 && text.front() == '"' && text.back() == '"') {
        return text.substr(1, text.size() - 2);
    }
    return text;
}

bool offers_auth(std::string_view qop) {
    while (!qop.empty()) {
        if (equals_ignoring_case(take_value(qop), "auth")) return true;
    }
    return false;
}

}  // namespace

std::optional<Challenge> read_challenge(std::string_view value, Algorithm algorithm) {
    constexpr std::string_view kScheme = "Digest ";
    if (!equals_ignoring_case(value.substr(0, kScheme.size()), kScheme)) return std::nullopt;
    value.remove_prefix(kScheme.size());
    Challenge challenge;
    std::string_view offered = "MD5";
    while (!value.empty()) {
        const std::string_view one = take_value(value);
        const std::size_t equal = one.find('=');
        if (equal == std::string_view::npos) return std::nullopt;
        const std::string_view key = one.substr(0, equal);
        const std::string_view text = unquote(one.substr(equal + 1));
        if (equals_ignoring_case(key, "realm")) challenge.realm = text;
        if (equals_ignoring_case(key, "nonce")) challenge.nonce = text;
        if (equals_ignoring_case(key, "opaque")) challenge.opaque = text;
        if (equals_ignoring_case(key, "algorithm")) offered = text;
        if (equals_ignoring_case(key, "qop")) {
            challenge.has_qop_auth = offers_auth(text);
            if (!challenge.has_qop_auth) return std::nullopt;
        }
    }
    if (!equals_ignoring_case(offered, algorithm_name(algorithm))) return std::nullopt;
    if (challenge.realm.empty() || challenge.nonce.empty()) return std::nullopt;
    return challenge;
}

std::string ha1(Algorithm algorithm, std::string_view user, std::string_view realm,
                std::string_view password) {
    return hash_of(algorithm, {user, realm, password});
}

std::string authorization(Algorithm algorithm, const Challenge& challenge, std::string_view ha1,
                          std::string_view user, std::string_view method, std::string_view uri) {
    const std::string ha2 = hash_of(algorithm, {method, uri});
    const std::string response =
        challenge.has_qop_auth
            ? hash_of(algorithm, {ha1, challenge.nonce, kNonceCount, kClientNonce, "auth", ha2})
            : hash_of(algorithm, {ha1, challenge.nonce, ha2});
    std::string value = "Digest username=\"";
    value.append(user).append("\", realm=\"").append(challenge.realm);
    value.append("\", nonce=\"").append(challenge.nonce).append("\", uri=\"").append(uri);
    value.append("\", response=\"")
        .append(response)
        .append("\", algorithm=")
        .append(algorithm_name(algorithm));
    if (!challenge.opaque.empty())
        value.append(", opaque=\"").append(challenge.opaque).append("\"");
    if (challenge.has_qop_auth) {
        value.append(", qop=auth, nc=").append(kNonceCount);
        value.append(", cnonce=\"").append(kClientNonce).append("\"");
    }
    return value;
}

}  // namespace bench
