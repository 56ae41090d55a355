// Base32 in lower case without padding.
#include "crypto/base32.h"

#include <array>
#include <cstdint>

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

}  // namespace

size_t base32_encode(std::string_view bytes, char* out) {
    char* const begin = out;
    // Five octets are eight characters.
    for (; bytes.size() >= 5; bytes.remove_prefix(5)) {
        uint64_t group = 0;
        for (size_t i = 0; i < 5; ++i) group = group << 8 | static_cast<uint8_t>(bytes[i]);
        for (int shift = 35; shift >= 0; shift -= 5) *out++ = kAlphabet[group >> shift & 31];
    }
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
    for (; text.size() >= 8; text.remove_prefix(8)) {
        uint64_t group = 0;
        uint8_t seen = 0;
        for (size_t i = 0; i < 8; ++i) {
            const uint8_t value = kValues[static_cast<uint8_t>(text[i])];
            seen |= value;
            group = group << 5 | (value & 31);
        }
        if (seen > 31) return std::nullopt;
        for (int shift = 32; shift >= 0; shift -= 8) *out++ = static_cast<char>(group >> shift);
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
