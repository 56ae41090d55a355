// Requests that wait for another shard's word on their credentials.
// Implements: RFC 3261 §22, §9.2 (CANCEL)
#include "core/request_intake.h"
#include "proxy/loop_detection.h"
#include "proxy/resumed_request.h"
#include "transport/receive.h"

namespace signalbox::core {

using proxy::CredentialAnswer;
using proxy::CredentialQuestion;

void RequestIntake::suspend(Now now, const Candidate& candidate, uint8_t shard,
                            CredentialQuestion question, ports::Outbox& out) {
    const SuspendedHandle handle = suspended_.emplace();
    if (!handle) {
        s_.counters.add(Counter::overload_refused_total);
        proxy::Rejection overloaded{503, {}, {}};
        overloaded.headers[0] = {"Retry-After", "5"};
        return reject(now, candidate, overloaded, out);
    }
    SuspendedRequest& suspended = *suspended_.get(handle);
    suspended.bytes = PooledBytes(s_.pool, candidate.request.message.bytes());
    suspended.flow = candidate.request.flow;
    suspended.snapshot = s_.snapshots.use();
    if (candidate.request.method() == sip::Method::Invite) {
        suspended.invite_key = invite_key(candidate.request);
        suspended_invites_[suspended.invite_key] = handle;
    }
    suspended.timer.kind = kSuspendedTimer;
    suspended.timer.owner = handle.packed();
    s_.wheel.arm(suspended.timer, now.monotonic + candidate.request.snapshot.limits.port_timeout);
    question.id = handle.packed();
    encode(proxy::ShardMessage(question), out.shard_message(shard));
}

void RequestIntake::on_credential_answer(Now now, const CredentialAnswer& answer,
                                         ports::Outbox& out) {
    const SuspendedHandle handle = SuspendedHandle::unpack(answer.id);
    SuspendedRequest* found = suspended_.get(handle);
    if (found == nullptr) {
        s_.counters.add(Counter::stale_handles_dropped_total);
        return;
    }
    s_.wheel.cancel(found->timer);
    const proxy::ResumedRequest resumed(found->bytes.view(), found->flow, *found->snapshot);
    const proxy::IncomingRequest& request = resumed.request();
    // Its retransmission may have asked again and been admitted first; then this one is a
    // retransmission itself.
    const auto match = s_.transactions.receive_request(now, request.received(), out.transmits);
    if (match.kind == transaction::RequestMatch::Kind::New) {
        auto routing = proxy::preprocess_route(request, s_.keys, now.wall);
        CHECK(routing.has_value());
        Candidate candidate{request, *routing, {}, 0, false};
        if (examine(now, candidate, out)) judge(now, candidate, answer, out);
    }
    forget(handle);
}

void RequestIntake::on_timer(Now, const TimerDue& due, ports::Outbox& out) {
    const SuspendedHandle handle = SuspendedHandle::unpack(due.owner);
    SuspendedRequest* found = suspended_.get(handle);
    if (found == nullptr) return;
    s_.counters.add(Counter::port_timeouts_total);
    sip::MessageView message;
    CHECK(sip::parse_message(found->bytes.view(), message).has_value());
    s_.reply.send_stateless(message, found->flow, *found->snapshot,
                            {500, "Credentials could not be checked in time", {}}, out.transmits);
    forget(handle);
}

/// An INVITE that was admitted and waits for another shard's word is not refused when it comes
/// again.
bool RequestIntake::is_suspended(const proxy::IncomingRequest& request) const {
    return request.method() == sip::Method::Invite && !suspended_invites_.empty() &&
           suspended_invites_.contains(invite_key(request));
}

bool RequestIntake::cancel_suspended(Now now, const proxy::IncomingRequest& cancel,
                                     ports::Outbox& out) {
    const auto found = suspended_invites_.find(invite_key(cancel));
    if (found == suspended_invites_.end()) return false;
    const SuspendedHandle handle = found->second;
    const SuspendedRequest& suspended = *suspended_.get(handle);
    const proxy::ResumedRequest invite(suspended.bytes.view(), suspended.flow, *suspended.snapshot);
    s_.reply.send_stateless(cancel.message, cancel.flow, cancel.snapshot, {200, {}, {}},
                            out.transmits);
    answer(now, invite.request(), 487,
           s_.reply.render(invite.message(), suspended.flow, *suspended.snapshot, 487), out);
    forget(handle);
    return true;
}

uint64_t RequestIntake::invite_key(const proxy::IncomingRequest& request) const {
    std::array<uint64_t, 2> key = s_.keys.current().siphash_key;
    key[0] ^= siphash(key, request.call_id);
    key[1] ^= request.via.port_or_default();
    key[1] ^= uint64_t{request.cseq.number} << 32;
    key[0] ^= siphash(key, request.via.host);
    return siphash(key, request.via.branch);
}

void RequestIntake::forget(SuspendedHandle handle) {
    const SuspendedRequest* suspended = suspended_.get(handle);
    const auto found = suspended_invites_.find(suspended->invite_key);
    if (found != suspended_invites_.end() && found->second == handle)
        suspended_invites_.erase(found);
    suspended_.erase(handle);
}

}  // namespace signalbox::core
