// Blocks in a chain, each begun with a link to the one before.
#include "base/arena.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "base/check.h"

namespace signalbox {

Arena::Arena(Arena&& other) noexcept
    : pool_(other.pool_),
      current_(std::exchange(other.current_, nullptr)),
      used_(std::exchange(other.used_, 0)),
      first_block_(other.first_block_),
      next_block_(std::exchange(other.next_block_, other.first_block_)),
      bytes_(std::exchange(other.bytes_, 0)) {}

Arena& Arena::operator=(Arena&& other) noexcept {
    if (this == &other) return *this;
    reset();
    pool_ = other.pool_;
    current_ = std::exchange(other.current_, nullptr);
    used_ = std::exchange(other.used_, 0);
    first_block_ = other.first_block_;
    next_block_ = std::exchange(other.next_block_, other.first_block_);
    bytes_ = std::exchange(other.bytes_, 0);
    return *this;
}

void* Arena::allocate(size_t bytes, size_t alignment) {
    DCHECK(std::has_single_bit(alignment));
    DCHECK(alignment <= 16);
    size_t offset = (used_ + alignment - 1) & ~(alignment - 1);
    if (current_ == nullptr || offset > current_->capacity || bytes > current_->capacity - offset) {
        grow(bytes);
        offset = used_;  // right behind the header, which keeps the block's alignment
    }
    used_ = offset + bytes;
    return reinterpret_cast<char*>(current_) + offset;
}

void Arena::grow(size_t bytes) {
    static_assert(sizeof(Block) % 16 == 0);
    size_t capacity = 0;
    char* memory = pool_->take(std::max(next_block_, bytes + sizeof(Block)), capacity);
    current_ = ::new (static_cast<void*>(memory)) Block{current_, capacity};
    used_ = sizeof(Block);
    bytes_ += capacity;
    next_block_ = std::min(next_block_ * 2, BlockPool::kLargest);
}

std::string_view Arena::copy(std::string_view text) {
    if (text.empty()) return {};
    char* place = static_cast<char*>(allocate(text.size(), 1));
    std::memcpy(place, text.data(), text.size());
    return {place, text.size()};
}

void Arena::reset() {
    while (current_ != nullptr) {
        Block* previous = current_->previous;
        pool_->give(reinterpret_cast<char*>(current_), current_->capacity);
        current_ = previous;
    }
    used_ = 0;
    bytes_ = 0;
    next_block_ = first_block_;
}

}  // namespace signalbox
