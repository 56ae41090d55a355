// Blocks of bytes in size classes, taken and given back without the allocator once warm.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

namespace signalbox {

/// Hands out blocks of 64 B to 64 KB in powers of two, and larger ones from the allocator.
/// Single-threaded; one per shard; must outlive what it gave out. Never returns memory to the
/// system.
class BlockPool final {
 public:
    static constexpr size_t kSmallest = 64;
    static constexpr size_t kLargest = 64 * 1024;

    BlockPool();
    ~BlockPool();
    BlockPool(const BlockPool&) = delete;
    BlockPool& operator=(const BlockPool&) = delete;

    /// A block of at least `bytes`, aligned to 16; `capacity` receives its true size.
    char* take(size_t bytes, size_t& capacity);
    /// Gives a block back with the capacity that take() told.
    void give(char* block, size_t capacity);

    /// Bytes in blocks that are out now.
    size_t bytes_out() const { return bytes_out_; }

 private:
    static constexpr size_t kClasses = 11;
    struct Free {
        Free* next;
    };
    /// Makes a slab's worth of free blocks of one class.
    void fill(size_t index);

    std::array<Free*, kClasses> free_{};
    std::vector<std::unique_ptr<char[]>> slabs_;
    size_t bytes_out_ = 0;
};

/// A string of bytes in a block of a pool: what a transaction keeps to repeat. Movable; gives its
/// block back.
class PooledBytes final {
 public:
    PooledBytes() = default;
    PooledBytes(BlockPool& pool, std::string_view bytes);
    PooledBytes(PooledBytes&& other) noexcept;
    PooledBytes& operator=(PooledBytes&& other) noexcept;
    PooledBytes(const PooledBytes&) = delete;
    PooledBytes& operator=(const PooledBytes&) = delete;
    ~PooledBytes();

    /// Valid until this object is moved from, assigned or destroyed.
    std::string_view view() const { return {data_, size_}; }
    bool empty() const { return size_ == 0; }
    void clear();

 private:
    BlockPool* pool_ = nullptr;
    char* data_ = nullptr;
    uint32_t size_ = 0;
    uint32_t capacity_ = 0;
};

}  // namespace signalbox
