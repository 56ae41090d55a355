// Which records stay and which go, in batches, and that the rest is still refolded.
// Covers: age, number, both, batches, locks, the counts, an older database. Not covered: how fast.
#include "store/record_retention.h"

#include <gtest/gtest.h>

#include "store/fold_rows.h"
#include "store/schema.h"
#include "store/wall_clock.h"
#include "tests/store/event_makers.h"

namespace signalbox::store {
namespace {

using std::chrono::hours;
using std::chrono::seconds;

class RecordRetention_Behaviour : public testing::Test {
 protected:
    RecordRetention_Behaviour() : database_(open()) {
        writer_ = std::move(*FoldWriter::prepare(*database_));
    }
    std::unique_ptr<sqlite::Database> open() {
        auto database = open_database(directory_.path(), std::chrono::milliseconds(0));
        EXPECT_TRUE(database);
        return std::move(*database);
    }
    /// Records with these numbers; number n began in the nth second.
    void write(uint64_t first, uint64_t last) {
        std::vector<cdr::CallEvents> calls;
        for (uint64_t id = first; id <= last; ++id) {
            calls.push_back(ended_call(id, static_cast<int64_t>(id)));
        }
        EXPECT_EQ(*writer_->apply_records(calls), calls.size());
    }
    uint64_t remove(const RecordsKept& kept, int64_t at) {
        const auto retention = RecordRetention::prepare(*database_, kept);
        EXPECT_TRUE(retention);
        const auto removed = (*retention)->remove_batch(at_second(at));
        EXPECT_TRUE(removed);
        return removed.value_or(0);
    }
    std::vector<uint64_t> left() {
        std::vector<uint64_t> ids;
        const auto records = read_records(*database_, {});
        EXPECT_TRUE(records);
        for (const ports::CallRecord& record : *records) ids.push_back(record.id);
        return ids;
    }

