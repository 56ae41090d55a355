// Which shard hears what of users that changed.
// Covers: removed users and what they had been granted. Not covered: what a shard does then
// (core/user_removal_test).
#include "node/user_updates.h"

#include <gtest/gtest.h>

#include "ports/sharding.h"

namespace signalbox::node {
namespace {

ports::UserRecord user(const std::string& name, std::vector<std::string> addresses,
                       bool is_removed) {
    ports::UserRecord made;
    made.name = name;
    made.addresses = std::move(addresses);
    made.is_removed = is_removed;
    return made;
}

TEST(UserUpdates_Behaviour, ARemovedUsersAddressesAreToldWhereTheyLive) {
    constexpr uint8_t kShards = 7;
    const auto updates = updates_of(
        {user("gina", {"+15550100", "sales"}, true), user("dora", {"+15550101"}, false)}, kShards);
    ASSERT_EQ(updates.size(), kShards);
    size_t users = 0, revoked = 0;
    for (uint8_t shard = 0; shard < kShards; ++shard) {
        for (const auto& each : updates[shard].users)
            EXPECT_EQ(ports::shard_of_aor(each.tenant, each.name, kShards), shard);
        for (const auto& each : updates[shard].revoked) {
            EXPECT_EQ(ports::shard_of_aor(each.tenant, each.name, kShards), shard);
            EXPECT_NE(each.name, "+15550101");
        }
        users += updates[shard].users.size();
        revoked += updates[shard].revoked.size();
    }
    EXPECT_EQ(users, 2U);
    EXPECT_EQ(revoked, 2U);
}

TEST(UserUpdates_Behaviour, AtAStartAnAddressThatSomebodyHoldsNowIsLeftToHim) {
    std::vector<ports::UserRecord> users{user("gone", {}, true), user("renamed", {}, true),
                                         user("gina", {"sales", "old"}, true),
                                         user("dora", {"renamed", "sales"}, false)};
    const auto removed = take_removed(users);
    ASSERT_EQ(users.size(), 1U);
    EXPECT_EQ(users[0].name, "dora");
    ASSERT_EQ(removed.size(), 2U);
    EXPECT_EQ(removed[0].name, "gone");
    EXPECT_EQ(removed[1].name, "gina");
    EXPECT_EQ(removed[1].addresses, std::vector<std::string>{"old"});
}

}  // namespace
}  // namespace signalbox::node
