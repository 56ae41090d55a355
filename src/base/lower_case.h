// Eight octets of ASCII at once.
#pragma once

#include <cstdint>
#include <cstring>
#include <string_view>

#include "base/text.h"

namespace signalbox {

/// Eight characters in lower case: each of 'A' to 'Z' gets bit 5, all others stay as they are.
constexpr uint64_t lower_case(uint64_t octets) {
    constexpr uint64_t kEach = 0x0101010101010101;
    const uint64_t low_bits = octets & (kEach * 0x7f);
    const uint64_t from_a = low_bits + kEach * (0x80 - 'A');
    const uint64_t past_z = low_bits + kEach * (0x80 - 'Z' - 1);
    const uint64_t is_upper = (from_a ^ past_z) & ~octets & (kEach * 0x80);
    return octets | is_upper >> 2;
}

/// A copy of `from` in lower case at `out`; one past it.
inline char* copy_lower_case(std::string_view from, char* out) {
    for (; from.size() >= sizeof(uint64_t); from.remove_prefix(sizeof(uint64_t))) {
        uint64_t octets;
        std::memcpy(&octets, from.data(), sizeof(octets));
        octets = lower_case(octets);
        std::memcpy(out, &octets, sizeof(octets));
        out += sizeof(octets);
    }
    for (const char c : from) *out++ = text::lower(c);
    return out;
}

static_assert(lower_case(0x417a5a5b40c12d61) == 0x617a7a5b40c12d61);

}  // namespace signalbox
