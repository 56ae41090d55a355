// How much memory the process may use, and what that allows.
#include "node/memory_size.h"

#include <unistd.h>

#include <algorithm>
#include <fstream>

#include "base/text.h"

namespace signalbox::node {

namespace {

constexpr uint64_t kTransactionBytes = 1024;
constexpr uint64_t kTransactionsMin = 65'536;
constexpr uint64_t kTransactionsMax = 16'000'000;

uint64_t machine_memory() {
    const long pages = ::sysconf(_SC_PHYS_PAGES);
    const long page_bytes = ::sysconf(_SC_PAGESIZE);
    if (pages <= 0 || page_bytes <= 0) return UINT64_MAX;
    return static_cast<uint64_t>(pages) * static_cast<uint64_t>(page_bytes);
}

/// "/a/b" of the line "0::/a/b"; empty at the root, or without version 2.
std::string group_of_process(const std::string& path) {
    constexpr std::string_view kVersion2 = "0::";
    std::ifstream file(path);
    for (std::string line; std::getline(file, line);) {
        if (!line.starts_with(kVersion2)) continue;
        const std::string group = line.substr(kVersion2.size());
        return group == "/" ? "" : group;
    }
    return {};
}

/// "max" is no number, and no limit.
uint64_t limit_of(const std::string& folder) {
    std::ifstream file(folder + "/memory.max");
    std::string line;
    std::getline(file, line);
    return text::to_u64(line).value_or(UINT64_MAX);
}

}  // namespace

uint64_t usable_memory(const MemoryFiles& files) {
    uint64_t least = machine_memory();
    // The limits of all groups around it hold.
    for (std::string group = group_of_process(files.process_groups);;) {
        least = std::min(least, limit_of(files.groups + group));
        const size_t parent = group.rfind('/');
        if (parent == std::string::npos) return least;
        group.resize(parent);
    }
}

uint32_t transactions_for(uint64_t memory) {
    return static_cast<uint32_t>(
        std::clamp(memory / 2 / kTransactionBytes, kTransactionsMin, kTransactionsMax));
}

}  // namespace signalbox::node
