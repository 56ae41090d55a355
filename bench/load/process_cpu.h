// The processor time that a process and its descendants have used, from /proc.
#pragma once

#include <vector>

namespace bench {

/// The process and all its descendants that live now.
std::vector<int> process_tree(int root);

/// User and system time of these processes in microseconds, with the kernel's resolution (10 ms as
/// a rule). A process that is gone counts as nothing.
double cpu_time_us(const std::vector<int>& processes);

}  // namespace bench
