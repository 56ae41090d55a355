// How much memory the process may use, and what that allows.
#pragma once

#include <cstdint>
#include <string>

namespace signalbox::node {

/// Where the system tells it. A test names files of its own.
struct MemoryFiles {
    std::string process_groups = "/proc/self/cgroup";
    std::string groups = "/sys/fs/cgroup";
};

/// Octets: what the machine has, or less where a control group (version 2) around the process has a
/// limit.
uint64_t usable_memory(const MemoryFiles& files = {});

/// How many transactions of each side fit into half of `memory` octets, at about 1 KB each with the
/// message that it may have to repeat; 65,536 to 16 million.
uint32_t transactions_for(uint64_t memory);

}  // namespace signalbox::node
