// Journal events of calls and bindings as a test writes them.
#pragma once

#include <memory>
#include <string>

#include "cdr/call_events.h"
#include "ports/journal_event.h"
#include "store/journal.h"
#include "tests/store/temporary_directory.h"

namespace signalbox::store {

inline WallTime at_second(int64_t second) {
    return WallTime(std::chrono::seconds(1'700'000'000 + second));
}

inline std::string call_event(ports::JournalEventKind kind, uint64_t call, int64_t second) {
    ports::CallEvent event;
    event.header.kind = kind;
    event.header.call = call;
    event.header.wall = at_second(second);
    event.header.monotonic = Instant(std::chrono::seconds(1000 + second));
    const std::string call_id = "call-" + std::to_string(call) + "@192.0.2.1";
    if (kind == ports::JournalEventKind::CallStarted) {
        event.call_id = call_id;
        event.caller_tag = "tag";
        event.from = "sip:alice@example.test";
        event.to = "sip:bob@example.test";
    }
    if (kind == ports::JournalEventKind::CallAnswered) event.contact = "sip:bob@192.0.2.2";
    if (kind == ports::JournalEventKind::CallEnded) {
        event.status = 200;
        event.ended_by = ports::EndedBy::Callee;
        event.reason = "BYE";
    }
    std::string bytes;
    ports::encode(event, bytes);
    return bytes;
}

inline std::string started(uint64_t call, int64_t second) {
    return call_event(ports::JournalEventKind::CallStarted, call, second);
}
inline std::string answered(uint64_t call, int64_t second) {
    return call_event(ports::JournalEventKind::CallAnswered, call, second);
}
inline std::string ended(uint64_t call, int64_t second) {
    return call_event(ports::JournalEventKind::CallEnded, call, second);
}

/// A call that began and ended in this second.
inline cdr::CallEvents ended_call(uint64_t call, int64_t second) {
    const std::string begin = started(call, second);
    cdr::CallEvents events(*ports::decode_header(begin), begin);
    events.add(ended(call, second));
    return events;
}

/// The bindings of `aor`: one contact, or none.
inline std::string bound(const std::string& aor, const std::string& contact, int64_t second = 0) {
    ports::BindingsEvent event;
    event.header.kind = ports::JournalEventKind::BindingsChanged;
    event.header.wall = at_second(second);
    event.aor = aor;
    if (!contact.empty()) {
        ports::BindingRecord binding;
        binding.contact = contact;
        binding.expires = WallTime(std::chrono::hours(24 * 365 * 1000));
        event.bindings.push_back(binding);
    }
    std::string bytes;
    ports::encode(event, bytes);
    return bytes;
}

/// A journal of one shard in `directory`, as a start of the server with number `run` has it.
inline std::unique_ptr<Journal> open_journal(const TemporaryDirectory& directory, uint64_t run = 1,
                                             uint8_t shard = 0) {
    JournalOptions options;
    options.data_dir = directory.path();
    options.shard = shard;
    options.run = run;
    options.segment_bytes = kSegmentBytesMin;
    auto journal = Journal::open(options);
    return journal ? std::move(*journal) : nullptr;
}

}  // namespace signalbox::store
