// CRC-32C, by the processor's instruction where it has one.
#include "store/checksum.h"

#include <array>
#include <cstring>

#if defined(__x86_64__)
#include <nmmintrin.h>
#endif

#include "base/crc_table.h"

namespace signalbox::store {

namespace {

constexpr uint32_t kPolynomial = 0x82f63b78;  // Castagnoli, reflected

constexpr std::array<uint32_t, 256> kTable = make_crc_table(kPolynomial);

#if defined(__x86_64__)
__attribute__((target("sse4.2"))) uint32_t crc32c_sse42(uint32_t seed, std::string_view bytes) {
    uint64_t value = ~seed;
    const char* at = bytes.data();
    size_t rest = bytes.size();
    for (; rest >= 8; rest -= 8, at += 8) {
        uint64_t word = 0;
        std::memcpy(&word, at, sizeof(word));
        value = _mm_crc32_u64(value, word);
    }
    auto narrow = static_cast<uint32_t>(value);
    for (; rest > 0; --rest, ++at) narrow = _mm_crc32_u8(narrow, static_cast<uint8_t>(*at));
    return ~narrow;
}
#endif

}  // namespace

uint32_t crc32c_portable(uint32_t seed, std::string_view bytes) {
    uint32_t value = ~seed;
    for (const char c : bytes) {
        value = kTable[(value ^ static_cast<uint8_t>(c)) & 0xff] ^ (value >> 8);
    }
    return ~value;
}

uint32_t crc32c(uint32_t seed, std::string_view bytes) {
#if defined(__x86_64__)
    if (__builtin_cpu_supports("sse4.2")) return crc32c_sse42(seed, bytes);
#endif
    return crc32c_portable(seed, bytes);
}

}  // namespace signalbox::store
