// Covers: SipHash-2-4 against the reference implementation's vectors (key 00..0f, input 00..n-1),
// the generator. Not covered: statistical quality.
#include "base/random.h"

#include <gtest/gtest.h>

#include <cstring>
#include <set>
#include <string>
#include <vector>

namespace signalbox {
namespace {

constexpr std::array<uint64_t, 2> kKey = {0x0706050403020100u, 0x0f0e0d0c0b0a0908u};

std::string counting_bytes(size_t size) {
    std::string bytes;
    for (size_t i = 0; i < size; ++i) bytes.push_back(static_cast<char>(i));
    return bytes;
}

TEST(Siphash_Behaviour, MatchesTheReferenceVectors) {
    EXPECT_EQ(siphash(kKey, counting_bytes(0)), 0x726fdb47dd0e0e31u);
    EXPECT_EQ(siphash(kKey, counting_bytes(1)), 0x74f839c593dc67fdu);
    EXPECT_EQ(siphash(kKey, counting_bytes(7)), 0xab0200f58b01d137u);
    EXPECT_EQ(siphash(kKey, counting_bytes(8)), 0x93f5f5799a932462u);
    EXPECT_EQ(siphash(kKey, counting_bytes(9)), 0x9e0082df0ba9e4b0u);
    EXPECT_EQ(siphash(kKey, counting_bytes(15)), 0xa129ca6149be45e5u);
    EXPECT_EQ(siphash(kKey, counting_bytes(16)), 0x3f2acc7f57c29bdbu);
    EXPECT_EQ(siphash(kKey, counting_bytes(63)), 0x958a324ceb064572u);
    EXPECT_EQ(siphash(kKey, counting_bytes(255)), 0xa9c169fec74db21au);
    EXPECT_EQ(siphash(kKey, counting_bytes(256)), 0x999d0526d2a7bfd7u);
}

TEST(Siphash_Behaviour, DependsOnBothHalvesOfTheKey) {
    const uint64_t value = siphash(kKey, "text");
    EXPECT_NE(siphash({kKey[0] + 1, kKey[1]}, "text"), value);
    EXPECT_NE(siphash({kKey[0], kKey[1] + 1}, "text"), value);
}

TEST(Siphash_Behaviour, TrailingZerosCount) {
    EXPECT_NE(siphash(kKey, std::string(1, '\0')), siphash(kKey, std::string(2, '\0')));
    EXPECT_NE(siphash(kKey, ""), siphash(kKey, std::string(8, '\0')));
}

TEST(Random_Behaviour, IsSiphashOfACounter) {
    Random random(kKey);
    for (uint64_t counter = 0; counter < 10; ++counter) {
        char bytes[8];
        std::memcpy(bytes, &counter, 8);
        EXPECT_EQ(random.next(), siphash(kKey, {bytes, 8}));
    }
}

TEST(Random_Behaviour, OneKeyGivesOneSequence) {
    Random a({1, 2});
    Random b({1, 2});
    Random other({1, 3});
    std::set<uint64_t> seen;
    for (int i = 0; i < 1000; ++i) {
        const uint64_t value = a.next();
        EXPECT_EQ(value, b.next());
        EXPECT_NE(value, other.next());
        EXPECT_TRUE(seen.insert(value).second);
    }
}

TEST(Random_Behaviour, BelowStaysBelowAndReachesEveryValue) {
    Random random({5, 6});
    std::vector<int> counts(10);
    for (int i = 0; i < 10000; ++i) ++counts.at(random.below(10));
    for (const int count : counts) {
        EXPECT_GT(count, 850);
        EXPECT_LT(count, 1150);
    }
}

TEST(Random_Behaviour, BelowDrawsAgainWhatWouldBeUnfair) {
    // With this bound a quarter of all draws must be refused: those under 2^64 mod bound.
    constexpr uint64_t kBound = (uint64_t{1} << 63) + (uint64_t{1} << 62);
    constexpr uint64_t kUnfair = uint64_t{1} << 62;
    Random random({7, 8});
    Random raw({7, 8});
    int refused = 0;
    for (int i = 0; i < 100; ++i) {
        uint64_t expected = raw.next();
        while (expected < kUnfair) {
            expected = raw.next();
            ++refused;
        }
        EXPECT_EQ(random.below(kBound), expected % kBound);
    }
    EXPECT_GT(refused, 0);
}

TEST(Random_Behaviour, BelowTakesTheLimits) {
    Random random({9, 10});
    EXPECT_EQ(random.below(1), 0u);
    EXPECT_LT(random.below(UINT64_MAX), UINT64_MAX);
}

TEST(RandomDeathTest, BelowZeroIsAnError) {
    Random random({1, 1});
    EXPECT_DEATH(random.below(0), "CHECK failed");
}

}  // namespace
}  // namespace signalbox
