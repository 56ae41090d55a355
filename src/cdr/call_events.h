// What the journal says of one call: its events as they were encoded, and what follows from them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "ports/call_record.h"

namespace signalbox::cdr {

/// A call from its CallStarted on. Nearly every call is folded, and few are looked at: only the
/// octets of the events are kept, in one piece of memory, and are read again when somebody asks.
/// A value; what is made of it owns its text.
class CallEvents final {
 public:
    /// `encoded` is what `started`, the header of a CallStarted, was decoded from.
    CallEvents(const ports::EventHeader& started, std::string_view encoded);
    /// Adds the call's next event, which ports::decode_call_event must be able to read.
    void add(std::string_view encoded);

    uint64_t id() const { return id_; }
    WallTime started() const { return started_; }
    /// All events, each with its length (ByteWriter::text). Valid until the next add().
    std::string_view octets() const { return octets_; }

    /// The record of the call: whole when its last event is CallEnded.
    ports::CallRecord record() const;
    /// The call as long as it has not ended.
    ports::OpenCall open_call() const;

 private:
    uint64_t id_;
    WallTime started_;
    std::string octets_;
};

}  // namespace signalbox::cdr
