// The FINGERPRINT of a STUN message: the CRC-32 of V.42, and a mask that tells it from others.
#include "stun/fingerprint.h"

#include <array>

namespace signalbox::stun {

namespace {

constexpr uint32_t kPolynomial = 0xedb88320;  // reflected
constexpr uint32_t kMask = 0x5354554e;

constexpr std::array<uint32_t, 256> make_table() {
    std::array<uint32_t, 256> table{};
    for (uint32_t octet = 0; octet < 256; ++octet) {
        uint32_t value = octet;
        for (int bit = 0; bit < 8; ++bit) value = (value >> 1) ^ ((value & 1) * kPolynomial);
        table[octet] = value;
    }
    return table;
}

constexpr std::array<uint32_t, 256> kTable = make_table();

}  // namespace

uint32_t fingerprint(std::string_view octets) {
    uint32_t value = ~uint32_t{0};
    for (const char octet : octets) {
        value = (value >> 8) ^ kTable[(value ^ static_cast<uint8_t>(octet)) & 0xff];
    }
    return ~value ^ kMask;
}

}  // namespace signalbox::stun
