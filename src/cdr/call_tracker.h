// The calls of one shard from the first admitted INVITE to the end: what the journal is told, each
// thing once. Implements: RFC 3261 §12, §15; RFC 4028 §8 (observed, not enforced)
#pragma once

#include <array>
#include <boost/unordered/unordered_flat_map.hpp>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "base/block_pool.h"
#include "base/counters.h"
#include "base/random.h"
#include "base/slab.h"
#include "base/timer_wheel.h"
#include "cdr/call_numbers.h"
#include "ports/outbox.h"

namespace signalbox::cdr {

/// Timer kinds of the tracker.
inline constexpr uint16_t kCallTimer = 48;

class Call;
using CallHandle = Handle<Call>;

/// What the first INVITE of a call tells. Views: the packet.
struct CallStart {
    ports::TenantId tenant = ports::kDefaultTenant;
    std::string_view call_id, caller_tag;
    std::string_view from, from_display, to, request_uri, user, source;
    uint64_t snapshot_version = 0;
    Duration call_max{};
};

/// Single-threaded; one per shard. A call is (Call-ID, caller's tag): a request that was challenged
/// and comes again, and a request that passes us a second time (a spiral), are the same call. Every
/// end goes through end(), which journals it exactly once. Failures after which a caller tries
/// again with the same Call-ID (3xx, 401, 407, 413, 415, 416, 420, 421, 422, 423) are held open for
/// 32 s.
class CallTracker final {
 public:
    struct Setup {
        uint16_t node = 0;
        uint8_t shard = 0;
        uint32_t calls_max = 1'000'000;
    };
    CallTracker(const Setup& setup, TimerWheel& wheel, BlockPool& pool, Random& random,
                Counters& counters);
    ~CallTracker();

    /// The call that this INVITE begins or goes on with. Null when the limit is reached: the call
    /// is not tracked, and counted.
    CallHandle begin(Now now, const CallStart& start, ports::Outbox& out);
    /// The first 101-199 of a call is journalled.
    void ringing(Now now, CallHandle call, uint16_t leg, std::string_view contact,
                 ports::Outbox& out);
    /// A 2xx to the INVITE. The first one of each `callee_tag`, by which dialogs are told apart, is
    /// journalled; past eight dialogs a call's others are not followed.
    void answered(Now now, CallHandle call, uint16_t leg, std::string_view callee_tag,
                  std::string_view contact, ports::Outbox& out);
    /// The last attempt of the caller got the final response `status`, not a 2xx.
    void failed(Now now, CallHandle call, int status, ports::EndedBy by, std::string_view reason,
                ports::Outbox& out);
    /// A BYE by `by` goes to the other side while no dialog of the call is answered (RFC 3261 §15):
    /// when the INVITE then ends with 487, that end is his doing, not of who answers so.
    void bye_before_answer(CallHandle call, ports::EndedBy by);
    /// A dialog of the call ended at `bye_at`. The call ends when no dialog is left.
    void dialog_ended(CallHandle call, Now bye_at, std::string_view callee_tag, ports::EndedBy by,
                      std::string_view reason, ports::Outbox& out);

    /// A 2xx to an INVITE or UPDATE of the call granted `interval` until the next one, or no limit.
    /// A call that gets neither such a refresh nor a BYE in time ends with "Session expired" (RFC
    /// 4028 §10: both sides have given it up by then); without a limit, and above call_max,
    /// call_max holds from the answer or the last refresh on.
    void session_refreshed(Now now, CallHandle call, std::optional<Duration> interval);

    /// The call of that caller, or null.
    CallHandle find(std::string_view call_id, std::string_view caller_tag) const;
    /// The call whose caller's tag is one of the two, or null.
    CallHandle find(std::string_view call_id, std::string_view tag_a, std::string_view tag_b) const;
    bool is_caller_tag(CallHandle call, std::string_view tag) const;
    bool is_answered(CallHandle call) const;

    /// Remembers a Contact (its hash) that was shown inside a dialog of the call (target refresh).
    /// At most two of each side, the oldest gives way: no side makes that of the other forgotten.
    void contact_shown(CallHandle call, bool by_caller, uint64_t contact_hash);
    bool has_shown(CallHandle call, uint64_t contact_hash) const;

    /// Calls that begin from now on get numbers above this one of before a restart.
    void number_above(uint64_t number) { numbers_.begin_above(number); }
    /// Takes up a call of before a restart. One that was not answered ends 32 s after its last
    /// attempt failed, or else after the restart, unless its INVITE comes again.
    void restore(Now now, const ports::OpenCall& open, Duration call_max);
    void on_timer(Now now, const TimerDue& due, ports::Outbox& out);

    uint32_t size() const;
    /// See QueryLiveCalls.
    ports::LiveCallsReply page(uint32_t after, uint32_t limit) const;

 private:
    CallHandle find_by_key(uint64_t key_of_call, std::string_view call_id,
                           std::string_view caller_tag) const;
    CallHandle insert(uint64_t key_of_call, std::string_view call_id, std::string_view caller_tag);
    void erase(CallHandle handle);
    void hold(Now now, Call& call, int status, ports::EndedBy by, std::string_view reason,
              ports::Outbox& out);
    void end(Now now, CallHandle handle, int status, ports::EndedBy by, std::string_view reason,
             ports::Outbox& out);
    ports::EventHeader header(Now now, const Call& call, ports::JournalEventKind kind,
                              uint16_t leg) const;
    uint64_t key(std::string_view call_id, std::string_view caller_tag) const;

    Setup setup_;
    TimerWheel& wheel_;
    BlockPool& pool_;
    Counters& counters_;
    CallNumbers numbers_;
    std::array<uint64_t, 2> hash_key_;
    mutable Slab<Call> calls_;
    boost::unordered_flat_map<uint64_t, CallHandle> by_key_;
};

}  // namespace signalbox::cdr
