// Globally routable user agent URIs.
#include "location/gruu.h"

#include <array>
#include <cstring>

#include "base/text.h"
#include "location/instance_id.h"

namespace signalbox::location {
namespace {

constexpr std::string_view kTemporary = "tgruu.";
constexpr size_t kUniqueBytes = 8;
constexpr size_t kHashesBytes = 16;
static_assert(kUniqueBytes + kHashesBytes + kTemporaryGruuAorBytesMax == crypto::kTokenPayloadMax);

/// The characters that a parameter's value may hold unescaped (RFC 3261 §25.1).
bool is_param_char(char c) {
    constexpr std::string_view kOthers = "[]/:&+$-_.!~*'()";
    return text::is_alpha(c) || text::is_digit(c) || kOthers.find(c) != std::string_view::npos;
}

void append_escaped(std::string_view value, std::string& out) {
    for (const char c : value) {
        if (is_param_char(c)) {
            out.push_back(c);
            continue;
        }
        const auto octet = static_cast<unsigned char>(c);
        out.push_back('%');
        out.push_back("0123456789ABCDEF"[octet >> 4]);
        out.push_back("0123456789ABCDEF"[octet & 15]);
    }
}

/// Encrypts and decrypts: HMAC of the unique number and a counter, as a stream. The purpose in
/// front keeps it apart from every tag.
void apply_keystream(const crypto::TokenKeys::Key& key, std::string_view unique, char* bytes,
                     size_t size) {
    for (size_t done = 0, block = 0; done < size; ++block) {
        const std::array<char, 2> prefix{'G', static_cast<char>(block)};
        const auto stream = key.hmac.sha256({{prefix.data(), prefix.size()}, unique});
        for (size_t i = 0; i < stream.size() && done < size; ++i, ++done) {
            bytes[done] = static_cast<char>(bytes[done] ^ static_cast<char>(stream[i]));
        }
    }
}

void append_head(const GruuHost& host, std::string& out) {
    out.append(host.scheme);
    out.push_back(':');
}

Gruu read_temporary(std::string_view token, const crypto::TokenKeys& keys, WallTime now) {
    Gruu gruu;
    gruu.registration = 1;
    auto opened = crypto::open_hmac(crypto::purpose::kGruu, token, keys, now);
    const crypto::TokenKeys::Key* key = opened ? keys.find(opened->key_id) : nullptr;
    if (key == nullptr || opened->payload().size() < kUniqueBytes + kHashesBytes) return gruu;
    char* const sealed = opened->storage.data() + kUniqueBytes;
    const size_t size = opened->payload_size - kUniqueBytes;
    apply_keystream(*key, opened->payload().substr(0, kUniqueBytes), sealed, size);
    std::memcpy(&gruu.instance, sealed, 8);
    std::memcpy(&gruu.registration, sealed + 8, 8);
    gruu.aor.assign(sealed + kHashesBytes, size - kHashesBytes);
    return gruu;
}

}  // namespace

void append_public_gruu(const GruuHost& host, std::string_view instance, std::string& out) {
    append_head(host, out);
    out.append(host.user);
    out.push_back('@');
    out.append(host.host_port);
    out.append(";gr=");
    append_escaped(instance, out);
}

bool append_temporary_gruu(const GruuHost& host, uint64_t instance, uint64_t registration,
                           uint64_t unique, uint16_t node, const crypto::TokenKeys& keys,
                           std::string& out) {
    if (host.aor.size() > kTemporaryGruuAorBytesMax) return false;
    std::array<char, crypto::kTokenPayloadMax> payload;
    std::memcpy(payload.data(), &unique, kUniqueBytes);
    char* const sealed = payload.data() + kUniqueBytes;
    std::memcpy(sealed, &instance, 8);
    std::memcpy(sealed + 8, &registration, 8);
    host.aor.copy(sealed + kHashesBytes, host.aor.size());
    const size_t size = kHashesBytes + host.aor.size();
    apply_keystream(keys.current(), {payload.data(), kUniqueBytes}, sealed, size);
    crypto::TokenFields fields;
    fields.node = node;
    fields.payload = {payload.data(), kUniqueBytes + size};
    std::array<char, crypto::kTokenTextMax> token;
    const size_t token_size = crypto::seal_hmac(crypto::purpose::kGruu, fields, keys, token.data());
    append_head(host, out);
    out.append(kTemporary);
    out.append(token.data(), token_size);
    out.push_back('@');
    out.append(host.host_port);
    out.append(";gr");
    return true;
}

std::optional<Gruu> read_gruu(const sip::Uri& uri, const crypto::TokenKeys& keys, WallTime now) {
    if (uri.params.empty() || !uri.is_sip() || !uri.has_user) return std::nullopt;
    const auto value = uri.param("gr");
    if (!value) return std::nullopt;
    if (value->empty()) {
        if (!text::istarts_with(uri.user, kTemporary)) return std::nullopt;
        return read_temporary(uri.user.substr(kTemporary.size()), keys, now);
    }
    Gruu gruu;
    gruu.aor = sip::canonical_user(uri);
    std::string instance;
    sip::unescape(*value, instance);
    gruu.instance = instance_hash(instance);
    return gruu;
}

}  // namespace signalbox::location
