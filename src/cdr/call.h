// What the tracker remembers of one call.
#pragma once

#include <array>

#include "base/block_pool.h"
#include "base/timer_wheel.h"
#include "ports/journal_event.h"

namespace signalbox::cdr {

/// How long a failed attempt waits for the caller to try again.
inline constexpr Duration kRetryWindow = std::chrono::seconds(32);

/// One call: identity, the dialogs that are up, and how its last attempt failed while a new one may
/// follow.
class Call final {
 public:
    uint64_t id = 0;
    uint64_t key = 0;
    ports::TenantId tenant = ports::kDefaultTenant;
    uint64_t snapshot_version = 0;
    PooledBytes identity;  // Call-ID, then the caller's tag, then the first callee's tag
    uint32_t call_id_size = 0;
    uint32_t caller_tag_size = 0;
    static constexpr size_t kTagMax = 256;  // longer tags are cut
    WallTime started;
    WallTime answered_wall;
    Duration call_max{};
    Duration session{};  // granted until the next refresh; 0: no limit
    bool has_rung = false;
    ports::EndedBy early_bye_by = ports::EndedBy::Nobody;  // who sent a BYE before any answer
    bool is_answered = false;
    static constexpr size_t kDialogsMax = 8;
    std::array<uint64_t, kDialogsMax> dialogs{};  // hashes of callee tags that are up
    uint8_t dialog_count = 0;
    uint8_t ended_dialogs =
        0;  // a bit for each of `dialogs`: a late 200 of one that is over does not revive it
    /// What each side has shown since the beginning, the newest first; 0: nothing. The caller's,
    /// then the callees'.
    using Shown = std::array<uint64_t, 2>;
    std::array<Shown, 2> shown{};
    static constexpr uint8_t kHeldEventsMax = 16;
    uint8_t held_events = 0;   // that the journal was told
    uint16_t held_status = 0;  // a failure that is not final yet
    ports::EndedBy held_by = ports::EndedBy::Nobody;
    Now held_at{};
    PooledBytes held_reason;
    Timer timer;

    bool has_session_limit() const { return session != Duration{} && session < call_max; }
    /// From an answer or a refresh to the end, should nothing more be heard.
    Duration lifetime() const { return has_session_limit() ? session : call_max; }

    std::string_view call_id() const { return identity.view().substr(0, call_id_size); }
    std::string_view caller_tag() const {
        return identity.view().substr(call_id_size, caller_tag_size);
    }
    std::string_view callee_tag() const {
        return identity.view().substr(call_id_size + caller_tag_size);
    }
};

}  // namespace signalbox::cdr
