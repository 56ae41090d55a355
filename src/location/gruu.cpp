// Globally routable user agent URIs.
#include "location/gruu.h"

#include <array>
#include <cstring>

#include "base/text.h"
#include "crypto/base32.h"
#include "crypto/constant_time.h"
#include "location/instance_id.h"
#include "location/location.h"

namespace signalbox::location {
namespace {

constexpr std::string_view kTemporary = "tgruu.";
constexpr size_t kUniqueBytes = 8;
constexpr size_t kHashesBytes = 16;
constexpr size_t kTailTagBytes = 16;  // HMAC-SHA256, truncated
constexpr char kTailMark = '.';       // no character of a token
constexpr size_t kSealedBytesMax = kHashesBytes + kAorBytesMax;
static_assert(kUniqueBytes + kHashesBytes + kGruuTokenAorBytesMax <= crypto::kTokenPayloadMax);

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

/// Ties what stands behind the token to the one token of this unique number.
std::array<char, kTailTagBytes> tail_tag(const crypto::TokenKeys::Key& key, std::string_view unique,
                                         std::string_view tail) {
    const auto full = key.hmac.sha256({"Gt", unique, tail});
    std::array<char, kTailTagBytes> tag;
    std::memcpy(tag.data(), full.data(), tag.size());
    return tag;
}

/// Decrypts the hashes and the user behind them.
Gruu read_sealed(const crypto::TokenKeys::Key& key, std::string_view unique, char* sealed,
                 size_t size) {
    apply_keystream(key, unique, sealed, size);
    Gruu gruu;
    std::memcpy(&gruu.instance, sealed, 8);
    std::memcpy(&gruu.registration, sealed + 8, 8);
    gruu.aor.assign(sealed + kHashesBytes, size - kHashesBytes);
    return gruu;
}

/// `text` is a token, or one with the encrypted user behind it.
Gruu read_temporary(std::string_view text, const crypto::TokenKeys& keys, WallTime now) {
    Gruu nobody;
    nobody.registration = 1;
    const size_t mark = text.find(kTailMark);
    auto opened = crypto::open_hmac(crypto::purpose::kGruu, text.substr(0, mark), keys, now);
    const crypto::TokenKeys::Key* key = opened ? keys.find(opened->key_id) : nullptr;
    if (key == nullptr || opened->payload().size() < kUniqueBytes + kHashesBytes) return nobody;
    const std::string_view unique = opened->payload().substr(0, kUniqueBytes);
    char* const sealed = opened->storage.data() + kUniqueBytes;
    if (mark == std::string_view::npos)
        return read_sealed(*key, unique, sealed, opened->payload_size - kUniqueBytes);
    std::array<char, kSealedBytesMax> whole;
    char* const tail = whole.data() + kHashesBytes;
    const auto size = crypto::base32_decode(text.substr(mark + 1), tail, kAorBytesMax);
    if (!size || opened->payload_size != kUniqueBytes + kHashesBytes + kTailTagBytes) return nobody;
    const auto tag = tail_tag(*key, unique, {tail, *size});
    const std::string_view given(sealed + kHashesBytes, kTailTagBytes);
    if (!crypto::equal_constant_time(given, {tag.data(), tag.size()})) return nobody;
    std::memcpy(whole.data(), sealed, kHashesBytes);
    return read_sealed(*key, unique, whole.data(), kHashesBytes + *size);
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

void append_temporary_gruu(const GruuHost& host, uint64_t instance, uint64_t registration,
                           uint64_t unique, uint16_t node, const crypto::TokenKeys& keys,
                           std::string& out) {
    const std::string_view aor = host.aor.substr(0, kAorBytesMax);
    const std::string_view unique_octets(reinterpret_cast<const char*>(&unique), kUniqueBytes);
    std::array<char, kSealedBytesMax> sealed;
    std::memcpy(sealed.data(), &instance, 8);
    std::memcpy(sealed.data() + 8, &registration, 8);
    aor.copy(sealed.data() + kHashesBytes, aor.size());
    apply_keystream(keys.current(), unique_octets, sealed.data(), kHashesBytes + aor.size());

    std::string payload(unique_octets);
    std::string_view tail;
    if (aor.size() <= kGruuTokenAorBytesMax) {
        payload.append(sealed.data(), kHashesBytes + aor.size());
    } else {
        tail = {sealed.data() + kHashesBytes, aor.size()};
        const auto tag = tail_tag(keys.current(), unique_octets, tail);
        payload.append(sealed.data(), kHashesBytes).append(tag.data(), tag.size());
    }
    crypto::TokenFields fields;
    fields.node = node;
    fields.payload = payload;
    std::array<char, crypto::kTokenTextMax> token;
    const size_t token_size = crypto::seal_hmac(crypto::purpose::kGruu, fields, keys, token.data());
    append_head(host, out);
    out.append(kTemporary);
    out.append(token.data(), token_size);
    if (!tail.empty()) {
        out.push_back(kTailMark);
        crypto::append_base32(out, tail);
    }
    out.push_back('@');
    out.append(host.host_port);
    out.append(";gr");
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
