// One call as people and bills see it: the fold of its journal events.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/time.h"
#include "ports/journal_event.h"

namespace signalbox::ports {

/// Exactly one per call, failed and cancelled calls too. Durations are measured on the monotonic
/// clock where start and end have it in common, and are never negative.
struct CallRecord {
    uint64_t id = 0;  // the call's number in the journal
    TenantId tenant = kDefaultTenant;
    std::string call_id;
    std::string caller_tag;
    std::string callee_tag;  // of the first answer; empty: never answered
    std::string from, from_display, to, request_uri;
    std::string user;     // who authenticated; empty: nobody
    std::string source;   // address and port of the caller
    std::string contact;  // where it was answered, else where it last rang
    WallTime started;
    std::optional<WallTime> ringing;
    std::optional<WallTime> answered;
    WallTime ended;
    uint64_t ring_ms = 0;  // start to answer, or to the end of an unanswered call
    uint64_t talk_ms = 0;  // answer to end; 0: not answered
    uint16_t status = 0;   // 200: answered; else why not
    EndedBy ended_by = EndedBy::Nobody;
    std::string reason;
    uint16_t node = 0;
    uint8_t shard = 0;
    uint64_t snapshot_version = 0;

    bool is_answered() const { return answered.has_value(); }
};

/// A call that the journal shows begun and not ended: what a shard must know of it after a restart.
struct OpenCall {
    uint64_t id = 0;
    TenantId tenant = kDefaultTenant;
    std::string call_id, caller_tag;
    std::vector<std::string> callee_tags;  // of the dialogs that are up
    bool is_answered = false;
    WallTime started;
    WallTime answered;
    uint64_t snapshot_version = 0;
    uint16_t held_status = 0;  // how the last attempt failed, if the caller may try again and does
                               // not yet; 0: no such failure
    EndedBy held_by = EndedBy::Nobody;
    std::string held_reason;
    WallTime held_at;
};

}  // namespace signalbox::ports
