// Call records and bindings as rows of the database.
#pragma once

#include <vector>

#include "cdr/call_events.h"
#include "store/sqlite.h"
#include "store/store.h"

namespace signalbox::store {

/// Writes the records of ended calls that are not there yet; one that is there stays as it is.
class RecordWriter final {
 public:
    static Outcome<RecordWriter> prepare(sqlite::Database& database);
    /// The number of rows that were new. Within the caller's transaction; see Database::is_ok()
    /// afterwards.
    uint64_t write(const std::vector<cdr::CallEvents>& ended);

 private:
    RecordWriter(sqlite::Database& database, sqlite::Statement insert)
        : database_(&database), insert_(std::move(insert)) {}
    sqlite::Database* database_;
    sqlite::Statement insert_;
};

/// One page of records (RecordQuery).
Outcome<std::vector<ports::CallRecord>> read_records(sqlite::Database& database,
                                                     const RecordQuery& query);
/// How many records there are. One lookup, however many.
Outcome<uint64_t> count_records(sqlite::Database& database);
/// 0: there is no record.
Outcome<uint64_t> highest_record(sqlite::Database& database);
/// All rows of bindings, decoded; one that cannot be decoded is left out.
Outcome<std::vector<ports::BindingsEvent>> read_bindings(sqlite::Database& database);

}  // namespace signalbox::store
