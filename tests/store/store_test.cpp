// The contract of store/store, which both engines keep.
// Covered: folding, idempotence, shard changes, open calls, pages, users. Not covered: what one
// engine alone promises (memory_store_test.cpp, sqlite_store_test.cpp).
#include "store/store.h"

#include <algorithm>
#include <fstream>

#include <gtest/gtest.h>

#include "store/user_accounts.h"
#include "tests/store/store_opener.h"

namespace signalbox::store {
namespace {

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

TEST_P(Store_Behaviour, KnowsTheHighestNumberOfACallWhetherItHasEndedOrNot) {
    auto journal = open_journal(directory_);
    auto store = open();
    EXPECT_EQ(store->highest_call(), 0u);
    append_call(*journal, 7, 0);
    append_call(*journal, 5, 1);
    fold_all(*store);
    EXPECT_EQ(store->highest_call(), 7u);
    store = open();
    fold_all(*store);
    EXPECT_EQ(store->highest_call(), 7u);
    journal->append(started(9, 5));
    fold_all(*store);
    EXPECT_EQ(store->highest_call(), 9u);
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

TEST_P(Store_Behaviour, SaysWhoWasRemovedAndWhatHeHadBeenGranted) {
    if (GetParam() != Engine::Sqlite) return;  // the other keeps neither bindings nor grants
    auto accounts = UserAccounts::open(directory_.path());
    ports::UserRecord user = make_user("alice", "secret", {"example.test", "example.test"});
    user.addresses = {"+15550100"};
    ASSERT_TRUE(accounts->put(user));
    ASSERT_TRUE(*accounts->remove("alice"));
    auto store = open();
    const auto users = store->load_users();
    ASSERT_EQ(users->users.size(), 1u);
    EXPECT_TRUE(users->users[0].is_removed);
    EXPECT_EQ(users->users[0].addresses, user.addresses);
    EXPECT_TRUE(users->users[0].ha1.plain[0].empty());
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

}  // namespace
}  // namespace signalbox::store
