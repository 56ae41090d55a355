// The ended calls that the memory store keeps.
// Not covered: pages of their records (memory_store_test).
#include "store/latest_calls.h"

#include <gtest/gtest.h>

#include "tests/store/event_makers.h"

namespace signalbox::store {
namespace {

using Place = std::pair<int64_t, uint64_t>;  // second, id
using Places = std::vector<Place>;

std::vector<cdr::CallEvents> calls(const Places& places) {
    std::vector<cdr::CallEvents> all;
    for (const auto& [second, id] : places) all.push_back(ended_call(id, second));
    return all;
}

Places places(const LatestCalls& latest) {
    Places all;
    for (const cdr::CallEvents& call : latest.in_order()) {
        const Duration since = call.started() - at_second(0);
        all.emplace_back(std::chrono::duration_cast<std::chrono::seconds>(since).count(),
                         call.id());
    }
    return all;
}

TEST(LatestCalls_Behaviour, AreInTheOrderOfTheirBeginningsHoweverTheyEnd) {
    LatestCalls latest(10);
    latest.add(calls({{5, 1}, {3, 9}, {3, 2}}));
    EXPECT_EQ(places(latest), (Places{{3, 2}, {3, 9}, {5, 1}}));
    latest.add({});
    latest.add(calls({{4, 4}, {1, 3}, {9, 5}}));
    EXPECT_EQ(places(latest), (Places{{1, 3}, {3, 2}, {3, 9}, {4, 4}, {5, 1}, {9, 5}}));
}

TEST(LatestCalls_Behaviour, MakeRoomWithTheFirst) {
    LatestCalls latest(3);
    latest.add(calls({{1, 1}, {2, 2}, {3, 3}}));
    EXPECT_EQ(places(latest), (Places{{1, 1}, {2, 2}, {3, 3}}));
    latest.add(calls({{4, 4}}));
    EXPECT_EQ(places(latest), (Places{{2, 2}, {3, 3}, {4, 4}}));
    latest.add(calls({{1, 5}}));
    EXPECT_EQ(places(latest), (Places{{2, 2}, {3, 3}, {4, 4}}));
    latest.add(calls({{9, 9}, {8, 8}, {7, 7}, {6, 6}, {5, 5}}));
    EXPECT_EQ(places(latest), (Places{{7, 7}, {8, 8}, {9, 9}}));
}

TEST(LatestCalls_Behaviour, ReplaceACallThatComesAgain) {
    LatestCalls latest(10);
    auto again = calls({{1, 1}, {2, 2}, {1, 1}});
    again[2].add(call_event(ports::JournalEventKind::CallHeld, 1, 5));
    const std::string second(again[2].octets());
    latest.add(std::move(again));
    ASSERT_EQ(places(latest), (Places{{1, 1}, {2, 2}}));
    EXPECT_EQ(latest.in_order()[0].octets(), second);
    latest.add(calls({{1, 1}}));
    ASSERT_EQ(places(latest), (Places{{1, 1}, {2, 2}}));
    EXPECT_NE(latest.in_order()[0].octets(), second);
}

TEST(LatestCalls_Behaviour, GoWhenTheyAreTooOldOrTooMany) {
    LatestCalls latest(10);
    latest.add(calls({{1, 1}, {2, 2}, {3, 3}, {4, 4}, {5, 5}}));
    EXPECT_EQ(latest.remove_first(WallTime::min(), 0), 0U);
    EXPECT_EQ(latest.remove_first(at_second(1), 5), 0U);
    EXPECT_EQ(latest.remove_first(at_second(3), 0), 2U);
    EXPECT_EQ(latest.remove_first(WallTime::min(), 1), 2U);
    EXPECT_EQ(places(latest), (Places{{5, 5}}));
    EXPECT_EQ(latest.remove_first(WallTime::max(), 0), 1U);
    EXPECT_TRUE(latest.in_order().empty());
}

}  // namespace
}  // namespace signalbox::store
