// Covers: alignment, growth, copies, objects, reset, moving, no allocation once warm.
#include "base/arena.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <cstring>
#include <string>
#include <utility>

#include "tests/base/counting_allocator.h"

namespace signalbox {
namespace {

struct Point {
    int x;
    int y;
};

TEST(Arena_Behaviour, TakesNoBlockBeforeItIsUsed) {
    BlockPool pool;
    const Arena arena(pool);
    EXPECT_EQ(pool.bytes_out(), 0u);
    EXPECT_EQ(arena.bytes(), 0u);
}

TEST(Arena_Behaviour, AlignsWhatItGives) {
    BlockPool pool;
    Arena arena(pool);
    for (const size_t alignment : {1u, 2u, 4u, 8u, 16u}) {
        arena.allocate(1, 1);
        EXPECT_EQ(reinterpret_cast<uintptr_t>(arena.allocate(3, alignment)) % alignment, 0u)
            << alignment;
    }
}

TEST(Arena_Behaviour, PlacesDoNotOverlapAcrossBlocks) {
    BlockPool pool;
    Arena arena(pool, 64);
    std::string_view copies[500];
    for (size_t i = 0; i < 500; ++i)
        copies[i] = arena.copy(std::string(i % 200, static_cast<char>('a' + i % 26)));
    for (size_t i = 0; i < 500; ++i) {
        ASSERT_EQ(copies[i], std::string(i % 200, static_cast<char>('a' + i % 26)));
    }
    EXPECT_EQ(arena.bytes(), pool.bytes_out());
}

TEST(Arena_Behaviour, MakesRoomForMoreThanABlock) {
    BlockPool pool;
    Arena arena(pool);
    const std::string large(200000, 'x');
    EXPECT_EQ(arena.copy("before"), "before");
    EXPECT_EQ(arena.copy(large), large);
    EXPECT_EQ(arena.copy("after"), "after");
}

TEST(Arena_Behaviour, FillsABlockToItsLastOctet) {
    BlockPool pool;
    Arena arena(pool, 64);
    arena.allocate(48, 1);  // 64 less the header
    EXPECT_EQ(pool.bytes_out(), 64u);
    arena.allocate(1, 1);
    EXPECT_EQ(pool.bytes_out(), 64u + 128u);
}

TEST(Arena_Behaviour, CopyOfNothingTakesNothing) {
    BlockPool pool;
    Arena arena(pool);
    EXPECT_TRUE(arena.copy("").empty());
    EXPECT_EQ(pool.bytes_out(), 0u);
}

TEST(Arena_Behaviour, MakesObjectsAndArrays) {
    BlockPool pool;
    Arena arena(pool);
    const Point* point = arena.make<Point>(3, 4);
    const auto zeros = arena.make_array<uint64_t>(10);
    EXPECT_EQ(point->x, 3);
    EXPECT_EQ(point->y, 4);
    ASSERT_EQ(zeros.size(), 10u);
    for (const uint64_t zero : zeros) EXPECT_EQ(zero, 0u);
    EXPECT_TRUE(arena.make_array<int>(0).empty());
}

TEST(Arena_Behaviour, ResetGivesEverythingBackAndStartsSmallAgain) {
    BlockPool pool;
    Arena arena(pool, 64);
    for (int i = 0; i < 100; ++i) arena.allocate(100);
    arena.reset();
    EXPECT_EQ(pool.bytes_out(), 0u);
    EXPECT_EQ(arena.bytes(), 0u);
    arena.allocate(8);
    EXPECT_EQ(pool.bytes_out(), 64u);
}

TEST(Arena_Behaviour, DestructionGivesEverythingBack) {
    BlockPool pool;
    {
        Arena arena(pool);
        arena.allocate(5000);
    }
    EXPECT_EQ(pool.bytes_out(), 0u);
}

TEST(Arena_Behaviour, MovingKeepsTheContentsAndLeavesAUsableSource) {
    BlockPool pool;
    Arena source(pool);
    const std::string_view text = source.copy("kept");
    Arena target(std::move(source));
    EXPECT_EQ(text, "kept");
    EXPECT_EQ(source.bytes(), 0u);
    EXPECT_EQ(source.copy("again"), "again");
    target = std::move(source);
    EXPECT_EQ(pool.bytes_out(), target.bytes());
    Arena& alias = target;
    target = std::move(alias);
    EXPECT_EQ(pool.bytes_out(), target.bytes());
    EXPECT_NE(target.bytes(), 0u);
}

TEST(Arena_Behaviour, TakesNothingFromTheAllocatorOnceWarm) {
    BlockPool pool;
    const auto use = [&pool] {
        Arena arena(pool);
        for (int i = 0; i < 100; ++i) arena.allocate(300);
    };
    use();
    const uint64_t before = test::allocations();
    for (int i = 0; i < 100; ++i) use();
    EXPECT_EQ(test::allocations(), before);
}

}  // namespace
}  // namespace signalbox
