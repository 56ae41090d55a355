// The fold of journal events into call records.
#include "cdr/call_fold.h"

#include <algorithm>

namespace signalbox::cdr {
namespace {

using ports::CallEvent;
using ports::JournalEventKind;

uint64_t to_ms(Duration duration) {
    const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(duration).count();
    return ms < 0 ? 0 : static_cast<uint64_t>(ms);
}

/// The time between two events: monotonic, unless the machine was started again between them and
/// the wall clock knows better.
uint64_t elapsed_ms(WallTime wall_begin, Instant begin, WallTime wall_end, Instant end) {
    if (end >= begin) {
        const Duration monotonic = end - begin;
        const Duration wall = wall_end - wall_begin;
        // The two clocks of one boot agree but for steps; a boot in between makes the monotonic
        // time far too short.
        const bool same_boot = monotonic + std::chrono::hours(1) >= wall;
        return to_ms(same_boot ? monotonic : wall);
    }
    return to_ms(wall_end - wall_begin);
}

}  // namespace

bool CallFold::apply(std::string_view encoded_event) {
    const auto header = ports::decode_header(encoded_event);
    if (!header) return false;
    if (header->kind == JournalEventKind::BindingsChanged) return true;
    const auto event = ports::decode_call_event(encoded_event);
    if (!event) return false;
    if (header->kind == JournalEventKind::CallStarted) {
        start(*event);
        return true;
    }
    const auto found = open_.find(header->call);
    if (found == open_.end()) return true;
    Open& open = found->second;
    ports::CallRecord& record = open.record;
    switch (header->kind) {
        case JournalEventKind::CallRinging:
            if (!record.ringing) record.ringing = header->wall;
            if (!record.answered) record.contact = event->contact;
            break;
        case JournalEventKind::CallAnswered:
            answer(open, *event);
            break;
        case JournalEventKind::DialogEnded:
            std::erase(open.dialogs, event->callee_tag);
            break;
        case JournalEventKind::CallHeld:
            hold(open, *event);
            break;
        case JournalEventKind::CallEnded:
            end(open, *event);
            open_.erase(found);
            break;
        case JournalEventKind::CallStarted:
        case JournalEventKind::BindingsChanged:
            break;
    }
    return true;
}

void CallFold::start(const CallEvent& event) {
    Open open;
    ports::CallRecord& record = open.record;
    record.id = event.header.call;
    record.tenant = event.header.tenant;
    record.node = event.header.node;
    record.shard = event.header.shard;
    record.snapshot_version = event.header.snapshot_version;
    record.call_id = event.call_id;
    record.caller_tag = event.caller_tag;
    record.from = event.from;
    record.from_display = event.from_display;
    record.to = event.to;
    record.request_uri = event.request_uri;
    record.user = event.user;
    record.source = event.source;
    record.started = event.header.wall;
    open.started = event.header.monotonic;
    open.order = next_order_++;
    open_.try_emplace(record.id, std::move(open));
}

void CallFold::answer(Open& open, const CallEvent& event) {
    open.dialogs.emplace_back(event.callee_tag);
    ports::CallRecord& record = open.record;
    if (record.answered) return;
    record.answered = event.header.wall;
    record.contact = event.contact;
    record.callee_tag = event.callee_tag;
    open.answered = event.header.monotonic;
}

void CallFold::hold(Open& open, const CallEvent& event) {
    open.held_status = event.status;
    open.held_by = event.ended_by;
    open.held_reason = event.reason;
    open.held_at = event.header.wall;
}

void CallFold::end(Open& open, const CallEvent& event) {
    ports::CallRecord& record = open.record;
    const ports::EventHeader& header = event.header;
    record.ended = header.wall;
    record.status = event.status;
    record.ended_by = event.ended_by;
    record.reason = event.reason;
    if (record.answered) {
        record.ring_ms = elapsed_ms(record.started, open.started, *record.answered, open.answered);
        record.talk_ms = elapsed_ms(*record.answered, open.answered, header.wall, header.monotonic);
    } else {
        record.ring_ms = elapsed_ms(record.started, open.started, header.wall, header.monotonic);
    }
    ended_.push_back(std::move(record));
}

std::vector<ports::CallRecord> CallFold::take_ended() {
    return std::exchange(ended_, {});
}

std::vector<ports::OpenCall> CallFold::open_calls() const {
    std::vector<const Open*> in_order;
    in_order.reserve(open_.size());
    for (const auto& [id, open] : open_) in_order.push_back(&open);
    std::sort(in_order.begin(), in_order.end(),
              [](const Open* a, const Open* b) { return a->order < b->order; });
    std::vector<ports::OpenCall> calls;
    calls.reserve(in_order.size());
    for (const Open* open : in_order) {
        const ports::CallRecord& record = open->record;
        ports::OpenCall call;
        call.id = record.id;
        call.tenant = record.tenant;
        call.call_id = record.call_id;
        call.caller_tag = record.caller_tag;
        call.callee_tags = open->dialogs;
        call.is_answered = record.is_answered();
        call.started = record.started;
        call.answered = record.answered.value_or(WallTime{});
        call.snapshot_version = record.snapshot_version;
        call.held_status = open->held_status;
        call.held_by = open->held_by;
        call.held_reason = open->held_reason;
        call.held_at = open->held_at;
        calls.push_back(std::move(call));
    }
    return calls;
}

}  // namespace signalbox::cdr
