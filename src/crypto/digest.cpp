// Digests by contexts of OpenSSL's EVP that are set up once.
#include "crypto/digest.h"

#include "base/check.h"
#include "base/text.h"
#include "crypto/constant_time.h"

#include <openssl/evp.h>

namespace signalbox::crypto {

namespace {

struct Description {
    std::string_view name;
    const char* openssl_name;
    size_t size;
};

constexpr std::array<Description, kDigestAlgorithms> kDescriptions = {{
    {"MD5", "MD5", 16},
    {"SHA-256", "SHA2-256", 32},
    {"SHA-512-256", "SHA2-512/256", 32},
}};

const Description& description(DigestAlgorithm algorithm) {
    return kDescriptions[static_cast<size_t>(algorithm)];
}

}  // namespace

size_t digest_size(DigestAlgorithm algorithm) {
    return description(algorithm).size;
}

std::string_view digest_name(DigestAlgorithm algorithm) {
    return description(algorithm).name;
}

std::optional<DigestAlgorithm> parse_digest_name(std::string_view name) {
    for (size_t i = 0; i < kDescriptions.size(); ++i) {
        if (text::iequals(kDescriptions[i].name, name)) return static_cast<DigestAlgorithm>(i);
    }
    return std::nullopt;
}

std::string DigestValue::hex() const {
    char buffer[2 * kDigestBytesMax];
    return {buffer, write_hex(buffer)};
}

size_t DigestValue::write_hex(char* out) const {
    constexpr std::string_view kDigits = "0123456789abcdef";
    for (size_t i = 0; i < size; ++i) {
        out[2 * i] = kDigits[octets[i] >> 4];
        out[2 * i + 1] = kDigits[octets[i] & 15];
    }
    return size_t{2} * size;
}

bool operator==(const DigestValue& a, const DigestValue& b) {
    return equal_constant_time(a.bytes(), b.bytes());
}

Digester::Digester() {
    for (size_t i = 0; i < kDescriptions.size(); ++i) {
        EVP_MD* md = EVP_MD_fetch(nullptr, kDescriptions[i].openssl_name, nullptr);
        CHECK(md != nullptr);
        contexts_[i].reset(EVP_MD_CTX_new());
        CHECK(contexts_[i] != nullptr);
        CHECK(EVP_DigestInit_ex2(contexts_[i].get(), md, nullptr) == 1);
        EVP_MD_free(md);  // the context keeps its own reference
    }
}

Digester::~Digester() = default;

void Digester::Deleter::operator()(evp_md_ctx_st* context) const {
    EVP_MD_CTX_free(context);
}

DigestValue Digester::digest(DigestAlgorithm algorithm,
                             std::initializer_list<std::string_view> parts) {
    EVP_MD_CTX* const context = contexts_[static_cast<size_t>(algorithm)].get();
    CHECK(EVP_DigestInit_ex2(context, nullptr, nullptr) == 1);
    for (const std::string_view part : parts) {
        CHECK(EVP_DigestUpdate(context, part.data(), part.size()) == 1);
    }
    DigestValue value;
    unsigned int size = 0;
    CHECK(EVP_DigestFinal_ex(context, value.octets.data(), &size) == 1);
    CHECK(size == digest_size(algorithm));
    value.size = static_cast<uint8_t>(size);
    return value;
}

}  // namespace signalbox::crypto
