// The calls of one shard from the first admitted INVITE to the end.
#include "cdr/call_tracker.h"

#include <algorithm>

#include "base/sip_hasher.h"
#include "cdr/call.h"

namespace signalbox::cdr {
namespace {

using ports::CallEvent;
using ports::EndedBy;
using ports::JournalEventKind;

/// What who got a CANCEL or a BYE says of the INVITE (RFC 3261 §9.2, §15.1.2).
constexpr int kRequestTerminated = 487;

/// True for final responses after which RFC 3261 §8.1.3 lets a caller send the same call again.
bool invites_retry(int status) {
    if (status >= 300 && status < 400) return true;
    switch (status) {
        case 401:
        case 407:
        case 413:
        case 415:
        case 416:
        case 420:
        case 421:
        case 422:
        case 423:
            return true;
        default:
            return false;
    }
}

}  // namespace

CallTracker::CallTracker(const Setup& setup, TimerWheel& wheel, BlockPool& pool, Random& random,
                         Counters& counters)
    : setup_(setup),
      wheel_(wheel),
      pool_(pool),
      counters_(counters),
      numbers_(setup.shard),
      hash_key_{random.next(), random.next()},
      calls_(setup.calls_max) {}

CallTracker::~CallTracker() = default;

uint64_t CallTracker::key(std::string_view call_id, std::string_view caller_tag) const {
    return SipHasher(hash_key_).add(caller_tag).add(call_id).finish();
}

CallHandle CallTracker::insert(uint64_t key_of_call, std::string_view call_id,
                               std::string_view caller_tag) {
    const CallHandle handle = calls_.emplace();
    if (!handle) return {};
    Call& call = *calls_.get(handle);
    std::array<char, 1024> text;
    const size_t id_size = std::min<size_t>(call_id.size(), 640);
    const size_t tag_size = std::min(caller_tag.size(), Call::kTagMax);
    call_id.copy(text.data(), id_size);
    caller_tag.copy(text.data() + id_size, tag_size);
    call.identity = PooledBytes(pool_, {text.data(), id_size + tag_size});
    call.call_id_size = static_cast<uint32_t>(id_size);
    call.caller_tag_size = static_cast<uint32_t>(tag_size);
    call.key = key_of_call;
    call.timer.kind = kCallTimer;
    call.timer.owner = handle.packed();
    by_key_[call.key] = handle;
    return handle;
}

void CallTracker::erase(CallHandle handle) {
    Call* call = calls_.get(handle);
    if (call == nullptr) return;
    const auto found = by_key_.find(call->key);
    if (found != by_key_.end() && found->second == handle) by_key_.erase(found);
    calls_.erase(handle);
}

ports::EventHeader CallTracker::header(Now now, const Call& call, JournalEventKind kind,
                                       uint16_t leg) const {
    ports::EventHeader h;
    h.kind = kind;
    h.call = call.id;
    h.leg = leg;
    h.tenant = call.tenant;
    h.node = setup_.node;
    h.shard = setup_.shard;
    h.snapshot_version = call.snapshot_version;
    h.wall = now.wall;
    h.monotonic = now.monotonic;
    return h;
}

CallHandle CallTracker::begin(Now now, const CallStart& start, ports::Outbox& out) {
    const uint64_t key_of_call = key(start.call_id, start.caller_tag);
    const CallHandle known = find_by_key(key_of_call, start.call_id, start.caller_tag);
    if (known) {
        Call& call = *calls_.get(known);
        const bool is_journalled = call.held_events > 0;  // and not only for a restart
        if (call.held_status != 0 && is_journalled) hold(now, call, 0, EndedBy::Nobody, {}, out);
        call.held_status = 0;
        if (!call.is_answered) call.timer.is_armed() ? wheel_.cancel(call.timer) : void();
        return known;
    }
    const CallHandle handle = insert(key_of_call, start.call_id, start.caller_tag);
    if (!handle) {
        counters_.add(Counter::calls_untracked_total);
        return {};
    }
    Call& call = *calls_.get(handle);
    call.id = numbers_.next(now.wall);
    call.tenant = start.tenant;
    call.snapshot_version = start.snapshot_version;
    call.started = now.wall;
    call.call_max = start.call_max;
    CallEvent event;
    event.header = header(now, call, JournalEventKind::CallStarted, 0);
    event.call_id = start.call_id;
    event.caller_tag = start.caller_tag;
    event.from = start.from;
    event.from_display = start.from_display;
    event.to = start.to;
    event.request_uri = start.request_uri;
    event.user = start.user;
    event.source = start.source;
    out.journal(event);
    counters_.add(Counter::calls_started_total);
    return handle;
}

void CallTracker::ringing(Now now, CallHandle handle, uint16_t leg, std::string_view contact,
                          ports::Outbox& out) {
    Call* call = calls_.get(handle);
    if (call == nullptr || call->has_rung || call->is_answered) return;
    call->has_rung = true;
    CallEvent event;
    event.header = header(now, *call, JournalEventKind::CallRinging, leg);
    event.contact = contact;
    out.journal(event);
}

void CallTracker::answered(Now now, CallHandle handle, uint16_t leg, std::string_view callee_tag,
                           std::string_view contact, ports::Outbox& out) {
    Call* call = calls_.get(handle);
    if (call == nullptr) return;
    callee_tag = callee_tag.substr(0, Call::kTagMax);
    const uint64_t dialog = siphash(hash_key_, callee_tag);
    const auto end = call->dialogs.begin() + call->dialog_count;
    if (std::find(call->dialogs.begin(), end, dialog) != end) return;
    if (call->dialog_count == Call::kDialogsMax) return;
    call->dialogs[call->dialog_count++] = dialog;
    CallEvent event;
    event.header = header(now, *call, JournalEventKind::CallAnswered, leg);
    event.contact = contact;
    event.callee_tag = callee_tag;
    out.journal(event);
    if (call->is_answered) return;
    call->is_answered = true;
    call->answered_wall = now.wall;
    call->held_status = 0;
    counters_.add(Counter::calls_answered_total);
    std::array<char, 1280> text;
    const std::string_view identity = call->identity.view();
    identity.copy(text.data(), identity.size());
    callee_tag.copy(text.data() + identity.size(), callee_tag.size());
    call->identity = PooledBytes(pool_, {text.data(), identity.size() + callee_tag.size()});
    wheel_.arm(call->timer, now.monotonic + call->lifetime());
}

void CallTracker::failed(Now now, CallHandle handle, int status, EndedBy by,
                         std::string_view reason, ports::Outbox& out) {
    Call* call = calls_.get(handle);
    if (call == nullptr || call->is_answered) return;
    if (status == kRequestTerminated && call->early_bye_by != EndedBy::Nobody)
        by = call->early_bye_by;
    if (!invites_retry(status)) {
        end(now, handle, status, by, reason, out);
        return;
    }
    hold(now, *call, status, by, reason.substr(0, 128), out);
    wheel_.arm(call->timer, now.monotonic + kRetryWindow);
}

/// A caller may try again for ever: after some times the journal is told no more.
void CallTracker::hold(Now now, Call& call, int status, EndedBy by, std::string_view reason,
                       ports::Outbox& out) {
    call.held_status = static_cast<uint16_t>(status);
    call.held_by = by;
    call.held_at = now;
    call.held_reason = PooledBytes(pool_, reason);
    if (call.held_events == Call::kHeldEventsMax) return;
    ++call.held_events;
    CallEvent event;
    event.header = header(now, call, JournalEventKind::CallHeld, 0);
    event.status = call.held_status;
    event.ended_by = by;
    event.reason = reason;
    out.journal(event);
}

void CallTracker::bye_before_answer(CallHandle handle, EndedBy by) {
    Call* call = calls_.get(handle);
    if (call == nullptr || call->is_answered) return;
    if (call->early_bye_by == EndedBy::Nobody) call->early_bye_by = by;
}

void CallTracker::dialog_ended(CallHandle handle, Now bye_at, std::string_view callee_tag,
                               EndedBy by, std::string_view reason, ports::Outbox& out) {
    Call* call = calls_.get(handle);
    if (call == nullptr || !call->is_answered) return;
    callee_tag = callee_tag.substr(0, Call::kTagMax);
    const uint64_t dialog = siphash(hash_key_, callee_tag);
    const auto last = call->dialogs.begin() + call->dialog_count;
    const auto found = std::find(call->dialogs.begin(), last, dialog);
    if (found == last) return;
    const auto bit = static_cast<uint8_t>(1u << (found - call->dialogs.begin()));
    if ((call->ended_dialogs & bit) != 0) return;
    call->ended_dialogs |= bit;
    if (call->ended_dialogs == (1u << call->dialog_count) - 1)
        return end(bye_at, handle, 200, by, reason, out);
    CallEvent event;
    event.header = header(bye_at, *call, JournalEventKind::DialogEnded, 0);
    event.callee_tag = callee_tag;
    out.journal(event);
}

void CallTracker::end(Now now, CallHandle handle, int status, EndedBy by, std::string_view reason,
                      ports::Outbox& out) {
    Call& call = *calls_.get(handle);
    CallEvent event;
    event.header = header(now, call, JournalEventKind::CallEnded, 0);
    event.status = static_cast<uint16_t>(status);
    event.ended_by = by;
    event.reason = reason;
    out.journal(event);
    counters_.add(Counter::calls_ended_total);
    erase(handle);
}

void CallTracker::session_refreshed(Now now, CallHandle handle, std::optional<Duration> interval) {
    Call* call = calls_.get(handle);
    if (call == nullptr) return;
    const bool had_limit = call->has_session_limit();
    call->session = interval.value_or(Duration{});
    if (!call->is_answered || (!had_limit && !call->has_session_limit())) return;
    wheel_.arm(call->timer, now.monotonic + call->lifetime());
}

CallHandle CallTracker::find_by_key(uint64_t key_of_call, std::string_view call_id,
                                    std::string_view caller_tag) const {
    const auto found = by_key_.find(key_of_call);
    if (found == by_key_.end()) return {};
    const Call* call = calls_.get(found->second);
    const bool is_it = call != nullptr && call_id.starts_with(call->call_id()) &&
                       caller_tag.starts_with(call->caller_tag());
    return is_it ? found->second : CallHandle{};
}

CallHandle CallTracker::find(std::string_view call_id, std::string_view caller_tag) const {
    return find_by_key(key(call_id, caller_tag), call_id, caller_tag);
}

CallHandle CallTracker::find(std::string_view call_id, std::string_view tag_a,
                             std::string_view tag_b) const {
    const CallHandle call = find(call_id, tag_a);
    return call ? call : find(call_id, tag_b);
}

bool CallTracker::is_caller_tag(CallHandle handle, std::string_view tag) const {
    const Call* call = calls_.get(handle);
    return call != nullptr && call->caller_tag() == tag.substr(0, call->caller_tag_size);
}

bool CallTracker::is_answered(CallHandle handle) const {
    const Call* call = calls_.get(handle);
    return call != nullptr && call->is_answered;
}

void CallTracker::contact_shown(CallHandle handle, bool by_caller, uint64_t contact_hash) {
    Call* call = calls_.get(handle);
    if (call == nullptr) return;
    Call::Shown& shown = call->shown[by_caller ? 0 : 1];
    if (shown[0] != contact_hash) shown = {contact_hash, shown[0]};
}

bool CallTracker::has_shown(CallHandle handle, uint64_t contact_hash) const {
    const Call* call = calls_.get(handle);
    if (call == nullptr || contact_hash == 0) return false;
    return std::any_of(call->shown.begin(), call->shown.end(),
                       [contact_hash](const Call::Shown& shown) {
                           return shown[0] == contact_hash || shown[1] == contact_hash;
                       });
}

void CallTracker::on_timer(Now now, const TimerDue& due, ports::Outbox& out) {
    const CallHandle handle = CallHandle::unpack(due.owner);
    Call* call = calls_.get(handle);
    if (call == nullptr) return;
    if (call->is_answered) {
        const bool has_expired = call->has_session_limit();
        end(now, handle, 200, EndedBy::Server,
            has_expired ? "Session expired" : "No BYE within call_max", out);
    } else if (call->held_status != 0) {
        const PooledBytes reason = std::move(call->held_reason);
        end(call->held_at, handle, call->held_status, call->held_by, reason.view(), out);
    }
}

uint32_t CallTracker::size() const {
    return calls_.size();
}

}  // namespace signalbox::cdr
