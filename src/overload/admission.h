// Which new work is taken and which is refused, by how long messages wait and how full the tables
// are. Implements: RFC 3261 §21.5.4 (503 with Retry-After)
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "base/counters.h"
#include "base/random.h"
#include "overload/queue_pressure.h"
#include "overload/refused_requests.h"
#include "overload/work.h"
#include "ports/overload_level.h"
#include "ports/snapshot.h"

namespace signalbox::overload {

enum class Verdict : uint8_t {
    Take,
    Refuse,  // 503 with Retry-After
    Drop,    // without a word: even to refuse would take too long
};

/// What judge() is asked about. Views: for the call.
struct NewRequest {
    Work work = Work::Call;
    std::string_view call_id;
    std::string_view branch;   // of the top Via
    std::string_view bytes;    // the whole message
    bool is_reliable = false;  // its transport: nobody would repeat it, so that it is never dropped
};

/// The pressure of the queue, or of the tables where that is more, gives each kind of work a share
/// that is taken. Which requests these are is drawn by Call-ID, so that a request, what it is
/// repeated by and its second try with credentials are of one fate. Single-threaded; one per shard.
class Admission final {
 public:
    Admission(Instant now, Random& random, Counters& counters);

    /// Takes note of a message's wait; returns true when update() is due.
    bool note(Instant now, Duration waited) {
        pressure_.add(waited);
        return pressure_.is_due(now);
    }
    /// Reckons pressure and level anew. `occupied` is the share, 0 to 1, of the fullest table.
    void update(Instant now, const ports::OverloadSettings& settings, double occupied);

    /// True for a datagram that must be dropped unread. Counts it.
    bool drops_unread(std::string_view datagram);
    /// Counts what it refuses and drops. Not for what is in progress.
    Verdict judge(Instant now, const NewRequest& request);
    /// Seconds for the Retry-After of a refusal: drawn, so that those who were refused together do
    /// not come back together.
    uint32_t retry_after_s(const ports::OverloadSettings& settings);

    ports::OverloadLevel level() const { return level_; }
    Duration queue_delay() const { return pressure_.delay(); }
    /// True while time alone changes something: update() must be called now and then.
    bool is_fading() const {
        return pressure_.value() > 0 || level_ != ports::OverloadLevel::Normal;
    }
    uint32_t occupied_permille() const { return static_cast<uint32_t>(occupied_ * 1000); }

 private:
    /// What is taken of each kind of work, 0 to 1.
    struct Shares {
        double optional = 1;
        double registrations = 1;
        double calls = 1;
        double unread = 0;  // of new datagrams that are dropped
    };
    void enter(Instant now, double pressure);
    bool drops_unanswered(const NewRequest& request);
    bool is_taken(Instant now, std::string_view call_id, double share) const;
    bool draw(double share);
    void count_refusal(Work work);

    Random& random_;
    Counters& counters_;
    std::array<uint64_t, 2> draw_key_;
    QueuePressure pressure_;
    RefusedRequests refused_;
    Shares shares_;
    ports::OverloadLevel level_ = ports::OverloadLevel::Normal;
    Instant level_wanted_{};  // the last moment at which the present level was called for
    double occupied_ = 0;
    bool is_by_tables_ = false;  // they press harder than the queue
};

}  // namespace signalbox::overload
