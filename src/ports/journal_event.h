// The events that the core appends to the journal: calls and bindings. Records, the live view and
// the database are folds of them. Every event is versioned and carries call, leg, tenant, node,
// shard, snapshot version, wall and monotonic time.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "ports/snapshot.h"
#include "transport/flow.h"

namespace signalbox::ports {

/// The newest version of call events, and of BindingsChanged: version 2 added reg_id and path.
/// Older ones are read.
inline constexpr uint8_t kJournalVersion = 1;
inline constexpr uint8_t kBindingsVersion = 2;

enum class JournalEventKind : uint8_t {
    CallStarted = 1,   // admitted: the caller has what it needs to be connected
    CallRinging = 2,   // the first 101-199 of a leg
    CallAnswered = 3,  // a 2xx made a dialog: one event for each callee's tag
    CallEnded = 4,     // the call is over; the record is whole
    BindingsChanged =
        5,            // all bindings of one address of record, after a change; none: it has no more
    DialogEnded = 6,  // one of the call's dialogs is over, and not the last one
    CallHeld = 7,  // an attempt failed in a way that lets the caller try again; with status 0: he
                   // does
};

/// Who ended a call.
enum class EndedBy : uint8_t { Nobody, Caller, Callee, Server };

/// Common to all events.
struct EventHeader {
    JournalEventKind kind = JournalEventKind::CallStarted;
    uint64_t call = 0;  // unique over shards and restarts; 0 for bindings
    uint16_t leg = 0;   // 0: the caller's side; else the branch's number
    TenantId tenant = kDefaultTenant;
    uint16_t node = 0;
    uint8_t shard = 0;
    uint64_t snapshot_version = 0;
    WallTime wall;
    Instant monotonic;
};

/// One value for all call events: unused fields are empty. Views: whatever it was made or decoded
/// from.
struct CallEvent {
    EventHeader header;
    std::string_view call_id;       // Started
    std::string_view caller_tag;    // Started
    std::string_view from;          // Started: the URI of From, as received
    std::string_view from_display;  // Started: its display name, unquoted
    std::string_view to;            // Started: the URI of To
    std::string_view request_uri;   // Started: as received
    std::string_view user;          // Started: who authenticated; empty: nobody
    std::string_view source;        // Started: "192.0.2.1:5060"
    std::string_view contact;       // Ringing, Answered: the URI at which the leg was tried
    std::string_view callee_tag;    // Answered, DialogEnded
    uint16_t status = 0;  // Ended, Held: the final status of the attempt; 200 for an answered call
    EndedBy ended_by = EndedBy::Nobody;  // Ended, Held
    std::string_view reason;  // Ended, Held: a phrase ("Busy Here", "BYE", "no BYE within
                              // call_max"), or the Reason header field of the BYE or CANCEL
};

/// One binding as it is kept: what the registrar must know to answer, the proxy to forward, and
/// both after a restart.
struct BindingRecord {
    std::string contact;     // the URI, as received
    std::string parameters;  // header parameters to give back in the 200, without expires and q:
                             // ";+sip.instance=..." or empty
    std::string call_id;
    uint32_t cseq = 0;
    uint16_t q = 1000;
    bool has_q = false;
    bool is_nated = false;  // the Contact's host is not the address that it came from
    WallTime expires;
    WallTime updated;
    transport::Flow flow;  // by which it came; its stream is gone after a restart
    std::string user_agent;
    uint32_t reg_id = 0;  // of an outbound registration, with the instance-id in `parameters` (RFC
                          // 5626 §6); 0: none
    std::string path;     // the Path values, joined by commas, topmost first (RFC 3327 §5.3)
};

/// The same without owning its text. Views: whatever keeps the binding.
struct BindingView {
    std::string_view contact, parameters, call_id;
    uint32_t cseq = 0;
    uint16_t q = 1000;
    bool has_q = false;
    bool is_nated = false;
    WallTime expires;
    WallTime updated;
    transport::Flow flow;
    std::string_view user_agent;
    uint32_t reg_id = 0;
    std::string_view path;
};
BindingView view_of(const BindingRecord& record);
BindingRecord record_of(const BindingView& view);

struct BindingsEvent {
    EventHeader header;
    std::string aor;  // the canonical user part (sip::canonical_user)
    std::vector<BindingRecord> bindings;
};

/// Appends the encoded event to `out` (no framing: the journal adds length and checksum).
void encode(const CallEvent& event, std::string& out);
void encode(const BindingsEvent& event, std::string& out);
/// Encodes a BindingsEvent without making one: the constructor, then add() exactly `count` times.
/// For hot paths.
class BindingsEncoder final {
 public:
    BindingsEncoder(const EventHeader& header, std::string_view aor, size_t count,
                    std::string& out);
    void add(const BindingView& binding);

 private:
    std::string& out_;
};
/// The kind of an encoded event; nothing when it is empty or of a version that is not known.
std::optional<EventHeader> decode_header(std::string_view bytes);
std::optional<CallEvent> decode_call_event(std::string_view bytes);
std::optional<BindingsEvent> decode_bindings_event(std::string_view bytes);

}  // namespace signalbox::ports
