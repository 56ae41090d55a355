// Test helper: a store of either engine on a directory, folded until it has taken the whole
// journal.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <vector>

#include "store/store.h"
#include "tests/store/event_makers.h"
#include "tests/store/temporary_directory.h"

namespace signalbox::store {

enum class Engine : uint8_t { Sqlite, Memory };

inline std::unique_ptr<Store> open_store(const TemporaryDirectory& directory, Engine engine) {
    StoreOptions options;
    options.data_dir = directory.path();
    options.realm = options.domain = "example.test";
    if (engine == Engine::Memory) options.users_file = directory.path() + "/users.csv";
    auto store = engine == Engine::Sqlite ? open_sqlite_store(options) : open_memory_store(options);
    EXPECT_TRUE(store) << (store ? "" : store.error().text);
    return store ? std::move(*store) : nullptr;
}

inline FoldReport fold_all(Store& store) {
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

inline std::vector<uint64_t> ids(Store& store, const RecordQuery& query = {}) {
    std::vector<uint64_t> all;
    const auto records = store.records(query);
    EXPECT_TRUE(records) << (records ? "" : records.error().text);
    if (!records) return all;
    for (const ports::CallRecord& record : *records) all.push_back(record.id);
    return all;
}

inline void append_call(Journal& journal, uint64_t id, int64_t second) {
    journal.append(started(id, second));
    journal.append(answered(id, second + 1));
    journal.append(ended(id, second + 3));
}

}  // namespace signalbox::store
