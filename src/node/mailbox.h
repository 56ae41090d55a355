// Values from any thread to one: the way of commands into a shard, and of its reports out.
#pragma once

#include <mutex>
#include <utility>
#include <vector>

namespace signalbox::node {

/// Unbounded: its writers are few, and each waits for an answer or works from a bounded list.
template <class T>
class Mailbox final {
 public:
    void put(T value) {
        const std::lock_guard lock(mutex_);
        values_.push_back(std::move(value));
    }
    /// All that lies there, in order.
    std::vector<T> take() {
        const std::lock_guard lock(mutex_);
        return std::exchange(values_, {});
    }

 private:
    std::mutex mutex_;
    std::vector<T> values_;
};

}  // namespace signalbox::node
