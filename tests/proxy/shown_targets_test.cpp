// What the sides of dialogs have shown, in a table that does not grow.
// Covers: RFC 3261 §12.2. Not covered: what is noted and followed (target_refresh_test).
#include "proxy/shown_targets.h"

#include <gtest/gtest.h>

namespace signalbox::proxy {
namespace {

struct ShownTargetsTest : ::testing::Test {
    Random random{{1, 2}};
    Counters counters;
    ShownTargets shown{random, counters, 4};
    ShownTarget target{"call", "a", "b", 1};

    uint64_t key(uint64_t hop) {
        target.hop = hop;
        return shown.key(target, ShownAs::Source);
    }
};

using ShownTargets_Behaviour = ShownTargetsTest;

TEST_F(ShownTargets_Behaviour, KnowsWhatItWasTold) {
    EXPECT_FALSE(shown.has(key(1)));
    shown.note(key(1));
    EXPECT_TRUE(shown.has(key(1)));
    EXPECT_FALSE(shown.has(key(2)));
}

TEST_F(ShownTargets_Behaviour, EverythingDecidesTheKey) {
    const uint64_t first = key(1);
    for (const ShownTarget& other :
         {ShownTarget{"other", "a", "b", 1}, ShownTarget{"call", "c", "b", 1},
          ShownTarget{"call", "a", "c", 1}, ShownTarget{"call", "b", "a", 1},
          ShownTarget{"call", "a", "b", 2}}) {
        EXPECT_NE(shown.key(other, ShownAs::Source), first);
    }
    EXPECT_NE(shown.key({"call", "a", "b", 1}, ShownAs::Vouched), first);
}

TEST_F(ShownTargets_Behaviour, TheOneShownLongestAgoGivesWay) {
    for (const uint64_t hop : {1, 2, 3, 4, 1}) shown.note(key(hop));
    EXPECT_EQ(counters.value(Counter::shown_targets_forgotten_total), 0U);
    shown.note(key(5));
    EXPECT_FALSE(shown.has(key(2)));
    for (const uint64_t hop : {1, 3, 4, 5}) EXPECT_TRUE(shown.has(key(hop))) << hop;
    EXPECT_EQ(counters.value(Counter::shown_targets_forgotten_total), 1U);
}

TEST_F(ShownTargets_Behaviour, WhoShowsMuchMakesFewOthersForgotten) {
    ShownTargets many(random, counters, 256);
    const auto of = [&](int dialog) {
        const std::string call_id = "call" + std::to_string(dialog);
        return many.key({call_id, "a", "b", 7}, ShownAs::Source);
    };
    for (int dialog = 0; dialog < 32; ++dialog) many.note(of(dialog));
    for (uint64_t hop = 1; hop <= 1000; ++hop)
        many.note(many.key({"much", "a", "b", hop}, ShownAs::Source));
    int kept = 0;
    for (int dialog = 0; dialog < 32; ++dialog) kept += many.has(of(dialog)) ? 1 : 0;
    EXPECT_GE(kept, 29);
}

TEST_F(ShownTargets_Behaviour, AlikeTagsTellNoSides) {
    EXPECT_TRUE(target.tells_sides());
    EXPECT_FALSE((ShownTarget{"call", "a", "a", 1}.tells_sides()));
    EXPECT_FALSE((ShownTarget{"call", "", "b", 1}.tells_sides()));
}

}  // namespace
}  // namespace signalbox::proxy
