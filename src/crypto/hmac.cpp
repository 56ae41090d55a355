// HMAC by a context of OpenSSL's EVP_MAC that returns to its keyed state for each message.
#include "crypto/hmac.h"

#include "base/check.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>

namespace signalbox::crypto {

namespace {

const unsigned char* octets(std::string_view bytes) {
    return reinterpret_cast<const unsigned char*>(bytes.data());
}

}  // namespace

Hmac::Hmac(std::string_view key) {
    EVP_MAC* mac = EVP_MAC_fetch(nullptr, "HMAC", nullptr);
    CHECK(mac != nullptr);
    context_.reset(EVP_MAC_CTX_new(mac));
    CHECK(context_ != nullptr);
    EVP_MAC_free(mac);  // the context keeps its own reference
    char digest[] = "SHA2-256";
    const OSSL_PARAM params[] = {OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
                                 OSSL_PARAM_construct_end()};
    // A null key would mean "the key of before", so an empty one points at something.
    const std::string_view given = key.empty() ? std::string_view("") : key;
    CHECK(EVP_MAC_init(context_.get(), octets(given), given.size(), params) == 1);
}

Hmac::~Hmac() = default;

void Hmac::Deleter::operator()(evp_mac_ctx_st* context) const {
    EVP_MAC_CTX_free(context);
}

std::array<uint8_t, kHmacBytes> Hmac::sha256(std::initializer_list<std::string_view> parts) {
    CHECK(EVP_MAC_init(context_.get(), nullptr, 0, nullptr) == 1);
    for (const std::string_view part : parts) {
        CHECK(EVP_MAC_update(context_.get(), octets(part), part.size()) == 1);
    }
    std::array<uint8_t, kHmacBytes> tag{};
    size_t size = 0;
    CHECK(EVP_MAC_final(context_.get(), tag.data(), &size, tag.size()) == 1);
    CHECK(size == tag.size());
    return tag;
}

}  // namespace signalbox::crypto
