// Blocks in steps: reuse, alignment, accounting.
// No RFC section applies.
#include "base/stepped_pool.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <cstring>
#include <vector>

#include "base/random.h"

namespace signalbox {
namespace {

TEST(SteppedPool_Behaviour, RoundsUpToTheStepAndCountsIt) {
    SteppedPool pool;
    const std::vector<std::pair<size_t, size_t>> cases = {{0, 16},  {1, 16},      {16, 16},
                                                          {17, 32}, {2048, 2048}, {2049, 2064}};
    for (const auto& [bytes, rounded] : cases) {
        void* block = pool.take(bytes);
        EXPECT_EQ(pool.bytes_out(), rounded) << bytes;
        EXPECT_EQ(reinterpret_cast<uintptr_t>(block) % 16, 0U);
        std::memset(block, 0xab, bytes);
        pool.give(block, bytes);
        EXPECT_EQ(pool.bytes_out(), 0U);
    }
}

TEST(SteppedPool_Behaviour, GivesABackedBlockOfTheStepAgain) {
    SteppedPool pool;
    void* first = pool.take(100);
    pool.give(first, 100);
    EXPECT_EQ(pool.take(112), first);
    EXPECT_NE(pool.take(100), first);
}

TEST(SteppedPool_Behaviour, IgnoresNull) {
    SteppedPool pool;
    pool.give(nullptr, 64);
    EXPECT_EQ(pool.bytes_out(), 0U);
}

TEST(SteppedPool_Behaviour, BlocksNeverOverlap) {
    SteppedPool pool;
    Random random({1, 2});
    struct Owned {
        void* block;
        size_t bytes;
        unsigned char mark;
    };
    std::vector<Owned> owned;
    for (int round = 0; round < 20'000; ++round) {
        if (owned.empty() || random.below(5) < 3) {
            const size_t bytes = random.below(2200);
            const auto mark = static_cast<unsigned char>(random.below(256));
            void* block = pool.take(bytes);
            std::memset(block, mark, bytes);
            owned.push_back({block, bytes, mark});
            continue;
        }
        const size_t index = random.below(owned.size());
        const Owned gone = owned[index];
        const auto* octets = static_cast<const unsigned char*>(gone.block);
        for (size_t i = 0; i < gone.bytes; ++i) ASSERT_EQ(octets[i], gone.mark);
        pool.give(gone.block, gone.bytes);
        owned[index] = owned.back();
        owned.pop_back();
    }
    for (const Owned& left : owned) pool.give(left.block, left.bytes);
    EXPECT_EQ(pool.bytes_out(), 0U);
}

}  // namespace
}  // namespace signalbox
