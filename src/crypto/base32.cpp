// Base32 in lower case without padding.
#include "crypto/base32.h"

#include <array>
#include <cstdint>
#include <cstring>

namespace signalbox::crypto {

namespace {

constexpr std::string_view kAlphabet = "abcdefghijklmnopqrstuvwxyz234567";
constexpr uint8_t kInvalid = 0xff;

constexpr std::array<uint8_t, 256> make_values() {
    std::array<uint8_t, 256> values{};
    for (auto& value : values) value = kInvalid;
    for (uint8_t i = 0; i < kAlphabet.size(); ++i) {
        const char c = kAlphabet[i];
        values[static_cast<uint8_t>(c)] = i;
        if (c >= 'a') values[static_cast<uint8_t>(c - 'a' + 'A')] = i;
    }
    return values;
}

constexpr std::array<uint8_t, 256> kValues = make_values();

// Five octets are eight characters. They are worked on side by side in one word, a character's five
// bits in an octet each.

constexpr uint64_t kEach = 0x0101010101010101;

/// Octets of ones where `octets` has its highest bit.
constexpr uint64_t ones_of(uint64_t high_bits) {
    return (high_bits >> 7 & kEach) * 0xff;
}

/// Eight values of five bits as characters.
constexpr uint64_t characters_of(uint64_t values) {
    const uint64_t digits = ones_of(values + kEach * (0x80 - 26));
    return values + kEach * 'a' - (digits & kEach * ('a' + 26 - '2'));
}

/// The values of eight characters of either case; nothing unless all are of the alphabet.
std::optional<uint64_t> values_of(uint64_t characters) {
    const uint64_t letters = ones_of(characters << 1);
    const uint64_t values =
        ((characters & kEach * 0x1f) - (letters & kEach) + (~letters & kEach * 8)) & kEach * 0x1f;
    if (characters_of(values) != (characters | (letters & kEach * 0x20))) return std::nullopt;
    return values;
}

void encode_group(const char* bytes, char* out) {
    uint64_t group = 0;
    std::memcpy(&group, bytes, 5);
    group = __builtin_bswap64(group) >> 24;
    group = (group & 0xfffff) | (group & 0xfffff00000) << 12;
    group = (group & 0x000003ff000003ff) | (group & 0x000ffc00000ffc00) << 6;
    group = (group & 0x001f001f001f001f) | (group & 0x03e003e003e003e0) << 3;
    const uint64_t characters = __builtin_bswap64(characters_of(group));
    std::memcpy(out, &characters, 8);
}

bool decode_group(const char* text, char* out) {
    uint64_t characters;
    std::memcpy(&characters, text, 8);
    const auto values = values_of(characters);
    if (!values) return false;
    uint64_t group = __builtin_bswap64(*values);
    group = (group & 0x001f001f001f001f) | (group & 0x1f001f001f001f00) >> 3;
    group = (group & 0x000003ff000003ff) | (group & 0x03ff000003ff0000) >> 6;
    group = (group & 0xfffff) | group >> 32 << 20;
    group = __builtin_bswap64(group << 24);
    std::memcpy(out, &group, 5);
    return true;
}

}  // namespace

size_t base32_encode(std::string_view bytes, char* out) {
    char* const begin = out;
    for (; bytes.size() >= 5; bytes.remove_prefix(5), out += 8) encode_group(bytes.data(), out);
    uint32_t window = 0;
    uint32_t bits = 0;
    for (const char c : bytes) {
        window = window << 8 | static_cast<uint8_t>(c);
        bits += 8;
        while (bits >= 5) {
            bits -= 5;
            *out++ = kAlphabet[window >> bits & 31];
        }
    }
    if (bits > 0) *out++ = kAlphabet[window << (5 - bits) & 31];
    return static_cast<size_t>(out - begin);
}

void append_base32(std::string& out, std::string_view bytes) {
    const size_t before = out.size();
    out.resize(before + base32_size(bytes.size()));
    base32_encode(bytes, out.data() + before);
}

std::optional<size_t> base32_decode(std::string_view text, char* out, size_t out_max) {
    const size_t size = text.size() * 5 / 8;
    if (size > out_max || base32_size(size) != text.size()) return std::nullopt;
    for (; text.size() >= 8; text.remove_prefix(8), out += 5) {
        if (!decode_group(text.data(), out)) return std::nullopt;
    }
    uint32_t window = 0;
    uint32_t bits = 0;
    for (const char c : text) {
        const uint8_t value = kValues[static_cast<uint8_t>(c)];
        if (value == kInvalid) return std::nullopt;
        window = window << 5 | value;
        bits += 5;
        if (bits >= 8) {
            bits -= 8;
            *out++ = static_cast<char>(window >> bits & 0xff);
        }
    }
    const uint32_t stray = window & ((1u << bits) - 1);
    if (stray != 0) return std::nullopt;
    return size;
}

}  // namespace signalbox::crypto
