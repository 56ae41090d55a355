// Seeded worlds: the first forty seeds, and every seed that once failed.
// Covers: the oracles over drawn scenarios. Not covered here: the thousand seeds of the long run
// (signalbox-sim).
#include <gtest/gtest.h>

#include <fstream>
#include <string>

#include "base/text.h"
#include "sim/coverage_report.h"
#include "sim/scenario.h"

namespace signalbox::sim {
namespace {

void expect_passes(uint64_t seed) {
    const SeedResult result = run_seed(seed, Trace::Detail::Nothing);
    for (const std::string& fault : result.faults) {
        ADD_FAILURE() << "seed " << seed << ": " << fault
                      << "\nreplay: build/test/signalbox-sim --seed " << seed << " --ladder";
    }
}

class Seeds : public testing::TestWithParam<uint64_t> {};

TEST_P(Seeds, BreakNoOracle) {
    for (uint64_t seed = GetParam(); seed < GetParam() + 10; ++seed) expect_passes(seed);
}

INSTANTIATE_TEST_SUITE_P(Behaviour, Seeds, testing::Values(1, 11, 21, 31));

TEST(Seed_Behaviour, GivesTheSameRunEachTime) {
    const SeedResult first = run_seed(7, Trace::Detail::Ladder);
    const SeedResult second = run_seed(7, Trace::Detail::Ladder);
    EXPECT_EQ(first.ladder, second.ladder);
    EXPECT_GT(first.messages, 50U);
}

/// One seed a line; '#' begins a comment.
TEST(Seed_Behaviour, ThatOnceFailedPassesNow) {
    std::ifstream file(SIGNALBOX_SIM_REGRESSIONS);
    ASSERT_TRUE(file.is_open());
    for (std::string line; std::getline(file, line);) {
        const std::string_view text = text::trim(std::string_view(line).substr(0, line.find('#')));
        if (text.empty()) continue;
        const auto seed = text::to_u64(text);
        ASSERT_TRUE(seed.has_value()) << line;
        expect_passes(*seed);
    }
}

}  // namespace
}  // namespace signalbox::sim
