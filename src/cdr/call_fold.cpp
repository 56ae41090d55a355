// The fold of journal events into call records.
#include "cdr/call_fold.h"

#include <algorithm>
#include <utility>

namespace signalbox::cdr {

using ports::JournalEventKind;

bool CallFold::apply(std::string_view encoded_event) {
    if (const auto event = ports::decode_call_event(encoded_event)) {
        take(*event, encoded_event);
        return true;
    }
    const auto header = ports::decode_header(encoded_event);
    return header && header->kind == JournalEventKind::BindingsChanged;
}

bool CallFold::take(const ports::CallEvent& event, std::string_view encoded) {
    if (event.header.kind == JournalEventKind::CallStarted) {
        return open_.try_emplace(event.header.call, event, encoded, begun_++).second;
    }
    const auto found = open_.find(event.header.call);
    if (found == open_.end()) return false;
    CallEvents& events = found->second.events;
    events.add(encoded);
    if (event.header.kind == JournalEventKind::CallEnded) {
        ended_.push_back(std::move(events));
        open_.erase(found);
    }
    return true;
}

std::vector<CallEvents> CallFold::take_ended() {
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
    for (const Open* open : in_order) calls.push_back(open->events.open_call());
    return calls;
}

std::string_view CallFold::octets_of(uint64_t call) const {
    const auto found = open_.find(call);
    return found == open_.end() ? std::string_view{} : found->second.events.octets();
}

}  // namespace signalbox::cdr
