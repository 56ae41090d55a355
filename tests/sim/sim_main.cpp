// Runs the seeded simulation: a range of seeds on all processors, or one seed with its ladder
// diagram.
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "base/text.h"
#include "sim/coverage_report.h"
#include "sim/scenario.h"

namespace {

using signalbox::sim::run_seed;
using signalbox::sim::SeedResult;
using Detail = signalbox::sim::Trace::Detail;

constexpr std::string_view kUsage =
    "Usage: signalbox-sim --seeds A-B       run all these seeds; fails when one fails or a cell "
    "was never reached\n"
    "       signalbox-sim --seed N          run one seed\n"
    "       signalbox-sim --seed N --ladder the same, and show who sent what to whom\n"
    "       signalbox-sim --seed N --messages the same, with every message as it was sent\n";

struct Options {
    uint64_t first = 0;
    uint64_t last = 0;
    bool is_one = false;
    Detail detail = Detail::Nothing;
};

bool parse_range(std::string_view text, Options& options) {
    const size_t dash = text.find('-');
    const auto first = signalbox::text::to_u64(text.substr(0, dash));
    const auto last =
        dash == std::string_view::npos ? first : signalbox::text::to_u64(text.substr(dash + 1));
    if (!first || !last || *first > *last) return false;
    options.first = *first;
    options.last = *last;
    return true;
}

bool parse(const std::vector<std::string_view>& arguments, Options& options) {
    bool has_range = false;
    for (size_t i = 0; i < arguments.size(); ++i) {
        const std::string_view name = arguments[i];
        const bool has_value = i + 1 < arguments.size();
        if (name == "--ladder") {
            options.detail = Detail::Ladder;
        } else if (name == "--messages") {
            options.detail = Detail::WholeMessages;
        } else if ((name == "--seeds" || name == "--seed") && has_value) {
            if (!parse_range(arguments[++i], options)) return false;
            options.is_one = name == "--seed";
            has_range = true;
        } else {
            return false;
        }
    }
    return has_range;
}

/// A seed that fails is run again with its messages kept: the same seed gives the same run.
void print_failure(const SeedResult& result) {
    const SeedResult again = run_seed(result.seed, Detail::Ladder);
    std::fwrite(again.ladder.data(), 1, again.ladder.size(), stdout);
    std::printf("seed %llu FAILED\n", static_cast<unsigned long long>(result.seed));
    for (const std::string& fault : result.faults) std::printf("    %s\n", fault.c_str());
    std::printf("replay: build/test/signalbox-sim --seed %llu --ladder\n\n",
                static_cast<unsigned long long>(result.seed));
    std::fflush(stdout);
}

/// What all seeds came to, shared by the threads.
struct Summary {
    static constexpr uint64_t kLaddersMax = 2;
    std::mutex mutex;
    uint64_t seeds = 0, failed = 0, calls = 0, answered = 0, messages = 0, restarts = 0,
             reloads = 0;
    signalbox::Duration virtual_time{};
    signalbox::transaction::MachineCoverage coverage;
    std::vector<uint64_t> failures;

    void take(const SeedResult& result) {
        const std::lock_guard lock(mutex);
        ++seeds;
        calls += result.calls;
        answered += result.answered;
        messages += result.messages;
        restarts += result.restarts;
        reloads += result.reloads;
        virtual_time += result.virtual_time;
        signalbox::sim::add(coverage, result.coverage);
        if (result.faults.empty()) return;
        failures.push_back(result.seed);
        if (++failed <= kLaddersMax) {
            print_failure(result);
        } else {
            std::printf("seed %llu FAILED: %s\n", static_cast<unsigned long long>(result.seed),
                        result.faults.front().c_str());
        }
    }
};

int run_range(const Options& options) {
    const auto began = std::chrono::steady_clock::now();
    Summary summary;
    std::atomic<uint64_t> next = options.first;
    const auto work = [&] {
        for (uint64_t seed = next++; seed <= options.last; seed = next++) {
            summary.take(run_seed(seed, Detail::Nothing));
        }
    };
    std::vector<std::thread> threads;
    for (unsigned i = 0; i < std::max(1U, std::thread::hardware_concurrency()); ++i)
        threads.emplace_back(work);
    for (std::thread& thread : threads) thread.join();
    const std::chrono::duration<double> wall = std::chrono::steady_clock::now() - began;
    const std::string missing = signalbox::sim::cells_missing(summary.coverage);
    std::printf("%s\n", signalbox::sim::coverage_table(summary.coverage).c_str());
    std::printf(
        "seeds %llu, failed %llu, calls %llu, answered %llu, messages %llu, restarts %llu, reloads "
        "%llu, "
        "virtual time %.1f h, wall time %.1f s\n",
        static_cast<unsigned long long>(summary.seeds),
        static_cast<unsigned long long>(summary.failed),
        static_cast<unsigned long long>(summary.calls),
        static_cast<unsigned long long>(summary.answered),
        static_cast<unsigned long long>(summary.messages),
        static_cast<unsigned long long>(summary.restarts),
        static_cast<unsigned long long>(summary.reloads),
        std::chrono::duration<double>(summary.virtual_time).count() / 3600, wall.count());
    if (!missing.empty()) std::printf("legal cells that were never reached:\n%s", missing.c_str());
    return summary.failed == 0 && missing.empty() ? EXIT_SUCCESS : EXIT_FAILURE;
}

int run_one(const Options& options) {
    const SeedResult result = run_seed(options.first, options.detail);
    if (options.detail != Detail::Nothing)
        std::fwrite(result.ladder.data(), 1, result.ladder.size(), stdout);
    for (const std::string& fault : result.faults) std::printf("    %s\n", fault.c_str());
    std::printf("seed %llu %s: calls %llu, answered %llu, messages %llu, virtual time %.0f s\n",
                static_cast<unsigned long long>(result.seed),
                result.faults.empty() ? "passed" : "FAILED",
                static_cast<unsigned long long>(result.calls),
                static_cast<unsigned long long>(result.answered),
                static_cast<unsigned long long>(result.messages),
                std::chrono::duration<double>(result.virtual_time).count());
    return result.faults.empty() ? EXIT_SUCCESS : EXIT_FAILURE;
}

}  // namespace

int main(int count, char** values) {
    Options options;
    if (!parse(std::vector<std::string_view>(values + 1, values + count), options)) {
        std::fputs(kUsage.data(), stderr);
        return 2;
    }
    return options.is_one ? run_one(options) : run_range(options);
}
