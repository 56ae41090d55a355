// Covers: size classes, reuse, large blocks, PooledBytes, no allocation once warm.
// Not covered: AddressSanitizer's marks on free blocks.
#include "base/block_pool.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include "tests/base/counting_allocator.h"

namespace signalbox {
namespace {

size_t capacity_for(size_t bytes) {
    BlockPool pool;
    size_t capacity = 0;
    char* block = pool.take(bytes, capacity);
    std::memset(block, 1, bytes);
    EXPECT_EQ(reinterpret_cast<uintptr_t>(block) % 16, 0u) << bytes;
    EXPECT_EQ(pool.bytes_out(), capacity);
    pool.give(block, capacity);
    EXPECT_EQ(pool.bytes_out(), 0u);
    return capacity;
}

TEST(BlockPool_Behaviour, RoundsUpToPowersOfTwo) {
    EXPECT_EQ(capacity_for(0), 64u);
    EXPECT_EQ(capacity_for(1), 64u);
    EXPECT_EQ(capacity_for(64), 64u);
    EXPECT_EQ(capacity_for(65), 128u);
    EXPECT_EQ(capacity_for(4096), 4096u);
    EXPECT_EQ(capacity_for(4097), 8192u);
}

TEST(BlockPool_Behaviour, LargeBlocksComeFromTheAllocator) {
    EXPECT_EQ(capacity_for(BlockPool::kLargest), BlockPool::kLargest);
    EXPECT_EQ(capacity_for(BlockPool::kLargest + 1), BlockPool::kLargest + 1);
    EXPECT_EQ(capacity_for(1000000), 1000000u);
}

TEST(BlockPool_Behaviour, GivesTheLastFreedBlockFirst) {
    BlockPool pool;
    size_t capacity = 0;
    char* first = pool.take(100, capacity);
    char* second = pool.take(100, capacity);
    EXPECT_NE(first, second);
    pool.give(first, capacity);
    EXPECT_EQ(pool.take(120, capacity), first);
    pool.give(first, capacity);
    pool.give(second, capacity);
}

TEST(BlockPool_Behaviour, BlocksOfOneClassDoNotOverlap) {
    BlockPool pool;
    std::vector<char*> blocks;
    size_t capacity = 0;
    for (size_t i = 0; i < 3000; ++i) {
        blocks.push_back(pool.take(64, capacity));
        std::memcpy(blocks.back(), &i, sizeof(i));
        std::memset(blocks.back() + sizeof(i), static_cast<int>(i % 251), 64 - sizeof(i));
    }
    for (size_t i = 0; i < blocks.size(); ++i) {
        size_t value = 0;
        std::memcpy(&value, blocks[i], sizeof(value));
        ASSERT_EQ(value, i);
        ASSERT_EQ(blocks[i][63], static_cast<char>(i % 251));
        pool.give(blocks[i], capacity);
    }
    EXPECT_EQ(pool.bytes_out(), 0u);
}

TEST(BlockPool_Behaviour, TakesNothingFromTheAllocatorOnceWarm) {
    BlockPool pool;
    const std::string bytes(700, 'x');
    { const PooledBytes warm(pool, bytes); }
    const uint64_t before = test::allocations();
    for (int i = 0; i < 1000; ++i) {
        PooledBytes kept(pool, bytes);
        PooledBytes moved(std::move(kept));
    }
    EXPECT_EQ(test::allocations(), before);
}

TEST(BlockPool_Behaviour, GivingNothingIsAllowed) {
    BlockPool pool;
    pool.give(nullptr, 0);
    EXPECT_EQ(pool.bytes_out(), 0u);
}

TEST(BlockPoolDeathTest, RefusesMoreThanItGave) {
    BlockPool pool;
    size_t capacity = 0;
    char* block = pool.take(64, capacity);
    EXPECT_DEATH(pool.give(block, 128), "CHECK failed");
    pool.give(block, capacity);
}

TEST(PooledBytes_Behaviour, KeepsACopy) {
    BlockPool pool;
    std::string source = "INVITE";
    const PooledBytes bytes(pool, source);
    source = "xxxxxx";
    EXPECT_EQ(bytes.view(), "INVITE");
    EXPECT_FALSE(bytes.empty());
    EXPECT_EQ(pool.bytes_out(), 64u);
}

TEST(PooledBytes_Behaviour, EmptyBytesTakeNoBlock) {
    BlockPool pool;
    const PooledBytes bytes(pool, "");
    EXPECT_TRUE(bytes.empty());
    EXPECT_EQ(pool.bytes_out(), 0u);
}

TEST(PooledBytes_Behaviour, MovingLeavesTheSourceEmptyAndAssigningFreesTheOldBlock) {
    BlockPool pool;
    PooledBytes a(pool, "one");
    PooledBytes b(pool, "two");
    b = std::move(a);
    EXPECT_EQ(b.view(), "one");
    EXPECT_TRUE(a.empty());
    EXPECT_EQ(pool.bytes_out(), 64u);
    const PooledBytes c(std::move(b));
    EXPECT_EQ(c.view(), "one");
    EXPECT_TRUE(b.empty());
    EXPECT_EQ(pool.bytes_out(), 64u);
}

TEST(PooledBytes_Behaviour, AssigningToItselfChangesNothing) {
    BlockPool pool;
    PooledBytes bytes(pool, "same");
    PooledBytes& alias = bytes;
    bytes = std::move(alias);
    EXPECT_EQ(bytes.view(), "same");
}

TEST(PooledBytes_Behaviour, ClearingAndDestroyingGiveTheBlockBack) {
    BlockPool pool;
    {
        PooledBytes cleared(pool, "one");
        cleared.clear();
        EXPECT_TRUE(cleared.empty());
        EXPECT_EQ(pool.bytes_out(), 0u);
        const PooledBytes destroyed(pool, std::string(100000, 'x'));
        EXPECT_EQ(pool.bytes_out(), 100000u);
    }
    EXPECT_EQ(pool.bytes_out(), 0u);
}

}  // namespace
}  // namespace signalbox
