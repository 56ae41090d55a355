// Base32 in lower case without padding.
#include "crypto/base32.h"

#include <array>
#include <cstdint>
#include <cstring>
#if defined(__SSE2__)
#include <emmintrin.h>
#endif

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
    uint32_t first_four = 0;
    std::memcpy(&first_four, bytes, 4);
    uint64_t group = uint64_t{__builtin_bswap32(first_four)} << 8 | static_cast<uint8_t>(bytes[4]);
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

#if defined(__SSE2__)
/// Two groups: neighbours are joined until 40 bits stand together.
bool decode_two_groups(const char* text, char* out) {
    const auto each = [](int octet) { return _mm_set1_epi8(static_cast<char>(octet)); };
    const auto is_below = [&](__m128i octets, int bound) {
        return _mm_cmpeq_epi8(_mm_min_epu8(octets, each(bound - 1)), octets);
    };
    const __m128i characters = _mm_loadu_si128(reinterpret_cast<const __m128i*>(text));
    const __m128i from_a = _mm_sub_epi8(_mm_or_si128(characters, each(0x20)), each('a'));
    const __m128i from_2 = _mm_sub_epi8(characters, each('2'));
    const __m128i is_letter = is_below(from_a, 26);
    const __m128i is_digit = is_below(from_2, 6);
    if (_mm_movemask_epi8(_mm_or_si128(is_letter, is_digit)) != 0xffff) return false;
    const __m128i fives = _mm_or_si128(_mm_and_si128(is_letter, from_a),
                                       _mm_and_si128(is_digit, _mm_add_epi8(from_2, each(26))));
    const __m128i tens = _mm_or_si128(
        _mm_slli_epi16(_mm_and_si128(fives, _mm_set1_epi16(0x00ff)), 5), _mm_srli_epi16(fives, 8));
    const __m128i twenties = _mm_madd_epi16(tens, _mm_set1_epi32(0x0001'0400));
    const __m128i forties =
        _mm_or_si128(_mm_slli_epi64(_mm_and_si128(twenties, _mm_set_epi32(0, -1, 0, -1)), 20),
                     _mm_srli_epi64(twenties, 32));
    alignas(16) std::array<uint64_t, 2> groups;
    _mm_store_si128(reinterpret_cast<__m128i*>(groups.data()), forties);
    for (const uint64_t group : groups) {
        const uint64_t octets = __builtin_bswap64(group << 24);
        std::memcpy(out, &octets, 5);
        out += 5;
    }
    return true;
}
#endif

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
#if defined(__SSE2__)
    for (; text.size() >= 16; text.remove_prefix(16), out += 10) {
        if (!decode_two_groups(text.data(), out)) return std::nullopt;
    }
#endif
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
