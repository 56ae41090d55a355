// Who owns what: in range, even, and the same for ever.
// Covers ports/sharding. No RFC section applies.
#include "ports/sharding.h"

#include <gtest/gtest.h>

#include <array>
#include <string>

namespace signalbox::ports {
namespace {

TEST(Sharding_Behaviour, OneShardOwnsAll) {
    for (const uint8_t shards : {uint8_t{0}, uint8_t{1}}) {
        EXPECT_EQ(shard_of_call_id("a", shards), 0);
        EXPECT_EQ(shard_of_aor(kDefaultTenant, "alice", shards), 0);
    }
}

TEST(Sharding_Behaviour, OwnersAreInRangeAndEven) {
    for (const uint8_t shards : {uint8_t{2}, uint8_t{3}, uint8_t{8}, uint8_t{255}}) {
        std::array<int, 255> calls{};
        std::array<int, 255> names{};
        const int count = 400 * shards;
        for (int i = 0; i < count; ++i) {
            const uint8_t call = shard_of_call_id("call-" + std::to_string(i), shards);
            const uint8_t name = shard_of_aor(kDefaultTenant, std::to_string(i), shards);
            ASSERT_LT(call, shards);
            ASSERT_LT(name, shards);
            ++calls[call];
            ++names[name];
        }
        for (size_t i = 0; i < shards; ++i) {
            EXPECT_NEAR(calls[i], 400, 100);
            EXPECT_NEAR(names[i], 400, 100);
        }
    }
}

TEST(Sharding_Behaviour, OwnersNeverChangeBetweenReleases) {
    EXPECT_EQ(shard_of_call_id("call-1@phone.example.test", 255), 125);
    EXPECT_EQ(shard_of_aor(kDefaultTenant, "alice", 255), 216);
}

TEST(Sharding_Behaviour, TenantsAreSpreadApart) {
    int different = 0;
    for (TenantId tenant = 1; tenant <= 100; ++tenant) {
        if (shard_of_aor(tenant, "alice", 8) != shard_of_aor(1, "alice", 8)) ++different;
    }
    EXPECT_GT(different, 60);
}

}  // namespace
}  // namespace signalbox::ports
