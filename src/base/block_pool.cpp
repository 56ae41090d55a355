// Size classes as free lists that slabs of 64 KB fill.
#include "base/block_pool.h"

#include <bit>
#include <cstring>
#include <limits>
#include <new>
#include <utility>

#include "base/check.h"
#include "base/poison.h"

namespace signalbox {

namespace {

constexpr int kSmallestBits = std::countr_zero(BlockPool::kSmallest);

/// The class whose blocks hold `bytes`, which must not exceed kLargest.
size_t class_of(size_t bytes) {
    if (bytes <= BlockPool::kSmallest) return 0;
    return static_cast<size_t>(std::bit_width(bytes - 1) - kSmallestBits);
}

}  // namespace

BlockPool::BlockPool() {
    static_assert(kSmallest << (kClasses - 1) == kLargest);
    static_assert(__STDCPP_DEFAULT_NEW_ALIGNMENT__ >= 16);
}

BlockPool::~BlockPool() = default;

char* BlockPool::take(size_t bytes, size_t& capacity) {
    if (bytes > kLargest) {
        capacity = bytes;
        bytes_out_ += bytes;
        return std::make_unique_for_overwrite<char[]>(bytes).release();
    }
    const size_t index = class_of(bytes);
    if (free_[index] == nullptr) fill(index);
    Free* block = free_[index];
    capacity = kSmallest << index;
    unpoison(block, capacity);
    free_[index] = block->next;
    bytes_out_ += capacity;
    return reinterpret_cast<char*>(block);
}

void BlockPool::give(char* block, size_t capacity) {
    if (block == nullptr) return;
    CHECK(bytes_out_ >= capacity);
    bytes_out_ -= capacity;
    if (capacity > kLargest) {
        const std::unique_ptr<char[]> freed(block);
        return;
    }
    DCHECK(capacity >= kSmallest);
    DCHECK(std::has_single_bit(capacity));
    const size_t index = class_of(capacity);
    free_[index] = ::new (static_cast<void*>(block)) Free{free_[index]};
    poison(block, capacity);
}

void BlockPool::fill(size_t index) {
    const size_t size = kSmallest << index;
    slabs_.push_back(std::make_unique_for_overwrite<char[]>(kLargest));
    char* const slab = slabs_.back().get();
    // Linked from the back, so that blocks are handed out in the order of their addresses.
    for (size_t offset = kLargest; offset != 0;) {
        offset -= size;
        free_[index] = ::new (static_cast<void*>(slab + offset)) Free{free_[index]};
    }
    poison(slab, kLargest);
}

PooledBytes::PooledBytes(BlockPool& pool, std::string_view bytes) {
    if (bytes.empty()) return;
    CHECK(bytes.size() <= std::numeric_limits<uint32_t>::max());
    size_t capacity = 0;
    data_ = pool.take(bytes.size(), capacity);
    std::memcpy(data_, bytes.data(), bytes.size());
    pool_ = &pool;
    size_ = static_cast<uint32_t>(bytes.size());
    capacity_ = static_cast<uint32_t>(capacity);
}

PooledBytes::PooledBytes(PooledBytes&& other) noexcept
    : pool_(std::exchange(other.pool_, nullptr)),
      data_(std::exchange(other.data_, nullptr)),
      size_(std::exchange(other.size_, 0)),
      capacity_(std::exchange(other.capacity_, 0)) {}

PooledBytes& PooledBytes::operator=(PooledBytes&& other) noexcept {
    if (this == &other) return *this;
    clear();
    pool_ = std::exchange(other.pool_, nullptr);
    data_ = std::exchange(other.data_, nullptr);
    size_ = std::exchange(other.size_, 0);
    capacity_ = std::exchange(other.capacity_, 0);
    return *this;
}

PooledBytes::~PooledBytes() {
    clear();
}

void PooledBytes::clear() {
    if (pool_ != nullptr) pool_->give(data_, capacity_);
    pool_ = nullptr;
    data_ = nullptr;
    size_ = 0;
    capacity_ = 0;
}

}  // namespace signalbox
