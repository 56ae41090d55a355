// The store in SQLite: one connection folds the journal with group commits, another one answers
// questions.
#include <atomic>
#include <chrono>
#include <mutex>
#include <optional>

#include "base/result.h"
#include "store/fold_rows.h"
#include "store/journal_files.h"
#include "store/record_retention.h"
#include "store/record_rows.h"
#include "store/schema.h"
#include "store/store.h"
#include "store/user_rows.h"
#include "store/wall_clock.h"

namespace signalbox::store {

namespace {

using Clock = std::chrono::steady_clock;

/// How long the fold waits for a lock, and how long a question does.
constexpr std::chrono::milliseconds kFoldBusyTimeout{200};
/// A lazy fold commits when this many events wait or this much time went by.
constexpr uint64_t kEventsPerCommit = 4096;
constexpr std::chrono::milliseconds kCommitInterval{1000};
/// What one call of fold() may take, and what it reads between two looks at the clock.
constexpr std::chrono::milliseconds kFoldTimeMax{1000};
constexpr uint64_t kEventsPerRead = 16'384;
constexpr std::chrono::milliseconds kBackOffMin{100};
constexpr std::chrono::milliseconds kBackOffMax{5000};
/// Rows of bindings are kept this long after the last one expired.
constexpr std::chrono::hours kExpiredBindingsKept{24};
/// Old records: how often they are looked for, and what one call of fold() may spend on them.
constexpr std::chrono::seconds kRetentionInterval{10};
constexpr std::chrono::milliseconds kRetentionTimeMax{50};
/// Old segments of the journal are looked for at each change of segments, and this often.
constexpr std::chrono::hours kTrimInterval{1};

class SqliteStore final : public Store {
 public:
    static Outcome<std::unique_ptr<Store>> open(const StoreOptions& options);

    Outcome<UserChanges> load_users() override { return users_after(0); }
    Outcome<UserChanges> users_changed_since(uint64_t version) override;
    Outcome<std::vector<ports::BindingsEvent>> load_bindings() override {
        return read_bindings(*database_);
    }
    std::vector<ports::OpenCall> open_calls() const override { return folder_->open_calls(); }
    Outcome<uint64_t> highest_call() override;
    FoldReport fold(FoldMode mode) override;
    Outcome<std::vector<ports::CallRecord>> records(const RecordQuery& query) override {
        const std::lock_guard lock(reader_mutex_);
        return read_records(*reader_, query);
    }
    Outcome<uint64_t> record_count() override {
        const std::lock_guard lock(reader_mutex_);
        return count_records(*reader_);
    }
    void add_counters(Counters& into) const override {
        into.add(Counter::store_write_failures_total, failures_.load(std::memory_order_relaxed));
        into.add(Counter::records_written_total, written_.load(std::memory_order_relaxed));
        into.add(Counter::records_removed_total, removed_.load(std::memory_order_relaxed));
        damaged_.add_counters(into);
    }

 private:
    explicit SqliteStore(const StoreOptions& options) : options_(options) {}
    Outcome<void> begin_fold();
    Outcome<void> begin_refold_when_records_are_missing();
    Outcome<UserChanges> users_after(uint64_t version);
    bool is_commit_due(FoldMode mode, Clock::time_point now) const;
    bool write(FoldReport& report);
    bool write_refold(FoldReport& report);
    bool end_refold(FoldReport& report);
    void remove_old_records(FoldMode mode);
    void note_failure(const Failure& trouble, FoldReport& report);
    void note_success(uint64_t written, FoldReport& report);
    void tell_damage(JournalFolder& folder, FoldReport& report);
    void trim();

    StoreOptions options_;
    std::unique_ptr<sqlite::Database> database_;  // the store's thread
    sqlite::Statement data_version_;
    std::optional<int64_t> last_data_version_;
    std::unique_ptr<FoldWriter> writer_;
    std::optional<JournalFolder> folder_;
    DamagedPlaces damaged_;
    std::optional<FoldBatch> unwritten_;  // what a failed transaction held
    std::optional<JournalFolder> refold_;
    std::optional<FoldBatch> refold_unwritten_;
    uint64_t refold_missing_ = 0;
    std::unique_ptr<RecordRetention> retention_;
    Clock::time_point next_retention_{};
    std::map<uint8_t, JournalPosition> trimmed_at_;
    Clock::time_point next_trim_{};
    Clock::time_point last_commit_{};
    Clock::time_point next_try_{};
    std::chrono::milliseconds back_off_ = kBackOffMin;
    std::string trouble_;

