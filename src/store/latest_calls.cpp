// The ended calls that the memory store keeps: those that began last.
#include "store/latest_calls.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace signalbox::store {

namespace {

bool is_before(const cdr::CallEvents& a, const cdr::CallEvents& b) {
    return std::pair(a.started(), a.id()) < std::pair(b.started(), b.id());
}

bool is_same(const cdr::CallEvents& a, const cdr::CallEvents& b) {
    return a.id() == b.id() && a.started() == b.started();
}

}  // namespace

void LatestCalls::add(std::vector<cdr::CallEvents> ended) {
    if (ended.empty()) return;
    std::stable_sort(ended.begin(), ended.end(), is_before);
    // Of two that are the same the later one counts.
    ended.erase(ended.begin(), std::unique(ended.rbegin(), ended.rend(), is_same).base());
    // What began before all of these stays where it is.
    const auto from = std::lower_bound(calls_.begin(), calls_.end(), ended.front(), is_before);
    std::vector<cdr::CallEvents> later(std::make_move_iterator(from),
                                       std::make_move_iterator(calls_.end()));
    calls_.erase(from, calls_.end());
    std::set_union(std::make_move_iterator(ended.begin()), std::make_move_iterator(ended.end()),
                   std::make_move_iterator(later.begin()), std::make_move_iterator(later.end()),
                   std::back_inserter(calls_), is_before);
    while (calls_.size() > calls_max_) calls_.pop_front();
}

uint64_t LatestCalls::remove_first(WallTime since, uint64_t count) {
    uint64_t removed = 0;
    while (!calls_.empty()) {
        const bool is_surplus = count != 0 && calls_.size() > count;
        if (!is_surplus && calls_.front().started() >= since) break;
        calls_.pop_front();
        ++removed;
    }
    return removed;
}

}  // namespace signalbox::store
