// Blocks of memory in steps of 16 octets: for millions of small things that live long, where powers
// of two waste too much.
#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <vector>

namespace signalbox {

/// Single-threaded; must outlive what it gave out. A block that is given back is used again for its
/// step only; memory never returns to the system. Blocks past kLargest come from the allocator.
class SteppedPool final {
 public:
    static constexpr size_t kStep = 16;
    static constexpr size_t kLargest = 2048;

    SteppedPool() = default;
    ~SteppedPool() = default;
    SteppedPool(const SteppedPool&) = delete;
    SteppedPool& operator=(const SteppedPool&) = delete;

    /// At least `bytes` octets, aligned to 16.
    void* take(size_t bytes);
    /// Gives back what take(bytes) gave, with the same `bytes`.
    void give(void* block, size_t bytes);

    /// Octets in blocks that are out now, rounded up to their steps.
    size_t bytes_out() const { return bytes_out_; }

 private:
    static constexpr size_t kSlabBytes = 64 * 1024;
    struct Free {
        Free* next;
    };
    static size_t step_of(size_t bytes) { return bytes == 0 ? 0 : (bytes - 1) / kStep; }
    void* carve(size_t size);

    std::array<Free*, kLargest / kStep> free_{};
    std::vector<std::unique_ptr<char[]>> slabs_;
    size_t slab_used_ = kSlabBytes;
    size_t bytes_out_ = 0;
};

}  // namespace signalbox