    std::mutex reader_mutex_;
    std::unique_ptr<sqlite::Database> reader_;  // guarded by reader_mutex_

    std::atomic<uint64_t> failures_{0};
    std::atomic<uint64_t> written_{0};
    std::atomic<uint64_t> removed_{0};
};

Outcome<std::unique_ptr<Store>> SqliteStore::open(const StoreOptions& options) {
    std::unique_ptr<SqliteStore> store(new SqliteStore(options));
    auto database = open_database(options.data_dir, kCommandBusyTimeout);
    if (!database) return tl::unexpected(database.error());
    store->database_ = std::move(*database);
    auto reader = open_database(options.data_dir, kCommandBusyTimeout);
    if (!reader) return tl::unexpected(reader.error());
    store->reader_ = std::move(*reader);
    TRY(store->reader_->execute("PRAGMA query_only = 1"));
    auto data_version = store->database_->prepare("PRAGMA data_version");
    if (!data_version) return tl::unexpected(data_version.error());
    store->data_version_ = std::move(*data_version);
    auto writer = FoldWriter::prepare(*store->database_);
    if (!writer) return tl::unexpected(writer.error());
    store->writer_ = std::move(*writer);
    auto retention = RecordRetention::prepare(*store->database_, options.records_kept);
    if (!retention) return tl::unexpected(retention.error());
    store->retention_ = std::move(*retention);
    TRY(remove_expired_bindings(*store->database_, wall_now() - kExpiredBindingsKept));
    TRY(store->begin_fold());
    TRY(store->begin_refold_when_records_are_missing());
    TRY(store->database_->execute("PRAGMA busy_timeout = " +
                                  std::to_string(kFoldBusyTimeout.count())));
    return store;
}

Outcome<void> SqliteStore::begin_fold() {
    auto places = read_places(*database_);
    if (!places) return tl::unexpected(places.error());
    const auto carried = read_open_calls(*database_);
    if (!carried) return tl::unexpected(carried.error());
    folder_.emplace(
        JournalFolder::Options{options_.data_dir, std::move(*places), std::nullopt, true});
    for (const CarriedCall& call : *carried) folder_->restore(call);
    return {};
}

Outcome<void> SqliteStore::begin_refold_when_records_are_missing() {
    const auto missing = count_missing_records(*database_);
    if (!missing) return tl::unexpected(missing.error());
    if (*missing == 0) return {};
    refold_missing_ = *missing;
    refold_.emplace(JournalFolder::Options{options_.data_dir, {}, folder_->positions(), false});
    return {};
}

Outcome<UserChanges> SqliteStore::users_after(uint64_t version) {
    UserChanges changes;
    const auto latest = last_user_change(*database_);
    if (!latest) return tl::unexpected(latest.error());
    changes.version = *latest;
    if (*latest <= version && version != 0) return changes;
    auto users = read_users(*database_, version, RemovedUsers::Included);
    if (!users) return tl::unexpected(users.error());
    changes.users = std::move(*users);
    return changes;
}

Outcome<UserChanges> SqliteStore::users_changed_since(uint64_t version) {
    if (!data_version_.reset().step()) return tl::unexpected(database_->trouble());
    const int64_t now = data_version_.integer(0);
    data_version_.reset();
    if (last_data_version_ == now) return UserChanges{{}, version};
    auto changes = users_after(version);
    if (changes) last_data_version_ = now;
    return changes;
}

Outcome<uint64_t> SqliteStore::highest_call() {
    TRY_ASSIGN(recorded, highest_record(*database_));
    return std::max(recorded, folder_->highest_call());
}

bool SqliteStore::is_commit_due(FoldMode mode, Clock::time_point now) const {
    if (mode == FoldMode::Now) return true;
    if (now < next_try_) return false;
    return unwritten_ || folder_->pending_events() >= kEventsPerCommit ||
           now - last_commit_ >= kCommitInterval;
}

FoldReport SqliteStore::fold(FoldMode mode) {
    FoldReport report;
    const Clock::time_point begin = Clock::now();
    for (;;) {
        const Clock::time_point now = Clock::now();
        if (now - begin >= kFoldTimeMax) {
            report.is_behind = true;
            break;
        }
        // While a batch cannot be written nothing more is read: the journal keeps it.
        bool is_all_read = false;
        if (!unwritten_ && folder_->pending_events() < kEventsPerRead)
            is_all_read = folder_->read(kEventsPerRead) < kEventsPerRead;
        if (!unwritten_ && folder_->pending_events() == 0) break;
        if (!is_commit_due(mode, now)) {
            report.is_behind = unwritten_.has_value();
            break;
        }
        if (!write(report)) break;
        // What comes meanwhile waits for the next time: a busy journal is not read event by event.
        if (is_all_read) break;
    }
    if (refold_ && report.trouble.empty() && !report.is_behind) {
        if (Clock::now() >= next_try_ || mode == FoldMode::Now) write_refold(report);
    }
    tell_damage(*folder_, report);
    if (refold_) tell_damage(*refold_, report);
    if (report.trouble.empty() && unwritten_) report.trouble = trouble_;
    if (report.trouble.empty()) {
        remove_old_records(mode);
        trim();
    }
    return report;
}

bool SqliteStore::write(FoldReport& report) {
    if (!unwritten_) unwritten_ = folder_->take_batch();
    const auto written = writer_->apply(*unwritten_);
    if (!written) {
        note_failure(written.error(), report);
        return false;
    }
    report.events += unwritten_->events;
    note_success(*written, report);
    unwritten_.reset();
    last_commit_ = Clock::now();
    return true;
}

bool SqliteStore::write_refold(FoldReport& report) {
    if (!refold_unwritten_) {
        if (!refold_->read(kEventsPerRead)) return end_refold(report);
        refold_unwritten_ = refold_->take_batch();
        const WallTime since = kept_since(wall_now(), options_.records_kept);
        std::erase_if(refold_unwritten_->ended,
                      [since](const cdr::CallEvents& call) { return call.started() < since; });
    }
    const auto written = writer_->apply_records(refold_unwritten_->ended);
    if (!written) {
        note_failure(written.error(), report);
        return false;
    }
    report.events += refold_unwritten_->events;
    note_success(*written, report);
    refold_unwritten_.reset();
    report.is_behind = true;
    return true;
}

bool SqliteStore::end_refold(FoldReport& report) {
    // What the retained journal does not tell any more is gone for good.
    const auto forgotten = forget_missing_records(*database_, refold_missing_);
    if (!forgotten) {
        note_failure(forgotten.error(), report);
        return false;
    }
    tell_damage(*refold_, report);
    refold_.reset();
    return true;
}

/// A failure is not worth a word: where the database cannot be written, the fold says so.
void SqliteStore::remove_old_records(FoldMode mode) {
    const Clock::time_point begin = Clock::now();
    if (begin < next_retention_ && mode != FoldMode::Now) return;
    const WallTime now = wall_now();
    while (Clock::now() - begin < kRetentionTimeMax) {
        const auto removed = retention_->remove_batch(now);
        if (!removed) failures_.fetch_add(1, std::memory_order_relaxed);
        if (removed) removed_.fetch_add(*removed, std::memory_order_relaxed);
        if (removed && *removed == RecordRetention::kBatch) continue;
        next_retention_ = begin + kRetentionInterval;
        return;
    }
}

void SqliteStore::note_failure(const Failure& trouble, FoldReport& report) {
    failures_.fetch_add(1, std::memory_order_relaxed);
    trouble_ = trouble.text;
    report.trouble = trouble.text;
    report.is_behind = true;
    next_try_ = Clock::now() + back_off_;
    back_off_ = std::min(back_off_ * 2, kBackOffMax);
}

void SqliteStore::note_success(uint64_t written, FoldReport& report) {
    written_.fetch_add(written, std::memory_order_relaxed);
    report.records += written;
    back_off_ = kBackOffMin;
    next_try_ = {};
}

void SqliteStore::tell_damage(JournalFolder& folder, FoldReport& report) {
    for (JournalDamage& told : damaged_.note(folder.take_damage())) {
        report.damage.push_back(std::move(told));
    }
}

void SqliteStore::trim() {
    // Only a change of segments can make one superfluous, or time.
    std::map<uint8_t, JournalPosition> places = folder_->positions();
    for (auto& [shard, place] : places) place.offset = 0;
    const Clock::time_point now = Clock::now();
    if ((places == trimmed_at_ && now < next_trim_) || refold_) return;
    trimmed_at_ = places;
    next_trim_ = now + kTrimInterval;
    const auto folded = read_places(*database_);
    if (!folded) return;
    std::map<uint8_t, JournalPosition> needed;
    for (const auto& [shard, up_to] : *folded)
        needed[shard] = std::min(up_to.bindings, up_to.records);
    const JournalKept kept{options_.journal_keep_bytes,
                           kept_since(wall_now(), options_.records_kept)};
    trim_journal(options_.data_dir, kept, needed);
}

}  // namespace

Outcome<std::unique_ptr<Store>> open_sqlite_store(const StoreOptions& options) {
    return SqliteStore::open(options);
}

}  // namespace signalbox::store
