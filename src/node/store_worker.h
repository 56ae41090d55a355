// The two threads that may block: one folds the journal into the store, one makes the journal safe
// against power loss.
#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "sinks/log.h"
#include "store/journal.h"
#include "store/store.h"

namespace signalbox::node {

/// One line for each segment of the journal that was found damaged.
void log_damage(sinks::Log& log, const store::FoldReport& report);

/// Owned by the node; stop() before the journals or the store die.
class StoreWorker final {
 public:
    struct Setup {
        store::Store* store = nullptr;
        std::vector<store::Journal*> journals;
        uint64_t users_version = 0;  // of the users that the shards have
        std::function<void(std::vector<ports::UserRecord>)> on_users;  // in the worker's thread
        sinks::Log* log = nullptr;
    };
    explicit StoreWorker(Setup setup);
    ~StoreWorker();
    StoreWorker(const StoreWorker&) = delete;
    StoreWorker& operator=(const StoreWorker&) = delete;

    /// Any thread. `done` is called in the worker's thread after the journal was folded as far as
    /// can be.
    void fold_now(std::function<void()> done);
    /// Any thread: looks for changed users now, not only at the next second.
    void look_for_users();
    /// Ends both threads, after a last sync and, when asked for, a last fold that takes at most
    /// `fold_max`.
    void stop(Duration fold_max);

 private:
    void run_fold();
    void run_sync();
    void sync_all();
    /// Returns false when more waits and another call may help.
    bool fold(store::FoldMode mode);
    void take_users();

    Setup setup_;
    std::mutex mutex_;
    std::condition_variable changed_;
    std::vector<std::function<void()>> asked_;
    bool is_looking_for_users_ = false;
    bool is_stopping_ = false;
    std::string trouble_;  // the latest that was logged
    std::thread fold_thread_;
    std::thread sync_thread_;
};

}  // namespace signalbox::node
