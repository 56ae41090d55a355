// A bump allocator whose memory is freed at once: what one call attempt needs lives and dies here.
#pragma once

#include <cstddef>
#include <new>
#include <span>
#include <string_view>
#include <type_traits>
#include <utility>

#include "base/block_pool.h"

namespace signalbox {

/// Takes blocks from a BlockPool as it grows and gives all of them back when destroyed or reset.
/// Objects in it are never destroyed one by one: only trivially destructible types may be made
/// here.
class Arena final {
 public:
    explicit Arena(BlockPool& pool, size_t first_block = 2048)
        : pool_(&pool), first_block_(first_block), next_block_(first_block) {}
    Arena(Arena&& other) noexcept;
    Arena& operator=(Arena&& other) noexcept;
    Arena(const Arena&) = delete;
    Arena& operator=(const Arena&) = delete;
    ~Arena() { reset(); }

    /// Uninitialised memory that lives until reset(). `alignment` is a power of two of at most 16.
    void* allocate(size_t bytes, size_t alignment = alignof(std::max_align_t));
    /// A copy of `text` that lives until reset().
    std::string_view copy(std::string_view text);
    template <class T, class... Args>
    T* make(Args&&... args) {
        static_assert(std::is_trivially_destructible_v<T>);
        return ::new (allocate(sizeof(T), alignof(T))) T{std::forward<Args>(args)...};
    }
    template <class T>
    std::span<T> make_array(size_t count) {
        static_assert(std::is_trivially_destructible_v<T>);
        T* first = static_cast<T*>(allocate(sizeof(T) * count, alignof(T)));
        for (size_t i = 0; i < count; ++i) ::new (first + i) T{};
        return {first, count};
    }
    /// Frees everything made here.
    void reset();
    /// Octets of the blocks held, used or not.
    size_t bytes() const { return bytes_; }

 private:
    struct Block {
        Block* previous;
        size_t capacity;
    };
    /// Begins a new block that has room for `bytes`.
    void grow(size_t bytes);

    BlockPool* pool_;
    Block* current_ = nullptr;
    size_t used_ = 0;  // octets of the current block, its header included
    size_t first_block_;
    size_t next_block_;  // doubles with each block, up to the pool's largest
    size_t bytes_ = 0;
};

}  // namespace signalbox
