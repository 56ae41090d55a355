// Counts what this test program takes from the allocator.
#include "tests/transaction/counting_allocator.h"

#include <cstdlib>
#include <new>

namespace {

uint64_t allocation_count = 0;

}  // namespace

namespace signalbox::transaction::testing {

uint64_t allocations() {
    return allocation_count;
}

}  // namespace signalbox::transaction::testing

void* operator new(size_t size) {
    ++allocation_count;
    void* memory = std::malloc(size == 0 ? 1 : size);
    if (memory == nullptr) throw std::bad_alloc();
    return memory;
}
void* operator new[](size_t size) {
    return operator new(size);
}
void operator delete(void* memory) noexcept {
    std::free(memory);
}
void operator delete[](void* memory) noexcept {
    std::free(memory);
}
void operator delete(void* memory, size_t) noexcept {
    std::free(memory);
}
void operator delete[](void* memory, size_t) noexcept {
    std::free(memory);
}
