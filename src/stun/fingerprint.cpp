// The FINGERPRINT of a STUN message: the CRC-32 of V.42, and a mask that tells it from others.
#include "stun/fingerprint.h"

#include <array>

#include "base/crc_table.h"

namespace signalbox::stun {

namespace {

constexpr uint32_t kPolynomial = 0xedb88320;  // reflected
constexpr uint32_t kMask = 0x5354554e;

constexpr std::array<uint32_t, 256> kTable = make_crc_table(kPolynomial);

}  // namespace

uint32_t fingerprint(std::string_view octets) {
    uint32_t value = ~uint32_t{0};
    for (const char octet : octets) {
        value = (value >> 8) ^ kTable[(value ^ static_cast<uint8_t>(octet)) & 0xff];
    }
    return ~value ^ kMask;
}

}  // namespace signalbox::stun
