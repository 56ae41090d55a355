// CRC-32C, by the processor's instruction where it has one.
#pragma once

#include <cstdint>
#include <string_view>

namespace signalbox::store {

/// The checksum of `bytes`, continued from `seed` (the checksum of what stood before; 0 at first).
uint32_t crc32c(uint32_t seed, std::string_view bytes);
/// The same without the instruction: for tests and other processors.
uint32_t crc32c_portable(uint32_t seed, std::string_view bytes);

}  // namespace signalbox::store
