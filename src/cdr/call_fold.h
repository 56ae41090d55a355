// The fold of journal events into call records: the same events give the same records, whenever and
// however often they are folded.
#pragma once

#include <boost/unordered/unordered_flat_map.hpp>
#include <cstdint>
#include <string_view>
#include <vector>

#include "cdr/call_events.h"

namespace signalbox::cdr {

/// Pure and single-threaded. Events of one call must come in the order of the journal; calls may
/// interleave. Events of kinds that it does not know, events for a call whose beginning it has not
/// seen, and a second beginning of an open call are ignored.
class CallFold final {
 public:
    /// Takes one encoded event (ports::encode). Returns false when it cannot be read; nothing
    /// changes then.
    bool apply(std::string_view encoded_event);
    /// The same for who has decoded `event` from `encoded`. Returns false when it is ignored.
    bool take(const ports::CallEvent& event, std::string_view encoded);
    /// The calls that have ended since the last time, in the order of their ends.
    std::vector<CallEvents> take_ended();
    /// The calls that have begun and not ended, in the order of their beginnings.
    std::vector<ports::OpenCall> open_calls() const;
    /// One of these, as octets (CallEvents::octets): empty when it is not open. Valid until the
    /// next event is taken.
    std::string_view octets_of(uint64_t call) const;

 private:
    struct Open {
        Open(const ports::CallEvent& started, std::string_view encoded, uint64_t begun_before)
            : events(started.header, encoded), order(begun_before) {}
        CallEvents events;
        uint64_t order;  // rises from one beginning to the next
    };

    boost::unordered_flat_map<uint64_t, Open> open_;
    std::vector<CallEvents> ended_;
    uint64_t begun_ = 0;
};

}  // namespace signalbox::cdr
