// Counts what the test program takes from the allocator, to prove that warm code takes nothing.
#pragma once

#include <cstdint>

namespace signalbox::test {

/// Calls of operator new since the program began.
uint64_t allocations();

}  // namespace signalbox::test
