// The store in memory: users from a file, the last records; the journal is folded as for the
// database.
#include <sys/stat.h>

#include <algorithm>
#include <atomic>
#include <map>
#include <mutex>

#include "store/journal_files.h"
#include "store/journal_folder.h"
#include "store/latest_calls.h"
#include "store/record_retention.h"
#include "store/store.h"
#include "store/user_accounts.h"
#include "store/wall_clock.h"

namespace signalbox::store {

namespace {

constexpr uint64_t kEventsPerRead = 16'384;
/// How much of each shard's journal a start reads to find open calls and the last records.
constexpr uint64_t kBytesReadAtStart = uint64_t{128} << 20;

/// Tells whether a file was changed.
struct FileStamp {
    int64_t seconds = 0;
    int64_t nanoseconds = 0;
    int64_t bytes = -1;
    uint64_t inode = 0;
    friend bool operator==(const FileStamp&, const FileStamp&) = default;
};

FileStamp stamp_of(const std::string& path) {
    struct stat status {};
    if (::stat(path.c_str(), &status) != 0) return {};
    return {status.st_mtim.tv_sec, status.st_mtim.tv_nsec, status.st_size, status.st_ino};
}

/// Where to begin to read so that a start takes no longer than a moment.
std::map<uint8_t, FoldedUpTo> last_part_of_journal(const std::string& data_dir) {
    std::map<uint8_t, FoldedUpTo> from;
    for (const uint8_t shard : journal_shards(data_dir)) {
        const auto files = list_segments(data_dir, shard);
        uint64_t bytes = 0;
        for (auto file = files.rbegin(); file != files.rend(); ++file) {
            bytes += file->bytes;
            if (bytes > kBytesReadAtStart) break;
            const JournalPosition begin{file->header.sequence, kFirstFrame};
            from[shard] = {begin, begin};
        }
    }
    return from;
}

class MemoryStore final : public Store {
 public:
    explicit MemoryStore(const StoreOptions& options)
        : options_(options),
          folder_({options.data_dir, last_part_of_journal(options.data_dir), std::nullopt, false}) {
    }

    Outcome<void> load_file();

    Outcome<UserChanges> load_users() override;
    Outcome<UserChanges> users_changed_since(uint64_t version) override;
    Outcome<std::vector<ports::BindingsEvent>> load_bindings() override {
        return std::vector<ports::BindingsEvent>{};
    }
    std::vector<ports::OpenCall> open_calls() const override { return folder_.open_calls(); }
    Outcome<uint64_t> highest_call() override { return folder_.highest_call(); }
    FoldReport fold(FoldMode mode) override;
    Outcome<std::vector<ports::CallRecord>> records(const RecordQuery& query) override;
    Outcome<uint64_t> record_count() override {
        const std::lock_guard lock(mutex_);
        return latest_.in_order().size();
    }
    void add_counters(Counters& into) const override {
        into.add(Counter::records_written_total, written_.load(std::memory_order_relaxed));
        into.add(Counter::records_removed_total, removed_.load(std::memory_order_relaxed));
        damaged_.add_counters(into);
    }

 private:
    struct User {
        ports::UserRecord record;
        uint64_t change = 0;
    };
    void remove_old_records(WallTime since);
    void trim(WallTime since);

    StoreOptions options_;
    JournalFolder folder_;
    DamagedPlaces damaged_;
    std::map<uint8_t, JournalPosition> trimmed_at_;
    std::map<std::string, User> users_;  // removed ones too
    uint64_t last_change_ = 0;
    FileStamp stamp_;

