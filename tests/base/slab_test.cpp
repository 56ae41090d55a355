// Covers: handles, generations, the limit, reuse, walks, destruction.
#include "base/slab.h"

#include <gtest/gtest.h>

#include <memory>
#include <vector>

#include "tests/base/counting_allocator.h"

namespace signalbox {
namespace {

struct Counted {
    explicit Counted(int& live_objects, int number = 0) : live(live_objects), value(number) {
        ++live;
    }
    Counted(const Counted&) = delete;
    Counted& operator=(const Counted&) = delete;
    ~Counted() { --live; }
    int& live;
    int value;
};

TEST(Slab_Behaviour, ADefaultHandleNamesNothing) {
    Slab<int> slab(4);
    slab.emplace(1);
    EXPECT_FALSE(Handle<int>{});
    EXPECT_EQ(slab.get(Handle<int>{}), nullptr);
    EXPECT_FALSE(slab.erase(Handle<int>{}));
}

TEST(Slab_Behaviour, AStaleHandleIsNoticed) {
    Slab<int> slab(4);
    const auto first = slab.emplace(1);
    EXPECT_TRUE(slab.erase(first));
    EXPECT_EQ(slab.get(first), nullptr);
    const auto second = slab.emplace(2);
    EXPECT_EQ(second.index, first.index);
    EXPECT_EQ(slab.get(first), nullptr);
    EXPECT_FALSE(slab.erase(first));
    ASSERT_NE(slab.get(second), nullptr);
    EXPECT_EQ(*slab.get(second), 2);
}

TEST(Slab_Behaviour, RefusesMoreThanItsCapacity) {
    Slab<int> slab(2);
    EXPECT_TRUE(slab.emplace(1));
    const auto second = slab.emplace(2);
    EXPECT_TRUE(second);
    EXPECT_FALSE(slab.emplace(3));
    EXPECT_EQ(slab.size(), 2u);
    slab.erase(second);
    EXPECT_TRUE(slab.emplace(4));
}

TEST(Slab_Behaviour, ACapacityOfZeroHoldsNothing) {
    Slab<int> slab(0);
    EXPECT_FALSE(slab.emplace(1));
}

TEST(Slab_Behaviour, ObjectsDoNotMoveWhileItGrows) {
    Slab<int> slab(2000);
    const auto first = slab.emplace(42);
    const int* address = slab.get(first);
    for (int i = 1; i < 2000; ++i) ASSERT_TRUE(slab.emplace(i));
    EXPECT_EQ(slab.get(first), address);
    EXPECT_EQ(*address, 42);
}

TEST(Slab_Behaviour, HandlesSurvivePacking) {
    const Handle<int> handle{7, 9};
    EXPECT_EQ(Handle<int>::unpack(handle.packed()), handle);
    const Handle<int> largest{UINT32_MAX, UINT32_MAX};
    EXPECT_EQ(Handle<int>::unpack(largest.packed()), largest);
}

TEST(Slab_Behaviour, AHandleOutsideNamesNothing) {
    Slab<int> slab(4);
    EXPECT_EQ(slab.get(Handle<int>{3, 1}), nullptr);
    EXPECT_EQ(slab.get(Handle<int>{UINT32_MAX, 1}), nullptr);
    EXPECT_FALSE(slab.at(0));
}

TEST(Slab_Behaviour, DestroysWhatLives) {
    int live = 0;
    {
        Slab<Counted> slab(4);
        slab.emplace(live);
        const auto erased = slab.emplace(live);
        slab.erase(erased);
        EXPECT_EQ(live, 1);
    }
    EXPECT_EQ(live, 0);
}

TEST(Slab_Behaviour, WalksInOrderOfPlacesAndMayEraseMeanwhile) {
    int live = 0;
    Slab<Counted> slab(10);
    for (int i = 0; i < 6; ++i) slab.emplace(live, i);
    std::vector<int> seen;
    slab.for_each([&](Handle<Counted> handle, Counted& object) {
        seen.push_back(object.value);
        if (object.value % 2 == 0) slab.erase(handle);
    });
    EXPECT_EQ(seen, (std::vector<int>{0, 1, 2, 3, 4, 5}));
    EXPECT_EQ(slab.size(), 3u);
    EXPECT_EQ(slab.places(), 6u);
    EXPECT_FALSE(slab.at(0));
    ASSERT_TRUE(slab.at(1));
    EXPECT_EQ(slab.get(slab.at(1))->value, 1);
}

TEST(Slab_Behaviour, TakesNothingFromTheAllocatorOnceWarm) {
    Slab<int> slab(10);
    slab.erase(slab.emplace(1));
    const uint64_t before = test::allocations();
    for (int i = 0; i < 1000; ++i) slab.erase(slab.emplace(i));
    EXPECT_EQ(test::allocations(), before);
}

TEST(Slab_Behaviour, NamesOfAnotherFirstGenerationAreNobodys) {
    Slab<int> before(4);
    Slab<int> after(4, 1000);
    const auto old = before.emplace(1);
    const auto fresh = after.emplace(2);
    EXPECT_EQ(old.index, fresh.index);
    EXPECT_EQ(after.get(old), nullptr);
    EXPECT_EQ(*after.get(fresh), 2);
}

}  // namespace
}  // namespace signalbox
