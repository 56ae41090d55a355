// The processor time that a process and its descendants have used, from /proc.
#include "load/process_cpu.h"

#include <dirent.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>
#include <utility>

namespace bench {
namespace {

struct Stat {
    int parent = 0;
    double ticks = 0;
};

/// Reads the parent and the ticks; the name of the program may hold spaces, so fields count from
/// its last ')'.
Stat read_stat(int process) {
    std::ifstream file("/proc/" + std::to_string(process) + "/stat");
    std::string text;
    std::getline(file, text);
    const std::size_t close = text.rfind(')');
    if (close == std::string::npos) return {};
    std::istringstream fields(text.substr(close + 1));
    std::string skipped;
    Stat stat;
    fields >> skipped >> stat.parent;
    for (int i = 5; i <= 13; ++i) fields >> skipped;
    double user = 0;
    double system = 0;
    fields >> user >> system;
    stat.ticks = user + system;
    return stat;
}

std::vector<std::pair<int, int>> processes_with_parents() {
    std::vector<std::pair<int, int>> found;
    DIR* directory = opendir("/proc");
    if (directory == nullptr) return found;
    while (const dirent* entry = readdir(directory)) {
        const int process = std::atoi(entry->d_name);
        if (process > 0) found.emplace_back(process, read_stat(process).parent);
    }
    closedir(directory);
    return found;
}

}  // namespace

std::vector<int> process_tree(int root) {
    std::vector<int> tree{root};
    const std::vector<std::pair<int, int>> all = processes_with_parents();
    for (std::size_t i = 0; i < tree.size(); ++i) {
        for (const auto& [process, parent] : all) {
            if (parent == tree[i]) tree.push_back(process);
        }
    }
    return tree;
}

double cpu_time_us(const std::vector<int>& processes) {
    const double tick_us = 1e6 / static_cast<double>(sysconf(_SC_CLK_TCK));
    double ticks = 0;
    for (const int process : processes) ticks += read_stat(process).ticks;
    return ticks * tick_us;
}

}  // namespace bench
