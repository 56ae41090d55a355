// Calls as values: those of before a restart are taken up, those that live are shown.
#include <algorithm>

#include "cdr/call.h"
#include "cdr/call_tracker.h"

namespace signalbox::cdr {

using ports::EndedBy;

void CallTracker::restore(Now now, const ports::OpenCall& open, Duration call_max) {
    const uint64_t key_of_call = key(open.call_id, open.caller_tag);
    if (find_by_key(key_of_call, open.call_id, open.caller_tag)) return;
    const CallHandle handle = insert(key_of_call, open.call_id, open.caller_tag);
    if (!handle) {
        counters_.add(Counter::calls_untracked_total);
        return;
    }
    Call& call = *calls_.get(handle);
    call.id = open.id;
    call.tenant = open.tenant;
    call.snapshot_version = open.snapshot_version;
    call.started = open.started;
    call.call_max = call_max;
    if (open.is_answered) {
        call.is_answered = true;
        call.answered_wall = open.answered;
        for (const std::string& tag : open.callee_tags) {
            if (call.dialog_count < Call::kDialogsMax)
                call.dialogs[call.dialog_count++] = siphash(hash_key_, tag);
        }
        const Duration used = std::max<Duration>(now.wall - open.answered, Duration{});
        wheel_.arm(call.timer,
                   now.monotonic + std::max<Duration>(call_max - used, TimerWheel::kTick));
        return;
    }
    const bool is_held = open.held_status != 0;
    const Duration held_for =
        is_held ? std::max<Duration>(now.wall - open.held_at, Duration{}) : Duration{};
    call.held_events = is_held ? 1 : 0;
    call.held_status = is_held ? open.held_status : 500;
    call.held_by = is_held ? open.held_by : EndedBy::Server;
    call.held_at = {now.monotonic - held_for, is_held ? open.held_at : now.wall};
    call.held_reason = PooledBytes(pool_, is_held ? open.held_reason : "Server restarted");
    wheel_.arm(call.timer,
               now.monotonic + std::max<Duration>(kRetryWindow - held_for, TimerWheel::kTick));
}

ports::LiveCallsReply CallTracker::page(uint32_t after, uint32_t limit) const {
    ports::LiveCallsReply reply;
    uint32_t place = after;
    for (; place < calls_.places() && reply.calls.size() < limit; ++place) {
        const Call* call = calls_.get(calls_.at(place));
        if (call == nullptr) continue;
        ports::OpenCall open;
        open.id = call->id;
        open.tenant = call->tenant;
        open.call_id = call->call_id();
        open.caller_tag = call->caller_tag();
        if (call->is_answered) open.callee_tags.emplace_back(call->callee_tag());
        open.is_answered = call->is_answered;
        open.started = call->started;
        open.answered = call->answered_wall;
        open.snapshot_version = call->snapshot_version;
        reply.calls.push_back(std::move(open));
    }
    reply.next = place < calls_.places() ? place : 0;
    return reply;
}

}  // namespace signalbox::cdr
