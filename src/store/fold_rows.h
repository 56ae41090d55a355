// What the fold of the journal writes in one transaction, and what it finds again after a restart.
#pragma once

#include <map>
#include <memory>
#include <vector>

#include "store/journal_folder.h"
#include "store/record_rows.h"
#include "store/sqlite.h"

namespace signalbox::store {

/// Applies batches to the database: all of one or nothing of it, and its places in the journal with
/// it.
class FoldWriter final {
 public:
    /// `database` must outlive the writer.
    static Outcome<std::unique_ptr<FoldWriter>> prepare(sqlite::Database& database);

    /// Returns how many records were new. On a failure nothing was changed: the same batch may be
    /// applied again.
    Outcome<uint64_t> apply(const FoldBatch& batch);
    /// The same for records alone, without any places: for what is folded a second time.
    Outcome<uint64_t> apply_records(const std::vector<cdr::CallEvents>& ended);

 private:
    FoldWriter(sqlite::Database& database, RecordWriter records)
        : database_(database), records_(std::move(records)) {}
    Outcome<void> prepare_statements();
    uint64_t write(const FoldBatch& batch);
    void write_bindings(const FoldBatch& batch);
    void write_places(const FoldBatch& batch);
    void write_open_calls(const FoldBatch& batch);
    void count_new_records(uint64_t written);
    Outcome<uint64_t> commit(uint64_t written);

    sqlite::Database& database_;
    RecordWriter records_;
    sqlite::Statement upsert_bindings_;
    sqlite::Statement delete_bindings_;
    sqlite::Statement upsert_place_;
    sqlite::Statement upsert_open_call_;
    sqlite::Statement delete_open_call_;
    sqlite::Statement add_folded_;
};

Outcome<std::map<uint8_t, FoldedUpTo>> read_places(sqlite::Database& database);
Outcome<std::vector<CarriedCall>> read_open_calls(sqlite::Database& database);
/// How many records should be there but were deleted by somebody.
Outcome<uint64_t> count_missing_records(sqlite::Database& database);
/// Gives up on `count` of them.
Outcome<void> forget_missing_records(sqlite::Database& database, uint64_t count);
/// Removes addresses of record whose last binding ended before `before`.
Outcome<void> remove_expired_bindings(sqlite::Database& database, WallTime before);

}  // namespace signalbox::store
