// What the memory engine alone promises: the last records, and users from a file.
// Not covered: the contract of both engines (store_test.cpp).
#include <fstream>

#include <gtest/gtest.h>

#include "tests/store/store_opener.h"

namespace signalbox::store {
namespace {

TEST(MemoryStore_Behaviour, KeepsTheLastRecordsOnly) {
    TemporaryDirectory directory;
    std::ofstream(directory.path() + "/users.csv");
    auto journal = open_journal(directory);
    auto store = open_store(directory, Engine::Memory);
    for (uint64_t id = 1; id <= kMemoryRecordsMax + 1; ++id) {
        append_call(*journal, id, static_cast<int64_t>(id));
    }
    fold_all(*store);
    EXPECT_EQ(*store->record_count(), kMemoryRecordsMax);
    EXPECT_EQ(ids(*store, {0, 1, RecordOrder::OldestFirst}), std::vector<uint64_t>{2});
}

TEST(MemoryStore_Behaviour, KeepsACallThatEndsLateAmongThoseThatBeganWithIt) {
    TemporaryDirectory directory;
    std::ofstream(directory.path() + "/users.csv");
    auto journal = open_journal(directory);
    auto store = open_store(directory, Engine::Memory);
    journal->append(started(1, 10));
    for (uint64_t id = 2; id <= 4; ++id) append_call(*journal, id, static_cast<int64_t>(10 * id));
    fold_all(*store);
    EXPECT_EQ(ids(*store), (std::vector<uint64_t>{2, 3, 4}));
    append_call(*journal, 5, 50);
    journal->append(ended(1, 7200));
    append_call(*journal, 6, 25);  // the clock was set back
    fold_all(*store);
    EXPECT_EQ(ids(*store), (std::vector<uint64_t>{1, 2, 6, 3, 4, 5}));
    EXPECT_EQ(ids(*store, {6, 2, RecordOrder::OldestFirst}), (std::vector<uint64_t>{3, 4}));
    EXPECT_EQ(ids(*store, {6, 5, RecordOrder::NewestFirst}), (std::vector<uint64_t>{2, 1}));
}

TEST(MemoryStore_Behaviour, ForgetsACallThatEndsAfterTheLastRecordsBegan) {
    TemporaryDirectory directory;
    std::ofstream(directory.path() + "/users.csv");
    auto journal = open_journal(directory);
    auto store = open_store(directory, Engine::Memory);
    journal->append(started(1, 1));
    for (uint64_t id = 2; id <= kMemoryRecordsMax + 1; ++id) {
        append_call(*journal, id, static_cast<int64_t>(id));
    }
    fold_all(*store);
    journal->append(ended(1, 20'000));
    EXPECT_EQ(fold_all(*store).records, 1u);
    EXPECT_EQ(*store->record_count(), kMemoryRecordsMax);
    EXPECT_EQ(ids(*store, {0, 1, RecordOrder::OldestFirst}), std::vector<uint64_t>{2});
    EXPECT_FALSE(store->records({1, 1, RecordOrder::OldestFirst}));
}

TEST(MemoryStore_Behaviour, RefusesABadUsersFileByItsLine) {
    TemporaryDirectory directory;
    std::ofstream(directory.path() + "/users.csv") << "alice,secret\nbob\n";
    StoreOptions options;
    options.data_dir = directory.path();
    options.users_file = directory.path() + "/users.csv";
    const auto store = open_memory_store(options);
    ASSERT_FALSE(store);
    EXPECT_NE(store.error().text.find("Line 2: it has no comma"), std::string::npos);
}

TEST(MemoryStore_Behaviour, TellsOnceOfAUsersFileThatBecameBad) {
    const TemporaryDirectory directory;
    const std::string file = directory.path() + "/users.csv";
    std::ofstream(file) << "alice,secret\n";
    StoreOptions options;
    options.data_dir = directory.path();
    options.users_file = file;
    const auto store = open_memory_store(options);
    ASSERT_TRUE(store);
    std::ofstream(file) << "alice,secret\nno comma here\n";
    EXPECT_FALSE((*store)->users_changed_since(0));
    const auto users = (*store)->users_changed_since(0);
    ASSERT_TRUE(users);
    EXPECT_EQ(users->users.size(), 1u);
}

}  // namespace
}  // namespace signalbox::store
