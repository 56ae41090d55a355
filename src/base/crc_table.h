// The table by which a CRC-32 takes an octet at a time.
#pragma once

#include <array>
#include <cstdint>

namespace signalbox {

/// Of the polynomial in its reflected form. Made by the compiler.
constexpr std::array<uint32_t, 256> make_crc_table(uint32_t reflected_polynomial) {
    std::array<uint32_t, 256> table{};
    for (uint32_t octet = 0; octet < 256; ++octet) {
        uint32_t value = octet;
        for (int bit = 0; bit < 8; ++bit)
            value = (value >> 1) ^ ((value & 1) * reflected_polynomial);
        table[octet] = value;
    }
    return table;
}

}  // namespace signalbox
