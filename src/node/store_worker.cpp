// The two threads that may block: one folds the journal into the store, one makes the journal safe
// against power loss.
#include "node/store_worker.h"

#include <pthread.h>

#include <chrono>

namespace signalbox::node {

namespace {

using Clock = std::chrono::steady_clock;

constexpr Clock::duration kFoldInterval = std::chrono::milliseconds(100);
constexpr Clock::duration kSyncInterval = std::chrono::milliseconds(50);
constexpr Clock::duration kUsersInterval = std::chrono::seconds(1);
constexpr int kFoldsPerQuestion = 8;  // a question does not wait for a store that is far behind

}  // namespace

void log_damage(sinks::Log& log, const store::FoldReport& report) {
    for (const store::JournalDamage& damage : report.damage) {
        log.warning(
            "journal_damaged",
            {{"file", damage.path}, {"offset", damage.offset}, {"octets_skipped", damage.bytes}});
    }
}

StoreWorker::StoreWorker(Setup setup) : setup_(std::move(setup)) {
    fold_thread_ = std::thread([this] {
        ::pthread_setname_np(::pthread_self(), "store");
        run_fold();
    });
    sync_thread_ = std::thread([this] {
        ::pthread_setname_np(::pthread_self(), "journal-sync");
        run_sync();
    });
}

StoreWorker::~StoreWorker() {
    stop({});
}

void StoreWorker::fold_now(std::function<void()> done) {
    {
        const std::lock_guard lock(mutex_);
        asked_.push_back(std::move(done));
    }
    changed_.notify_all();
}

void StoreWorker::look_for_users() {
    {
        const std::lock_guard lock(mutex_);
        is_looking_for_users_ = true;
    }
    changed_.notify_all();
}

void StoreWorker::stop(Duration fold_max) {
    {
        const std::lock_guard lock(mutex_);
        is_stopping_ = true;
    }
    changed_.notify_all();
    if (sync_thread_.joinable()) {
        sync_thread_.join();
        sync_all();
    }
    if (!fold_thread_.joinable()) return;
    fold_thread_.join();
    const auto until = Clock::now() + fold_max;
    while (Clock::now() < until && !fold(store::FoldMode::Now)) {
    }
}

void StoreWorker::run_fold() {
    auto users_at = Clock::now() + kUsersInterval;
    for (;;) {
        std::vector<std::function<void()>> asked;
        bool is_looking = false;
        {
            std::unique_lock lock(mutex_);
            changed_.wait_for(lock, kFoldInterval, [this] {
                return is_stopping_ || is_looking_for_users_ || !asked_.empty();
            });
            asked.swap(asked_);
            is_looking = std::exchange(is_looking_for_users_, false);
            if (is_stopping_ && asked.empty()) return;
        }
        const auto mode = asked.empty() ? store::FoldMode::Lazy : store::FoldMode::Now;
        for (int i = 0; i < kFoldsPerQuestion && !fold(mode); ++i) {
        }
        for (const auto& done : asked) done();
        if (is_looking || Clock::now() >= users_at) {
            users_at = Clock::now() + kUsersInterval;
            take_users();
        }
    }
}

bool StoreWorker::fold(store::FoldMode mode) {
    const store::FoldReport report = setup_.store->fold(mode);
    log_damage(*setup_.log, report);
    if (report.trouble != trouble_) {
        trouble_ = report.trouble;
        if (trouble_.empty()) {
            setup_.log->info("store_recovered");
        } else {
            setup_.log->warning("store_trouble", {{"reason", trouble_}});
        }
    }
    return !report.is_behind || !report.trouble.empty();
}

void StoreWorker::take_users() {
    auto changes = setup_.store->users_changed_since(setup_.users_version);
    if (!changes) {
        setup_.log->warning("users_not_read", {{"reason", changes.error().text}});
        return;
    }
    setup_.users_version = changes->version;
    if (changes->users.empty()) return;
    setup_.log->info("users_changed", {{"count", changes->users.size()}});
    setup_.on_users(std::move(changes->users));
}

void StoreWorker::run_sync() {
    std::unique_lock lock(mutex_);
    while (!changed_.wait_for(lock, kSyncInterval, [this] { return is_stopping_; })) {
        lock.unlock();
        sync_all();
        lock.lock();
    }
}

void StoreWorker::sync_all() {
    for (store::Journal* journal : setup_.journals) journal->sync();
}

}  // namespace signalbox::node
