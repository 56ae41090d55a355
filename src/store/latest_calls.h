// The ended calls that the memory store keeps: those that began last.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <vector>

#include "cdr/call_events.h"

namespace signalbox::store {

/// In the order of their beginnings, and by their numbers where these are the same. Owned by the
/// memory store, which guards it.
class LatestCalls final {
 public:
    explicit LatestCalls(size_t calls_max) : calls_max_(calls_max) {}

    /// Puts calls into their places; then the first ones make room until there are `calls_max`. One
    /// that is there already is replaced. Cheap when they began after the others; costs one pass
    /// over those that began after the earliest of them.
    void add(std::vector<cdr::CallEvents> ended);
    /// Removes those that began before `since`, and the first ones while there are more than
    /// `count`; 0: no such limit. Returns how many went.
    uint64_t remove_first(WallTime since, uint64_t count);
    /// Valid until the next change.
    const std::deque<cdr::CallEvents>& in_order() const { return calls_; }

 private:
    size_t calls_max_;
    std::deque<cdr::CallEvents> calls_;
};

}  // namespace signalbox::store
