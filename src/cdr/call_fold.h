// The fold of journal events into call records: the same events give the same records, whenever and
// however often they are folded.
#pragma once

#include <cstdint>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "ports/call_record.h"

namespace signalbox::cdr {

/// Pure and single-threaded. Events of one call must come in the order of the journal; calls may
/// interleave. Events of kinds that it does not know, and events for a call whose beginning it has
/// not seen, are ignored.
class CallFold final {
 public:
    /// Takes one encoded event (ports::encode). Returns false when it cannot be read; nothing
    /// changes then.
    bool apply(std::string_view encoded_event);
    /// The calls that have ended since the last time, in the order of their ends.
    std::vector<ports::CallRecord> take_ended();
    /// The calls that have begun and not ended, in the order of their beginnings.
    std::vector<ports::OpenCall> open_calls() const;

 private:
    struct Open {
        ports::CallRecord record;
        Instant started;
        Instant answered;
        uint64_t order = 0;
        std::vector<std::string> dialogs;  // callee tags of those that are up
        uint16_t held_status = 0;
        ports::EndedBy held_by = ports::EndedBy::Nobody;
        std::string held_reason;
        WallTime held_at;
    };
    void start(const ports::CallEvent& event);
    void end(Open& open, const ports::CallEvent& event);
    static void answer(Open& open, const ports::CallEvent& event);
    static void hold(Open& open, const ports::CallEvent& event);

    std::unordered_map<uint64_t, Open> open_;
    std::vector<ports::CallRecord> ended_;
    uint64_t next_order_ = 0;
};

}  // namespace signalbox::cdr
