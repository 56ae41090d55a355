// The core's randomness: a keyed generator that the driver seeds, so that one seed replays a run.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace signalbox {

/// SipHash-2-4 of a counter under a 128-bit key: unpredictable without the key, the same for the
/// same key.
class Random final {
 public:
    explicit Random(std::array<uint64_t, 2> key) : key_(key) {}

    uint64_t next();
    /// Uniform in [0, bound); bound must be positive.
    uint64_t below(uint64_t bound);

 private:
    std::array<uint64_t, 2> key_;
    uint64_t counter_ = 0;
};

/// SipHash-2-4, 64 bits, of `bytes` under `key`. Source: Aumasson and Bernstein, 2012.
uint64_t siphash(std::array<uint64_t, 2> key, std::string_view bytes);

}  // namespace signalbox