    TemporaryDirectory directory_;
    std::unique_ptr<sqlite::Database> database_;
    std::unique_ptr<FoldWriter> writer_;
};

TEST_F(RecordRetention_Behaviour, RemovesWhatBeganLongerAgoThanTheAge) {
    write(1, 10);
    const RecordsKept kept{seconds(100), 0};
    EXPECT_EQ(remove(kept, 101), 0u);
    EXPECT_EQ(remove(kept, 104), 3u);
    EXPECT_EQ(left(), (std::vector<uint64_t>{4, 5, 6, 7, 8, 9, 10}));
    EXPECT_EQ(remove(kept, 104), 0u);
}

TEST_F(RecordRetention_Behaviour, KeepsTheLastOnesOfTooMany) {
    write(1, 10);
    EXPECT_EQ(remove({{}, 10}, 1000), 0u);
    EXPECT_EQ(remove({{}, 7}, 1000), 3u);
    EXPECT_EQ(left(), (std::vector<uint64_t>{4, 5, 6, 7, 8, 9, 10}));
}

TEST_F(RecordRetention_Behaviour, RemovesWhatIsTooOldAndWhatIsTooMany) {
    write(1, 10);
    EXPECT_EQ(remove({seconds(100), 8}, 105), 4u);
    EXPECT_EQ(remove({seconds(100), 3}, 105), 3u);
    EXPECT_EQ(left(), (std::vector<uint64_t>{8, 9, 10}));
}

TEST_F(RecordRetention_Behaviour, WithoutLimitsEverythingStays) {
    write(1, 3);
    EXPECT_EQ(remove({}, 2'000'000'000), 0u);
    EXPECT_EQ(left().size(), 3u);
}

TEST_F(RecordRetention_Behaviour, RemovesABatchAtATime) {
    constexpr uint64_t kBatch = RecordRetention::kBatch;
    write(1, 2 * kBatch + 1);
    for (const uint64_t expected : {kBatch, kBatch, uint64_t{1}, uint64_t{0}})
        EXPECT_EQ(remove({hours(1), 0}, 100'000), expected);
    write(1, kBatch + 2);
    for (const uint64_t expected : {kBatch, uint64_t{1}, uint64_t{0}})
        EXPECT_EQ(remove({{}, 1}, 0), expected);
}

TEST_F(RecordRetention_Behaviour, WhatItRemovesIsNotMissing) {
    write(1, 10);
    remove({{}, 4}, 0);
    EXPECT_EQ(*count_records(*database_), 4u);
    EXPECT_EQ(*count_missing_records(*database_), 0u);
    EXPECT_TRUE(database_->execute("DELETE FROM records WHERE id > 8"));
    EXPECT_EQ(*count_records(*database_), 2u);
    EXPECT_EQ(*count_missing_records(*database_), 2u);
    remove({{}, 1}, 0);
    EXPECT_EQ(*count_missing_records(*database_), 2u);
}

TEST_F(RecordRetention_Behaviour, ALockedDatabaseKeepsEverythingUntilTheNextTime) {
    write(1, 4);
    auto locker = open();
    ASSERT_TRUE(locker->execute("BEGIN IMMEDIATE"));
    const auto retention = RecordRetention::prepare(*database_, {{}, 1});
    EXPECT_FALSE((*retention)->remove_batch(at_second(0)));
    ASSERT_TRUE(locker->execute("COMMIT"));
    EXPECT_EQ(left().size(), 4u);
    EXPECT_EQ(*(*retention)->remove_batch(at_second(0)), 3u);
}

TEST_F(RecordRetention_Behaviour, AnOlderDatabaseIsCountedOnce) {
    write(1, 5);
    ASSERT_TRUE(
        database_->execute("DROP TRIGGER records_deleted; DELETE FROM records WHERE id = 1;"
                           "DELETE FROM identity WHERE name = 'records_present';"
                           "PRAGMA user_version = 1"));
    const auto again = open();
    EXPECT_EQ(*count_records(*again), 4u);
    EXPECT_EQ(*count_missing_records(*again), 1u);
}

// --- the store as a whole

struct StoreRetention_Behaviour : testing::Test {
    /// The number of now among the seconds of at_second().
    static int64_t now() { return unix_seconds(wall_now()) - unix_seconds(at_second(0)); }
    static void append_call(Journal& journal, uint64_t id, int64_t second) {
        journal.append(started(id, second));
        journal.append(ended(id, second + 1));
    }
    std::unique_ptr<Store> open(const RecordsKept& kept) {
        StoreOptions options;
        options.data_dir = directory_.path();
        options.records_kept = kept;
        auto store = open_sqlite_store(options);
        EXPECT_TRUE(store);
        return std::move(*store);
    }
    static std::vector<uint64_t> fold(Store& store) {
        for (int i = 0; i < 20 && store.fold(FoldMode::Now).is_behind; ++i) {
        }
        std::vector<uint64_t> ids;
        const auto records = store.records({});
        EXPECT_TRUE(records);
        for (const ports::CallRecord& record : *records) ids.push_back(record.id);
        return ids;
    }
    static uint64_t removed(const Store& store) {
        Counters counters;
        store.add_counters(counters);
        return counters.value(Counter::records_removed_total);
    }
    void delete_records() {
        auto database = open_database(directory_.path(), kCommandBusyTimeout);
        ASSERT_TRUE((*database)->execute("DELETE FROM records"));
    }
    TemporaryDirectory directory_;
    std::unique_ptr<Journal> journal_ = open_journal(directory_);
};

TEST_F(StoreRetention_Behaviour, RemovesOldRecordsWhileItFolds) {
    append_call(*journal_, 1, now() - 3 * 86'400);
    append_call(*journal_, 2, now() - 86'400);
    append_call(*journal_, 3, now() - 60);
    auto store = open({hours(48), 0});
    EXPECT_EQ(fold(*store), (std::vector<uint64_t>{2, 3}));
    EXPECT_EQ(removed(*store), 1u);
    EXPECT_EQ(*store->record_count(), 2u);
    EXPECT_EQ(fold(*open({{}, 1})), std::vector<uint64_t>{3});
}

TEST_F(StoreRetention_Behaviour, FoldsAgainOnlyWhatIsKept) {
    for (uint64_t id = 1; id <= 5; ++id)
        append_call(*journal_, id, now() - (5 - static_cast<int64_t>(id)) * 86'400 - 60);
    const RecordsKept kept{hours(80), 3};
    const std::vector<uint64_t> before = fold(*open(kept));
    EXPECT_EQ(before, (std::vector<uint64_t>{3, 4, 5}));
    delete_records();
    {
        auto store = open(kept);
        fold(*store);
        EXPECT_EQ(fold(*store), before);
    }
    auto store = open(kept);
    EXPECT_EQ(store->fold(FoldMode::Now).events, 0u);
    EXPECT_EQ(fold(*store), before);
}

TEST_F(StoreRetention_Behaviour, WhatItRemovedIsNotFoldedAgainAtTheNextStart) {
    for (uint64_t id = 1; id <= 5; ++id) append_call(*journal_, id, now());
    fold(*open({{}, 2}));
    auto store = open({{}, 2});
    EXPECT_EQ(store->fold(FoldMode::Now).events, 0u);
    EXPECT_EQ(*store->record_count(), 2u);
}

TEST_F(StoreRetention_Behaviour, RecordsDeletedDuringARefoldComeBackAtTheNextStart) {
    for (uint64_t id = 1; id <= 5; ++id) append_call(*journal_, id, now());
    fold(*open({}));
    delete_records();
    {
        auto store = open({});
        store->fold(FoldMode::Now);
        delete_records();
        fold(*store);
    }
    EXPECT_EQ(fold(*open({})).size(), 5u);
}

TEST_F(StoreRetention_Behaviour, TheMemoryEngineForgetsTheSame) {
    append_call(*journal_, 1, now() - 3 * 86'400);
    for (uint64_t id = 2; id <= 5; ++id) append_call(*journal_, id, now());
    StoreOptions options;
    options.data_dir = directory_.path();
    options.records_kept = {hours(48), 3};
    auto store = std::move(*open_memory_store(options));
    EXPECT_EQ(fold(*store), (std::vector<uint64_t>{3, 4, 5}));
    EXPECT_EQ(removed(*store), 2u);
}

}  // namespace
}  // namespace signalbox::store
