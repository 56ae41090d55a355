// What the database alone promises: bindings, refolding, a journal that may go, locks, a full disk.
// Not covered: the contract of both engines (store_test.cpp), a damaged database file.
#include <sys/resource.h>

#include <csignal>
#include <filesystem>

#include <gtest/gtest.h>

#include "base/byte_io.h"
#include "store/fold_rows.h"
#include "store/journal_files.h"
#include "store/record_rows.h"
#include "store/schema.h"
#include "tests/store/store_opener.h"

namespace signalbox::store {
namespace {

std::vector<std::string> contacts(Store& store) {
    std::vector<std::string> all;
    const auto bindings = store.load_bindings();
    EXPECT_TRUE(bindings);
    for (const ports::BindingsEvent& event : *bindings) {
        for (const ports::BindingRecord& binding : event.bindings) {
            all.push_back(event.aor + "=" + binding.contact);
        }
    }
    return all;
}

class SqliteStore_Behaviour : public testing::Test {
 protected:
    std::unique_ptr<Store> open() { return open_store(directory_, Engine::Sqlite); }
    void execute(const std::string& sql) {
        auto database = open_database(directory_.path(), kCommandBusyTimeout);
        ASSERT_TRUE(database);
        const auto done = (*database)->execute(sql);
        ASSERT_TRUE(done) << done.error().text;
    }
    using Carried = std::vector<std::pair<uint64_t, std::string>>;
    /// The calls that the database carries, with their events.
    Carried carried() {
        Carried all;
        auto database = open_database(directory_.path(), kCommandBusyTimeout);
        const auto calls = read_open_calls(**database);
        EXPECT_TRUE(calls);
        for (const CarriedCall& call : *calls) all.emplace_back(call.id, call.events);
        return all;
    }
    static Carried events_of(uint64_t call, const std::vector<std::string>& encoded) {
        std::string events;
        for (const std::string& event : encoded) ByteWriter(events).text(event);
        return {{call, events}};
    }
    void remove_database() {
        for (const char* suffix : {"", "-wal", "-shm"}) {
            std::filesystem::remove(database_path(directory_.path()) + suffix);
        }
    }
    TemporaryDirectory directory_;
};

TEST_F(SqliteStore_Behaviour, KeepsTheLatestBindings) {
    auto journal = open_journal(directory_);
    auto store = open();
    journal->append(bound("alice", "sip:alice@192.0.2.1"));
    journal->append(bound("bob", "sip:bob@192.0.2.2"));
    fold_all(*store);
    journal->append(bound("alice", "sip:alice@192.0.2.3"));
    journal->append(bound("bob", ""));
    fold_all(*store);
    EXPECT_EQ(contacts(*store), std::vector<std::string>{"alice=sip:alice@192.0.2.3"});
    EXPECT_EQ(contacts(*open()), std::vector<std::string>{"alice=sip:alice@192.0.2.3"});
}

TEST_F(SqliteStore_Behaviour, TakesTheLaterRunsBindingsWhateverTheClockAndTheShardSay) {
    open_journal(directory_, 1, 3)->append(bound("alice", "sip:old@192.0.2.1", 1000));
    open_journal(directory_, 2, 0)->append(bound("alice", "sip:new@192.0.2.1", 0));
    auto store = open();
    fold_all(*store);
    EXPECT_EQ(contacts(*store), std::vector<std::string>{"alice=sip:new@192.0.2.1"});
}

TEST_F(SqliteStore_Behaviour, FoldsDeletedRecordsAgain) {
    auto journal = open_journal(directory_);
    {
        auto store = open();
        for (uint64_t id = 1; id <= 20; ++id) append_call(*journal, id, static_cast<int64_t>(id));
        fold_all(*store);
    }
    const auto before = open()->records({});
    execute("DELETE FROM records WHERE id % 3 = 0");
    auto store = open();
    EXPECT_EQ(fold_all(*store).records, 6u);
    const auto after = store->records({});
    ASSERT_EQ(after->size(), before->size());
    for (size_t i = 0; i < after->size(); ++i) {
        EXPECT_EQ(after->at(i).id, before->at(i).id);
        EXPECT_EQ(after->at(i).ended, before->at(i).ended);
        EXPECT_EQ(after->at(i).talk_ms, before->at(i).talk_ms);
    }
    EXPECT_EQ(fold_all(*open()).events, 0u);
}

TEST_F(SqliteStore_Behaviour, MakesRecordsAndBindingsAgainWhenTheWholeDatabaseIsGone) {
    auto journal = open_journal(directory_);
    {
        auto store = open();
        append_call(*journal, 1, 0);
        journal->append(bound("alice", "sip:alice@192.0.2.1"));
        journal->append(started(2, 5));
        fold_all(*store);
    }
    remove_database();
    auto store = open();
    fold_all(*store);
    EXPECT_EQ(ids(*store), std::vector<uint64_t>{1});
    EXPECT_EQ(contacts(*store), std::vector<std::string>{"alice=sip:alice@192.0.2.1"});
    EXPECT_EQ(store->open_calls().size(), 1u);
}

TEST_F(SqliteStore_Behaviour, AsksNoMoreForRecordsThatTheJournalHasForgotten) {
    {
        auto journal = open_journal(directory_);
        auto store = open();
        append_call(*journal, 1, 0);
        fold_all(*store);
    }
    std::filesystem::remove_all(directory_.path() + "/journal");
    execute("DELETE FROM records");
    fold_all(*open());
    auto journal = open_journal(directory_, 2);
    append_call(*journal, 2, 10);
    auto store = open();
    EXPECT_EQ(fold_all(*store).events, 3u);
    EXPECT_EQ(ids(*store), std::vector<uint64_t>{2});
}

TEST_F(SqliteStore_Behaviour, CarriesALongCallSoThatTheJournalNeedNotWaitForIt) {
    auto journal = open_journal(directory_);
    auto store = open();
    journal->append(started(1, 0));
    fold_all(*store);
    const std::string filler = bound("alice", "sip:" + std::string(100'000, 'x') + "@192.0.2.1");
    for (int i = 0; i < 40; ++i) journal->append(filler);
    fold_all(*store);
    std::filesystem::remove(segment_path(directory_.path(), 0, 1));
    store = open();
    ASSERT_EQ(store->open_calls().size(), 1u);
    EXPECT_EQ(store->highest_call(), 1u);
    journal->append(answered(1, 5));
    fold_all(*store);
    store = open();
    journal->append(ended(1, 9));
    fold_all(*store);
    ASSERT_EQ(ids(*store), std::vector<uint64_t>{1});
    EXPECT_EQ(store->records({})->front().talk_ms, 4000u);
    EXPECT_TRUE(open()->open_calls().empty());
}

TEST_F(SqliteStore_Behaviour, CarriesTheEventsOfACallButThoseThatAreIgnored) {
    auto journal = open_journal(directory_);
    auto store = open();
    journal->append(started(1, 0));
    const std::string filler = bound("alice", "sip:" + std::string(100'000, 'x') + "@192.0.2.1");
    const auto fill = [&] {
        for (int i = 0; i < 40; ++i) journal->append(filler);
    };
    fill();
    fold_all(*store);
    EXPECT_EQ(carried(), events_of(1, {started(1, 0)}));
    journal->append(started(1, 4));
    journal->append(answered(2, 4));
    journal->append(answered(1, 5).substr(0, 60));
    journal->append(answered(1, 6));
    fill();
    fold_all(*store);
    EXPECT_EQ(carried(), events_of(1, {started(1, 0), answered(1, 6)}));
    store = open();
    journal->append(answered(1, 7));
    fold_all(*store);
    EXPECT_EQ(carried(), events_of(1, {started(1, 0), answered(1, 6), answered(1, 7)}));
}

TEST_F(SqliteStore_Behaviour, WaitsForALockedDatabaseAndLosesNothing) {
    auto journal = open_journal(directory_);
    auto store = open();
    auto locker = open_database(directory_.path(), kCommandBusyTimeout);
    ASSERT_TRUE((*locker)->execute("BEGIN IMMEDIATE"));
    append_call(*journal, 1, 0);
    const FoldReport report = store->fold(FoldMode::Now);
    EXPECT_TRUE(report.is_behind);
    EXPECT_NE(report.trouble.find("is locked by another program"), std::string::npos);
    append_call(*journal, 2, 5);
    ASSERT_TRUE((*locker)->execute("COMMIT"));
    EXPECT_EQ(fold_all(*store).trouble, "");
    EXPECT_EQ(ids(*store), (std::vector<uint64_t>{1, 2}));
    Counters counters;
    store->add_counters(counters);
    EXPECT_EQ(counters.value(Counter::store_write_failures_total), 1u);
}

/// Files of this process cannot grow while it lives: what a full disk does to the database.
class NoRoom final {
 public:
    NoRoom() {
        ::getrlimit(RLIMIT_FSIZE, &before_);
        handler_ = std::signal(SIGXFSZ, SIG_IGN);
        const rlimit none{1024, before_.rlim_max};
        ::setrlimit(RLIMIT_FSIZE, &none);
    }
    ~NoRoom() {
        ::setrlimit(RLIMIT_FSIZE, &before_);
        std::signal(SIGXFSZ, handler_);
    }
    NoRoom(const NoRoom&) = delete;
    NoRoom& operator=(const NoRoom&) = delete;

 private:
    rlimit before_{};
    void (*handler_)(int) = nullptr;
};

TEST_F(SqliteStore_Behaviour, WritesLaterWhatFoundNoRoomOnTheDisk) {
    auto journal = open_journal(directory_);
    auto store = open();
    fold_all(*store);
    for (uint64_t id = 1; id <= 100; ++id) append_call(*journal, id, static_cast<int64_t>(id));
    {
        const NoRoom no_room;
        const FoldReport report = store->fold(FoldMode::Now);
        EXPECT_TRUE(report.is_behind);
        EXPECT_NE(report.trouble, "");
    }
    EXPECT_EQ(fold_all(*store).trouble, "");
    EXPECT_EQ(*store->record_count(), 100u);
}

TEST_F(SqliteStore_Behaviour, RefusesADatabaseOfANewerProgram) {
    open();
    execute("PRAGMA user_version = 99");
    StoreOptions options;
    options.data_dir = directory_.path();
    const auto store = open_sqlite_store(options);
    ASSERT_FALSE(store);
    EXPECT_NE(store.error().text.find("newer signalbox"), std::string::npos);
}

TEST_F(SqliteStore_Behaviour, LetsNobodyElseReadItsFiles) {
    auto store = open();
    for (const auto& entry : std::filesystem::directory_iterator(directory_.path())) {
        const auto others = std::filesystem::perms::group_all | std::filesystem::perms::others_all;
        EXPECT_EQ(entry.status().permissions() & others, std::filesystem::perms::none)
            << entry.path();
    }
}

TEST_F(SqliteStore_Behaviour, TrimsTheJournalWhenItIsFolded) {
    auto journal = open_journal(directory_);
    StoreOptions options;
    options.data_dir = directory_.path();
    options.journal_keep_bytes = 0;
    auto store = std::move(*open_sqlite_store(options));
    const std::string filler = bound("alice", "sip:" + std::string(100'000, 'x') + "@192.0.2.1");
    for (int i = 0; i < 40; ++i) journal->append(filler);
    fold_all(*store);
    EXPECT_EQ(segment_sequences(directory_.path(), 0).size(), 1u);
}

}  // namespace
}  // namespace signalbox::store
