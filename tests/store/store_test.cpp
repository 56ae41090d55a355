// The contract of store/store for both engines, and what the database alone promises.
// Covered: folding, idempotence, refolding, shard changes, open calls, pages, users, locks. Not
// covered: a damaged database file.
#include "store/store.h"

#include <sys/resource.h>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>

#include "store/journal_files.h"
#include "store/record_rows.h"
#include "store/schema.h"
#include "store/user_accounts.h"
#include "tests/store/event_makers.h"

namespace signalbox::store {
namespace {

enum class Engine : uint8_t { Sqlite, Memory };

std::unique_ptr<Store> open_store(const TemporaryDirectory& directory, Engine engine) {
    StoreOptions options;
    options.data_dir = directory.path();
    options.realm = options.domain = "example.test";
    if (engine == Engine::Memory) options.users_file = directory.path() + "/users.csv";
    auto store = engine == Engine::Sqlite ? open_sqlite_store(options) : open_memory_store(options);
    EXPECT_TRUE(store) << (store ? "" : store.error().text);
    return store ? std::move(*store) : nullptr;
}

FoldReport fold_all(Store& store) {
    FoldReport sum;
    for (int i = 0; i < 100; ++i) {
        const FoldReport report = store.fold(FoldMode::Now);
        sum.events += report.events;
        sum.records += report.records;
        sum.trouble = report.trouble;
        if (!report.is_behind) return sum;
    }
    sum.is_behind = true;
    return sum;
}

std::vector<uint64_t> ids(Store& store, const RecordQuery& query = {}) {
    std::vector<uint64_t> all;
    const auto records = store.records(query);
    EXPECT_TRUE(records) << (records ? "" : records.error().text);
    if (!records) return all;
    for (const ports::CallRecord& record : *records) all.push_back(record.id);
    return all;
}

void append_call(Journal& journal, uint64_t id, int64_t second) {
    journal.append(started(id, second));
    journal.append(answered(id, second + 1));
    journal.append(ended(id, second + 3));
}

class Store_Behaviour : public testing::TestWithParam<Engine> {
 protected:
    Store_Behaviour() { std::ofstream(directory_.path() + "/users.csv"); }
    std::unique_ptr<Store> open() { return open_store(directory_, GetParam()); }
    /// As `signalbox user import` and an editor do it.
    void write_users(const std::string& csv) {
        std::ofstream(directory_.path() + "/users.csv") << csv;
        if (GetParam() == Engine::Memory) return;
        auto accounts = UserAccounts::open(directory_.path());
        ASSERT_TRUE(accounts);
        const auto lines = parse_user_csv(csv);
        ASSERT_TRUE(accounts->import(make_users(*lines, {"example.test", "example.test"})));
        const auto users = accounts->list();
        for (const ports::UserRecord& user : *users) {
            const auto is_listed = [&user](const UserLine& line) { return line.name == user.name; };
            if (std::none_of(lines->begin(), lines->end(), is_listed)) accounts->remove(user.name);
        }
    }
    TemporaryDirectory directory_;
};

TEST_P(Store_Behaviour, MakesOneRecordOfEachCallThatEnded) {
    auto journal = open_journal(directory_);
    auto store = open();
    append_call(*journal, 7, 0);
    const FoldReport report = fold_all(*store);
    EXPECT_EQ(report.events, 3u);
    EXPECT_EQ(report.records, 1u);
    const auto records = store->records({});
    ASSERT_EQ(records->size(), 1u);
    const ports::CallRecord& record = records->front();
    EXPECT_EQ(record.id, 7u);
    EXPECT_EQ(record.call_id, "call-7@192.0.2.1");
    EXPECT_EQ(record.from, "sip:alice@example.test");
    EXPECT_EQ(record.contact, "sip:bob@192.0.2.2");
    EXPECT_EQ(record.started, at_second(0));
    EXPECT_EQ(record.ringing, std::nullopt);
    EXPECT_EQ(record.answered, at_second(1));
    EXPECT_EQ(record.ended, at_second(3));
    EXPECT_EQ(record.talk_ms, 2000u);
    EXPECT_EQ(record.status, 200);
    EXPECT_EQ(record.ended_by, ports::EndedBy::Callee);
    EXPECT_EQ(record.reason, "BYE");
}

TEST_P(Store_Behaviour, CountsRecordsOnce) {
    auto journal = open_journal(directory_);
    auto store = open();
    append_call(*journal, 1, 0);
    fold_all(*store);
    EXPECT_EQ(fold_all(*store).records, 0u);
    Counters counters;
    store->add_counters(counters);
    EXPECT_EQ(counters.value(Counter::records_written_total), 1u);
    EXPECT_EQ(*store->record_count(), 1u);
}

TEST_P(Store_Behaviour, KnowsTheCallsThatAreOpenAlsoAfterARestart) {
    auto journal = open_journal(directory_);
    auto store = open();
    append_call(*journal, 1, 0);
    journal->append(started(2, 5));
    journal->append(answered(2, 6));
    fold_all(*store);
    ASSERT_EQ(store->open_calls().size(), 1u);
    store = open();
    fold_all(*store);
    ASSERT_EQ(store->open_calls().size(), 1u);
    EXPECT_EQ(store->open_calls()[0].id, 2u);
    EXPECT_TRUE(store->open_calls()[0].is_answered);
    journal->append(ended(2, 9));
    fold_all(*store);
    EXPECT_TRUE(store->open_calls().empty());
    EXPECT_EQ(ids(*store), (std::vector<uint64_t>{1, 2}));
}

TEST_P(Store_Behaviour, EndsACallInAnotherShardAfterTheNumberOfShardsChanged) {
    open_journal(directory_, 1, 1)->append(started(1, 0));
    open_journal(directory_, 2, 0)->append(ended(1, 4));
    auto store = open();
    fold_all(*store);
    EXPECT_EQ(ids(*store), std::vector<uint64_t>{1});
}

TEST_P(Store_Behaviour, PagesRecordsByTheirStartBothWays) {
    auto journal = open_journal(directory_);
    auto store = open();
    for (const uint64_t id : {5u, 3u, 9u, 1u})
        append_call(*journal, id, static_cast<int64_t>(10 - id));
    fold_all(*store);
    EXPECT_EQ(ids(*store), (std::vector<uint64_t>{9, 5, 3, 1}));
    EXPECT_EQ(ids(*store, {0, 2, RecordOrder::OldestFirst}), (std::vector<uint64_t>{9, 5}));
    EXPECT_EQ(ids(*store, {5, 2, RecordOrder::OldestFirst}), (std::vector<uint64_t>{3, 1}));
    EXPECT_EQ(ids(*store, {1, 2, RecordOrder::OldestFirst}), std::vector<uint64_t>{});
    EXPECT_EQ(ids(*store, {0, 3, RecordOrder::NewestFirst}), (std::vector<uint64_t>{1, 3, 5}));
    EXPECT_EQ(ids(*store, {5, 3, RecordOrder::NewestFirst}), std::vector<uint64_t>{9});
}

TEST_P(Store_Behaviour, RefusesAPageBehindARecordThatIsNotThere) {
    auto store = open();
    EXPECT_FALSE(store->records({42, 10, RecordOrder::OldestFirst}));
}

TEST_P(Store_Behaviour, ShowsUsersAndTheirChanges) {
    write_users("alice,secret\nbob,other\n");
    auto store = open();
    auto users = store->load_users();
    ASSERT_TRUE(users);
    ASSERT_EQ(users->users.size(), 2u);
    EXPECT_EQ(users->users[0].realm, "example.test");
    EXPECT_EQ(users->users[0].ha1.plain[0].size(), 16u);
    EXPECT_EQ(users->users[0].ha1.plain[2].size(), 32u);
    EXPECT_TRUE(store->users_changed_since(users->version)->users.empty());
    write_users("alice,secret number two\n");
    const auto changes = store->users_changed_since(users->version);
    ASSERT_TRUE(changes);
    bool is_alice_new = false;
    bool is_bob_removed = false;
    for (const ports::UserRecord& user : changes->users) {
        is_alice_new |= user.name == "alice" && !user.is_removed;
        is_bob_removed |= user.name == "bob" && user.is_removed;
    }
    EXPECT_TRUE(is_alice_new);
    EXPECT_TRUE(is_bob_removed);
    EXPECT_TRUE(store->users_changed_since(changes->version)->users.empty());
}

TEST_P(Store_Behaviour, SkipsEventsThatItCannotDecode) {
    auto journal = open_journal(directory_);
    auto store = open();
    journal->append("rubbish");
    append_call(*journal, 1, 0);
    fold_all(*store);
    EXPECT_EQ(ids(*store), std::vector<uint64_t>{1});
}

INSTANTIATE_TEST_SUITE_P(Engines, Store_Behaviour, testing::Values(Engine::Sqlite, Engine::Memory),
                         [](const auto& engine) {
                             return engine.param == Engine::Sqlite ? "Sqlite" : "Memory";
                         });

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
    journal->append(answered(1, 5));
    fold_all(*store);
    store = open();
    journal->append(ended(1, 9));
    fold_all(*store);
    ASSERT_EQ(ids(*store), std::vector<uint64_t>{1});
    EXPECT_EQ(store->records({})->front().talk_ms, 4000u);
    EXPECT_TRUE(open()->open_calls().empty());
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
