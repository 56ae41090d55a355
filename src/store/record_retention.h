// Which records are kept, and how the others go: those of the calls that began first, a batch at a
// time.
#pragma once

#include <memory>

#include "base/time.h"
#include "store/sqlite.h"
#include "store/store.h"

namespace signalbox::store {

/// What began before this is too old to be kept: an age of 0 makes nothing too old.
WallTime kept_since(WallTime now, const RecordsKept& kept);

/// Used by the store's thread. Records go in the order in which their calls began, whoever asks:
/// what is left are the latest ones, and none that is too old.
class RecordRetention final {
 public:
    /// Rows that one transaction removes: some 30 ms of the database's time among two million.
    static constexpr uint64_t kBatch = 500;

    /// `database` must outlive the retention.
    static Outcome<std::unique_ptr<RecordRetention>> prepare(sqlite::Database& database,
                                                             const RecordsKept& kept);

    /// Removes at most kBatch records that are too old or too many at `now`, in one transaction.
    /// Returns how many went: fewer than kBatch when no more is due. On a failure nothing was
    /// changed. Costs two lookups when nothing is due.
    Outcome<uint64_t> remove_batch(WallTime now);

 private:
    RecordRetention(sqlite::Database& database, const RecordsKept& kept)
        : database_(database), kept_(kept) {}
    Outcome<void> prepare_statements();
    Outcome<uint64_t> count_due(WallTime now);

    sqlite::Database& database_;
    RecordsKept kept_;
    sqlite::Statement count_old_;
    sqlite::Statement remove_first_;
    sqlite::Statement forget_;
};

}  // namespace signalbox::store
