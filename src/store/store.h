// What the server keeps beyond a restart, as an interface: users, bindings, records, and the fold
// of the journal that makes them.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/counters.h"
#include "base/time.h"
#include "ports/call_record.h"
#include "ports/journal_event.h"
#include "ports/user_record.h"
#include "store/journal_damage.h"
#include "store/outcome.h"

namespace signalbox::store {

/// Which records stay: of calls that began no longer ago than `age`, and of these the last `count`.
/// 0: no such limit.
struct RecordsKept {
    Duration age{};
    uint64_t count = 0;
};

struct StoreOptions {
    std::string data_dir;
    std::string users_file;  // memory engine: lines of user,password; empty: no users
    std::string realm;       // memory engine: for which HA1s are made
    std::string domain;      // memory engine: for HA1s of user@domain
    uint64_t journal_keep_bytes = uint64_t{10} << 30;
    RecordsKept records_kept;
};

/// Users that changed, removed ones with is_removed; `version` goes into the next question.
struct UserChanges {
    std::vector<ports::UserRecord> users;
    uint64_t version = 0;
};

enum class RecordOrder : uint8_t { OldestFirst, NewestFirst };
struct RecordQuery {
    uint64_t after = 0;    // the id of the last record of the previous page; 0: the first page
    uint32_t limit = 500;  // at most kRecordPageMax
    RecordOrder order = RecordOrder::OldestFirst;  // by the start of the call
};
inline constexpr uint32_t kRecordPageMax = 5000;

/// Lazy: commits when much or something old waits. Now: everything that stood in the journal when
/// fold() was called is in the store when it returns with is_behind false.
enum class FoldMode : uint8_t { Lazy, Now };
struct FoldReport {
    uint64_t events = 0;     // read from the journal
    uint64_t records = 0;    // new ones written
    bool is_behind = false;  // more waits: call again (the database is locked or its disk full, or
                             // one batch was not enough)
    std::string trouble;     // a sentence when the store could not be written; empty: all is well
    std::vector<JournalDamage>
        damage;  // the first place of each segment found damaged: for the log
};

/// Threads: everything belongs to one thread (the store's), except records(), record_count() and
/// add_counters(), which anybody may call at any time.
class Store {
 public:
    virtual ~Store() = default;

    /// All users; those of them who were removed may have bindings that have not ended yet.
    virtual Outcome<UserChanges> load_users() = 0;
    /// What changed since `version` of an earlier answer. Cheap when nothing did: call it every
    /// second, and when told that users changed.
    virtual Outcome<UserChanges> users_changed_since(uint64_t version) = 0;
    /// The last known bindings of every address of record, some of which may have expired. Fold
    /// first.
    virtual Outcome<std::vector<ports::BindingsEvent>> load_bindings() = 0;
    /// Calls that began and did not end, as of the last fold.
    virtual std::vector<ports::OpenCall> open_calls() const = 0;
    /// The highest number of a call in the records and in what was read of the journal; 0: none.
    virtual Outcome<uint64_t> highest_call() = 0;

    /// Reads the journal on and writes what follows from it; removes segments that are folded and
    /// past what is to be kept, and records that are too old or too many, little by little. Never
    /// throws and never blocks for more than about a second per call; on trouble it backs off by
    /// itself, counts store_write_failures_total and goes on later where it stood.
    virtual FoldReport fold(FoldMode mode) = 0;

    virtual Outcome<std::vector<ports::CallRecord>> records(const RecordQuery& query) = 0;
    virtual Outcome<uint64_t> record_count() = 0;
    /// Adds store_write_failures_total, records_written_total, records_removed_total,
    /// journal_damaged_total and journal_damaged_bytes_total.
    virtual void add_counters(Counters& into) const = 0;
};

/// data_dir/signalbox.db. Makes it, or brings it up to date. On a start it compares the records
/// that should be there with those that are: when some are missing, it folds the whole retained
/// journal again, little by little with each fold().
Outcome<std::unique_ptr<Store>> open_sqlite_store(const StoreOptions& options);
/// Users of users_file, the last kMemoryRecordsMax records; no bindings from before the start.
Outcome<std::unique_ptr<Store>> open_memory_store(const StoreOptions& options);
inline constexpr size_t kMemoryRecordsMax = 10'000;

}  // namespace signalbox::store
