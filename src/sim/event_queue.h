// Virtual time: what is to happen, in the order in which it happens, without any clock of the
// machine.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "base/time.h"

namespace signalbox::sim {

/// Owns the time of one world. Single-threaded. Events of the same moment happen in the order in
/// which they were put in, so that one seed gives one run.
class EventQueue final {
 public:
    using Action = std::function<void()>;

    Now now() const { return Now{now_, wall_at(now_)}; }
    WallTime wall_at(Instant at) const {
        return kEpoch +
               std::chrono::duration_cast<std::chrono::microseconds>(at.time_since_epoch());
    }
    Instant wall_to_monotonic(WallTime at) const { return Instant{} + (at - kEpoch); }

    /// A moment that has passed counts as this one.
    void at(Instant when, Action action);
    void after(Duration delay, Action action) { at(now_ + delay, std::move(action)); }

    /// Lets everything happen up to and including `end`, which then is the time.
    void run_until(Instant end);

 private:
    /// 14 November 2023, 22:13:20 UTC; any date would do.
    static constexpr WallTime kEpoch{std::chrono::seconds(1'700'000'000)};
    struct Event {
        Instant at;
        uint64_t order;
        Action action;
    };
    static bool is_later(const Event& a, const Event& b) {
        return a.at != b.at ? a.at > b.at : a.order > b.order;
    }

    std::vector<Event> heap_;
    Instant now_{std::chrono::seconds(1000)};
    uint64_t order_ = 0;
};

}  // namespace signalbox::sim