    std::mutex mutex_;
    LatestCalls latest_{kMemoryRecordsMax};  // guarded by mutex_
    std::atomic<uint64_t> written_{0};
    std::atomic<uint64_t> removed_{0};
};

Outcome<void> MemoryStore::load_file() {
    if (options_.users_file.empty()) return {};
    // Noted before it is read: a file that is refused is read again when it has changed.
    stamp_ = stamp_of(options_.users_file);
    const auto lines = read_users_file(options_.users_file);
    if (!lines) return tl::unexpected(lines.error());
    ++last_change_;
    std::map<std::string, User> before;
    before.swap(users_);
    for (ports::UserRecord& record : make_users(*lines, {options_.realm, options_.domain})) {
        const auto old = before.find(record.name);
        const bool is_same = old != before.end() && !old->second.record.is_removed &&
                             old->second.record.ha1.plain == record.ha1.plain;
        const uint64_t change = is_same ? old->second.change : last_change_;
        std::string name = record.name;
        users_.emplace(std::move(name), User{std::move(record), change});
    }
    for (auto& [name, user] : before) {
        if (users_.contains(name)) continue;
        if (!user.record.is_removed) user.change = last_change_;
        user.record.is_removed = true;
        user.record.ha1 = {};
        users_.emplace(name, std::move(user));
    }
    return {};
}

Outcome<UserChanges> MemoryStore::load_users() {
    UserChanges changes{{}, last_change_};
    for (const auto& [name, user] : users_) {
        if (!user.record.is_removed) changes.users.push_back(user.record);
    }
    return changes;
}

Outcome<UserChanges> MemoryStore::users_changed_since(uint64_t version) {
    if (!options_.users_file.empty() && stamp_of(options_.users_file) != stamp_) {
        const auto loaded = load_file();
        if (!loaded) return tl::unexpected(loaded.error());
    }
    UserChanges changes{{}, last_change_};
    if (version >= last_change_) return changes;  // as nearly always: a million are not looked at
    for (const auto& [name, user] : users_) {
        if (user.change > version) changes.users.push_back(user.record);
    }
    return changes;
}

void MemoryStore::remove_old_records(WallTime since) {
    const std::lock_guard lock(mutex_);
    const uint64_t removed = latest_.remove_first(since, options_.records_kept.count);
    removed_.fetch_add(removed, std::memory_order_relaxed);
}

FoldReport MemoryStore::fold(FoldMode) {
    FoldReport report;
    uint64_t count = kEventsPerRead;
    // What comes meanwhile waits for the next time: a busy journal is not read event by event.
    while (count == kEventsPerRead) {
        count = folder_.read(kEventsPerRead);
        FoldBatch batch = folder_.take_batch();
        report.events += batch.events;
        report.records += batch.ended.size();
        const std::lock_guard lock(mutex_);
        latest_.add(std::move(batch.ended));
    }
    report.damage = damaged_.note(folder_.take_damage());
    written_.fetch_add(report.records, std::memory_order_relaxed);
    const WallTime since = kept_since(wall_now(), options_.records_kept);
    remove_old_records(since);
    trim(since);
    return report;
}

void MemoryStore::trim(WallTime since) {
    std::map<uint8_t, JournalPosition> places = folder_.positions();
    for (auto& [shard, place] : places) place.offset = 0;
    if (places == trimmed_at_) return;
    trim_journal(options_.data_dir, {options_.journal_keep_bytes, since}, places);
    trimmed_at_ = std::move(places);
}

Outcome<std::vector<ports::CallRecord>> MemoryStore::records(const RecordQuery& query) {
    const std::lock_guard lock(mutex_);
    const auto& calls = latest_.in_order();
    const uint32_t limit = std::min(query.limit, kRecordPageMax);
    std::vector<ports::CallRecord> page;
    const bool is_ascending = query.order == RecordOrder::OldestFirst;
    auto at = is_ascending ? calls.begin() : calls.end();
    if (query.after != 0) {
        at = std::find_if(calls.begin(), calls.end(), [&query](const cdr::CallEvents& call) {
            return call.id() == query.after;
        });
        if (at == calls.end()) {
            return failure("There is no record " + std::to_string(query.after) +
                           " behind which to go on.");
        }
        if (is_ascending) ++at;
    }
    while (page.size() < limit) {
        if (at == (is_ascending ? calls.end() : calls.begin())) break;
        if (!is_ascending) --at;
        page.push_back(at->record());
        if (is_ascending) ++at;
    }
    return page;
}

}  // namespace

Outcome<std::unique_ptr<Store>> open_memory_store(const StoreOptions& options) {
    auto store = std::make_unique<MemoryStore>(options);
    const auto loaded = store->load_file();
    if (!loaded) return tl::unexpected(loaded.error());
    return std::unique_ptr<Store>(std::move(store));
}

}  // namespace signalbox::store
