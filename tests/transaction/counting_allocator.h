// Counts what this test program takes from the allocator.
#pragma once

#include <cstdint>

namespace signalbox::transaction::testing {

/// Calls of operator new so far.
uint64_t allocations();

}  // namespace signalbox::transaction::testing
