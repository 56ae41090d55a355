// Blocks in steps of 16 octets, carved from slabs.
#include "base/stepped_pool.h"

#include <new>

#include "base/check.h"
#include "base/poison.h"

namespace signalbox {

void* SteppedPool::carve(size_t size) {
    if (kSlabBytes - slab_used_ < size) {
        slabs_.push_back(std::make_unique_for_overwrite<char[]>(kSlabBytes));
        poison(slabs_.back().get(), kSlabBytes);
        slab_used_ = 0;
    }
    char* block = slabs_.back().get() + slab_used_;
    slab_used_ += size;
    return block;
}

void* SteppedPool::take(size_t bytes) {
    const size_t step = step_of(bytes);
    const size_t size = (step + 1) * kStep;
    bytes_out_ += size;
    if (size > kLargest) return ::operator new(size);
    Free* block = free_[step];
    if (block == nullptr) {
        void* fresh = carve(size);
        unpoison(fresh, size);
        return fresh;
    }
    unpoison(block, size);
    free_[step] = block->next;
    return block;
}

void SteppedPool::give(void* block, size_t bytes) {
    if (block == nullptr) return;
    const size_t step = step_of(bytes);
    const size_t size = (step + 1) * kStep;
    DCHECK(bytes_out_ >= size);
    bytes_out_ -= size;
    if (size > kLargest) {
        ::operator delete(block);
        return;
    }
    free_[step] = ::new (block) Free{free_[step]};
    poison(block, size);
}

}  // namespace signalbox
