// Covers: names and help of the counters, counting.
#include "base/counters.h"

#include <gtest/gtest.h>
#include <set>
#include <string>

namespace signalbox {
namespace {

TEST(Counters_Behaviour, NamesAreUniqueAndEndInTheirUnit) {
    std::set<std::string_view> names;
    for (size_t i = 0; i < kCounters; ++i) {
        const std::string_view name = counter_name(static_cast<Counter>(i));
        EXPECT_TRUE(names.insert(name).second) << name;
        EXPECT_TRUE(name.ends_with("_total") || name.ends_with("_seconds") ||
                    name.ends_with("_bytes"))
            << name;
        EXPECT_FALSE(counter_help(static_cast<Counter>(i)).empty()) << name;
    }
    EXPECT_EQ(counter_name(Counter::rx_packets_total), "rx_packets_total");
    EXPECT_EQ(counter_name(Counter::config_reloads_refused_total), "config_reloads_refused_total");
}

TEST(Counters_Behaviour, CountsEachCounterByItself) {
    Counters counters;
    counters.add(Counter::rx_packets_total);
    counters.add(Counter::rx_packets_total, 4);
    EXPECT_EQ(counters.value(Counter::rx_packets_total), 5u);
    EXPECT_EQ(counters.value(Counter::tx_packets_total), 0u);
    EXPECT_EQ(counters.values()[static_cast<size_t>(Counter::rx_packets_total)], 5u);
}

TEST(CountersDeathTest, RefusesACounterThatDoesNotExist) {
    EXPECT_DEATH(counter_name(Counter::kCount), "CHECK failed");
}

}  // namespace
}  // namespace signalbox
