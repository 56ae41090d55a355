// Virtual time: a heap of what is to happen.
#include "sim/event_queue.h"

#include <algorithm>
#include <utility>

namespace signalbox::sim {

void EventQueue::at(Instant when, Action action) {
    heap_.push_back(Event{std::max(when, now_), order_++, std::move(action)});
    std::push_heap(heap_.begin(), heap_.end(), is_later);
}

void EventQueue::run_until(Instant end) {
    while (!heap_.empty() && heap_.front().at <= end) {
        std::pop_heap(heap_.begin(), heap_.end(), is_later);
        const Event event = std::move(heap_.back());
        heap_.pop_back();
        now_ = event.at;
        event.action();
    }
    now_ = std::max(now_, end);
}

}  // namespace signalbox::sim
