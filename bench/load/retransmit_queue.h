// The timers of the load: each waits T1, 2·T1, ... or 64·T1, so that one first-in-first-out queue
// per delay suffices. Implements: RFC 3261 §17.1.1.2; RFC 3261 §17.1.2.2; RFC 3261 §13.3.1.4
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <deque>
#include <limits>

namespace bench {

enum class Side : std::uint8_t { Client, Server };

/// A deadline of one side of an operation. It is void when the serial of that side has moved on.
struct Timer {
    std::uint64_t deadline_ns;
    std::uint32_t slot;
    std::uint32_t serial;
    Side side;
};

class RetransmitQueue final {
 public:
    static constexpr unsigned kDoublingsMax = 6;  // 64·T1: Timers B and F
    static constexpr unsigned kDoublingsT2 = 3;   // T2 is 8·T1

    RetransmitQueue(std::uint32_t t1_ms, std::uint32_t hold_ms)
        : t1_ns_(std::uint64_t{t1_ms} * 1'000'000), hold_ns_(std::uint64_t{hold_ms} * 1'000'000) {}

    std::uint64_t lifetime_ns() const { return t1_ns_ << kDoublingsMax; }

    void arm(std::uint64_t now_ns, unsigned doublings, Side side, std::uint32_t slot,
             std::uint32_t serial) {
        queues_[doublings].push_back({now_ns + (t1_ns_ << doublings), slot, serial, side});
    }

    /// For the end of a call that has just been set up.
    void arm_hold(std::uint64_t now_ns, std::uint32_t slot, std::uint32_t serial) {
        queues_.back().push_back({now_ns + hold_ns_, slot, serial, Side::Client});
    }

    /// The doublings of the next wait after `attempts` repetitions, never beyond the lifetime of
    /// 64·T1.
    unsigned next_doublings(unsigned attempts, unsigned doublings_max,
                            std::uint64_t elapsed_ns) const {
        unsigned doublings = std::min(attempts, doublings_max);
        const std::uint64_t left = elapsed_ns < lifetime_ns() ? lifetime_ns() - elapsed_ns : 0;
        while (doublings > 0 && (t1_ns_ << doublings) > left) --doublings;
        return doublings;
    }

    /// Takes every due timer and hands it to `fire`.
    template <typename Fire>
    void take_due(std::uint64_t now_ns, Fire&& fire) {
        for (std::deque<Timer>& queue : queues_) {
            while (!queue.empty() && queue.front().deadline_ns <= now_ns) {
                const Timer timer = queue.front();
                queue.pop_front();
                fire(timer);
            }
        }
    }

    std::uint64_t next_deadline_ns() const {
        std::uint64_t next = std::numeric_limits<std::uint64_t>::max();
        for (const std::deque<Timer>& queue : queues_) {
            if (!queue.empty()) next = std::min(next, queue.front().deadline_ns);
        }
        return next;
    }

 private:
    std::uint64_t t1_ns_;
    std::uint64_t hold_ns_;
    std::array<std::deque<Timer>, kDoublingsMax + 2> queues_;  // the last one is of calls
};

}  // namespace bench
