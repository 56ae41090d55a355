// The index by tenant and name, against a map as its model.
// No RFC section applies.
#include "base/name_index.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace signalbox {
namespace {

struct Item {
    uint32_t tenant;
    std::string name;
};
struct KeyOf {
    const std::vector<Item>* items;
    NameKey operator()(uint32_t index) const {
        return {(*items)[index].tenant, (*items)[index].name};
    }
};

TEST(NameIndex_Behaviour, FindsByTenantAndName) {
    const std::vector<Item> items = {{1, "alice"}, {2, "alice"}, {1, "bob"}};
    NameIndex<uint32_t, KeyOf> index(KeyOf{&items});
    for (uint32_t i = 0; i < 3; ++i) {
        EXPECT_TRUE(index.insert(i, {items[i].tenant, items[i].name}));
    }
    EXPECT_EQ(index.size(), 3U);
    EXPECT_EQ(index.find({1, "alice"}), 0U);
    EXPECT_EQ(index.find({2, "alice"}), 1U);
    EXPECT_EQ(index.find({1, "bob"}), 2U);
    EXPECT_FALSE(index.find({2, "bob"}));
    EXPECT_FALSE(index.find({1, "Alice"}));
    EXPECT_FALSE(index.find({1, ""}));
}

TEST(NameIndex_Behaviour, RefusesASecondEntryOfOneKey) {
    const std::vector<Item> items = {{1, "alice"}, {1, "alice"}};
    NameIndex<uint32_t, KeyOf> index(KeyOf{&items});
    EXPECT_TRUE(index.insert(0, {1, "alice"}));
    EXPECT_FALSE(index.insert(1, {1, "alice"}));
    EXPECT_EQ(index.size(), 1U);
    EXPECT_EQ(index.find({1, "alice"}), 0U);
}

TEST(NameIndex_Behaviour, HoldsManyAndForgetsTheErased) {
    std::vector<Item> items;
    for (uint32_t i = 0; i < 20'000; ++i) items.push_back({1 + i % 3, "user" + std::to_string(i)});
    NameIndex<uint32_t, KeyOf> index(KeyOf{&items});
    for (uint32_t i = 0; i < items.size(); ++i) index.insert(i, {items[i].tenant, items[i].name});
    for (uint32_t i = 0; i < items.size(); i += 2) {
        EXPECT_TRUE(index.erase({items[i].tenant, items[i].name}));
        EXPECT_FALSE(index.erase({items[i].tenant, items[i].name}));
    }
    EXPECT_EQ(index.size(), items.size() / 2);
    for (uint32_t i = 0; i < items.size(); ++i) {
        const auto found = index.find({items[i].tenant, items[i].name});
        if (i % 2 == 0) {
            EXPECT_FALSE(found);
        } else {
            EXPECT_EQ(found, i);
        }
    }
}

}  // namespace
}  // namespace signalbox
