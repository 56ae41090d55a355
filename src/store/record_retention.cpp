// Which records are kept, and how the others go.
#include "store/record_retention.h"

#include <algorithm>
#include <array>

#include "base/result.h"
#include "store/record_rows.h"

namespace signalbox::store {

namespace {

// Both walk along the index records_by_start and end with their limit.
constexpr std::string_view kCountOld =
    "SELECT count(*) FROM (SELECT 1 FROM records WHERE started_us < ?1 LIMIT ?2)";
constexpr std::string_view kRemoveFirst =
    "DELETE FROM records WHERE id IN (SELECT id FROM records ORDER BY started_us, id LIMIT ?1)";
// What goes here is not missing.
constexpr std::string_view kForget =
    "UPDATE identity SET value = value - ?1 WHERE name = 'records_folded'";

}  // namespace

WallTime kept_since(WallTime now, const RecordsKept& kept) {
    const auto age = std::chrono::duration_cast<WallTime::duration>(kept.age);
    if (age <= WallTime::duration{}) return WallTime::min();
    return now - age;
}

Outcome<std::unique_ptr<RecordRetention>> RecordRetention::prepare(sqlite::Database& database,
                                                                   const RecordsKept& kept) {
    std::unique_ptr<RecordRetention> retention(new RecordRetention(database, kept));
    TRY(retention->prepare_statements());
    return retention;
}

Outcome<void> RecordRetention::prepare_statements() {
    struct Wanted {
        sqlite::Statement* statement;
        std::string_view sql;
    };
    const std::array wanted{Wanted{&count_old_, kCountOld}, Wanted{&remove_first_, kRemoveFirst},
                            Wanted{&forget_, kForget}};
    for (const Wanted& one : wanted) {
        auto statement = database_.prepare(one.sql);
        if (!statement) return tl::unexpected(statement.error());
        *one.statement = std::move(*statement);
    }
    return {};
}

Outcome<uint64_t> RecordRetention::count_due(WallTime now) {
    uint64_t due = 0;
    if (kept_.count != 0) {
        const auto present = count_records(database_);
        if (!present) return tl::unexpected(present.error());
        if (*present > kept_.count) due = std::min(*present - kept_.count, kBatch);
    }
    const WallTime since = kept_since(now, kept_);
    if (since == WallTime::min() || due == kBatch) return due;
    database_.clear();
    count_old_.reset().bind(int64_t{since.time_since_epoch().count()}).bind(kBatch);
    if (count_old_.step()) due = std::max(due, count_old_.natural(0));
    count_old_.reset();
    if (!database_.is_ok()) return tl::unexpected(database_.trouble());
    return due;
}

Outcome<uint64_t> RecordRetention::remove_batch(WallTime now) {
    const auto due = count_due(now);
    if (!due || *due == 0) return due;
    database_.clear();
    TRY(database_.execute("BEGIN IMMEDIATE"));
    uint64_t removed = 0;
    if (remove_first_.reset().bind(*due).run()) {
        removed = static_cast<uint64_t>(database_.changes());
        forget_.reset().bind(removed).run();
    }
    if (database_.is_ok() && database_.execute("COMMIT")) return removed;
    const Failure trouble = database_.trouble();
    // Some failures have ended the transaction already: this one may fail, and it does not matter.
    static_cast<void>(database_.execute("ROLLBACK"));
    return tl::unexpected(trouble);
}

}  // namespace signalbox::store
