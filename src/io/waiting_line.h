// A queue in one piece of memory, for what comes and goes all the time.
#pragma once

#include <cstddef>
#include <utility>
#include <vector>

namespace signalbox::io {

/// First in, first out. Its room grows to the longest it has ever been and stays: a deque would
/// allocate and free a piece again and again. Single-threaded.
template <class T>
class WaitingLine final {
 public:
    bool is_empty() const { return front_ == items_.size(); }
    size_t size() const { return items_.size() - front_; }
    void push(T item) { items_.push_back(std::move(item)); }
    /// Not when it is empty.
    T pop() {
        T item = std::move(items_[front_++]);
        const bool is_half_behind = front_ * 2 >= items_.size();
        if (is_half_behind) {
            items_.erase(items_.begin(), items_.begin() + static_cast<std::ptrdiff_t>(front_));
            front_ = 0;
        }
        return item;
    }

 private:
    std::vector<T> items_;
    size_t front_ = 0;
};

}  // namespace signalbox::io
