// What the journal says of one call: its events as they were encoded, and what follows from them.
#include "cdr/call_events.h"

#include <utility>

#include "base/byte_io.h"
#include "base/check.h"

namespace signalbox::cdr {
namespace {

using ports::CallEvent;
using ports::JournalEventKind;

/// Room for a ringing, an answer and an end, so that most calls need memory once.
constexpr size_t kRoomBytes = 512;

uint64_t to_ms(Duration duration) {
    const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(duration).count();
    return ms < 0 ? 0 : static_cast<uint64_t>(ms);
}

/// The two clocks of an event.
struct Moment {
    WallTime wall;
    Instant monotonic;
};

Moment moment_of(const CallEvent& event) {
    return {event.header.wall, event.header.monotonic};
}

/// The time between two events: monotonic, unless the machine was started again between them and
/// the wall clock knows better.
uint64_t elapsed_ms(const Moment& begin, const Moment& end) {
    const Duration wall = end.wall - begin.wall;
    if (end.monotonic < begin.monotonic) return to_ms(wall);
    const Duration monotonic = end.monotonic - begin.monotonic;
    // The two clocks of one boot agree but for steps; a boot in between makes the monotonic time
    // far too short.
    const bool same_boot = monotonic + std::chrono::hours(1) >= wall;
    return to_ms(same_boot ? monotonic : wall);
}

template <class Take>
void for_each_event(std::string_view octets, Take take) {
    ByteReader in(octets);
    while (!in.at_end()) {
        const auto event = ports::decode_call_event(in.text());
        CHECK(event.has_value());
        take(*event);
    }
}

/// A record that grows with each event.
class RecordFold final {
 public:
    void take(const CallEvent& event);
    ports::CallRecord& record() { return record_; }

 private:
    void start(const CallEvent& event);
    void answer(const CallEvent& event);
    void end(const CallEvent& event);

    ports::CallRecord record_;
    Moment started_;
    Moment answered_;
};

void RecordFold::take(const CallEvent& event) {
    switch (event.header.kind) {
        case JournalEventKind::CallStarted:
            start(event);
            break;
        case JournalEventKind::CallRinging:
            if (!record_.ringing) record_.ringing = event.header.wall;
            if (!record_.answered) record_.contact = event.contact;
            break;
        case JournalEventKind::CallAnswered:
            if (!record_.answered) answer(event);
            break;
        case JournalEventKind::CallEnded:
            end(event);
            break;
        case JournalEventKind::DialogEnded:
        case JournalEventKind::CallHeld:
        case JournalEventKind::BindingsChanged:
            break;
    }
}

void RecordFold::start(const CallEvent& event) {
    record_.id = event.header.call;
    record_.tenant = event.header.tenant;
    record_.node = event.header.node;
    record_.shard = event.header.shard;
    record_.snapshot_version = event.header.snapshot_version;
    record_.call_id = event.call_id;
    record_.caller_tag = event.caller_tag;
    record_.from = event.from;
    record_.from_display = event.from_display;
    record_.to = event.to;
    record_.request_uri = event.request_uri;
    record_.user = event.user;
    record_.source = event.source;
    record_.started = event.header.wall;
    started_ = moment_of(event);
}

void RecordFold::answer(const CallEvent& event) {
    record_.answered = event.header.wall;
    record_.contact = event.contact;
    record_.callee_tag = event.callee_tag;
    answered_ = moment_of(event);
}

void RecordFold::end(const CallEvent& event) {
    const Moment ended = moment_of(event);
    record_.ended = ended.wall;
    record_.status = event.status;
    record_.ended_by = event.ended_by;
    record_.reason = event.reason;
    record_.ring_ms = elapsed_ms(started_, record_.is_answered() ? answered_ : ended);
    if (record_.is_answered()) record_.talk_ms = elapsed_ms(answered_, ended);
}

void start(ports::OpenCall& call, const CallEvent& event) {
    call.id = event.header.call;
    call.tenant = event.header.tenant;
    call.call_id = event.call_id;
    call.caller_tag = event.caller_tag;
    call.started = event.header.wall;
    call.snapshot_version = event.header.snapshot_version;
}

void answer(ports::OpenCall& call, const CallEvent& event) {
    call.callee_tags.emplace_back(event.callee_tag);
    if (call.is_answered) return;
    call.is_answered = true;
    call.answered = event.header.wall;
}

void hold(ports::OpenCall& call, const CallEvent& event) {
    call.held_status = event.status;
    call.held_by = event.ended_by;
    call.held_reason = event.reason;
    call.held_at = event.header.wall;
}

void take(ports::OpenCall& call, const CallEvent& event) {
    switch (event.header.kind) {
        case JournalEventKind::CallStarted:
            return start(call, event);
        case JournalEventKind::CallAnswered:
            return answer(call, event);
        case JournalEventKind::DialogEnded:
            std::erase(call.callee_tags, event.callee_tag);
            return;
        case JournalEventKind::CallHeld:
            return hold(call, event);
        case JournalEventKind::CallRinging:
        case JournalEventKind::CallEnded:
        case JournalEventKind::BindingsChanged:
            return;
    }
}

}  // namespace

CallEvents::CallEvents(const ports::EventHeader& started, std::string_view encoded)
    : id_(started.call), started_(started.wall) {
    octets_.reserve(encoded.size() + kRoomBytes);
    add(encoded);
}

void CallEvents::add(std::string_view encoded) {
    ByteWriter(octets_).text(encoded);
}

ports::CallRecord CallEvents::record() const {
    RecordFold fold;
    for_each_event(octets_, [&fold](const CallEvent& event) { fold.take(event); });
    return std::move(fold.record());
}

ports::OpenCall CallEvents::open_call() const {
    ports::OpenCall call;
    for_each_event(octets_, [&call](const CallEvent& event) { take(call, event); });
    return call;
}

}  // namespace signalbox::cdr
