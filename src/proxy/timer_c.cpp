// What a context does when time is up: Timer C, and the deadlines of ports. Implements: RFC 3261
// §16.8
#include <algorithm>

#include "proxy/proxy_core.h"
#include "proxy/resumed_request.h"

namespace signalbox::proxy {

void ProxyCore::arm(ContextHandle handle) {
    ResponseContext* context = contexts_.get(handle);
    if (context == nullptr) return;
    Instant earliest = kNever;
    for (const Branch& branch : context->branches) {
        if (branch.state != BranchState::Final)
            earliest =
                std::min({earliest, branch.deadline, branch.hop_deadline, branch.ring_until});
    }
    if (context->has_waiting()) earliest = std::min(earliest, context->fork.next_group_at);
    if (earliest == kNever) {
        s_.wheel.cancel(context->timer);
    } else {
        s_.wheel.arm(context->timer, earliest);
    }
}

void ProxyCore::on_timer(Now now, const TimerDue& due, ports::Outbox& out) {
    if (due.kind == kWaitingAckTimer)
        return go_on_with_ack(now, WaitingAckHandle::unpack(due.owner), out);
    const ContextHandle handle = ContextHandle::unpack(due.owner);
    ResponseContext* context = contexts_.get(handle);
    if (context == nullptr) return;
    if (are_invites_ending_ && context->is_invite() && !context->is_final_sent)
        return end_invite(now, handle, out);
    if (context->is_locating) {
        // Another shard owes where the callee is. It is overloaded or stuck: the call fails, nobody
        // waits longer.
        context->is_locating = false;
        s_.counters.add(Counter::port_timeouts_total);
        if (context->is_final_sent) {
            settle_record(*context, ResumedRequest(*context).request(), true, out);
            return finish_if_done(handle);
        }
        return reply_final(now, handle, {500, "Location service did not answer", {}}, out);
    }
    for (size_t i = 0;
         contexts_.get(handle) != nullptr && i < contexts_.get(handle)->branches.size(); ++i) {
        const Branch& branch = contexts_.get(handle)->branches[i];
        if (branch.state == BranchState::Final) continue;
        if (branch.hop_deadline <= now.monotonic) {
            hop_overdue(now, handle, i, out);
        } else if (branch.deadline <= now.monotonic) {
            branch_overdue(now, handle, i, out);
        } else if (branch.ring_until <= now.monotonic) {
            leave_branch(now, handle, i, out);
        }
    }
    context = contexts_.get(handle);
    if (context != nullptr && context->has_waiting() &&
        context->fork.next_group_at <= now.monotonic)
        next_group_due(now, handle, out);
    continue_fork(now, handle, out);
    arm(handle);
}

void ProxyCore::branch_overdue(Now now, ContextHandle handle, size_t index, ports::Outbox& out) {
    Branch& branch = contexts_.get(handle)->branches[index];
    s_.counters.add(Counter::timer_c_fired_total);
    branch.deadline = kNever;
    if (!branch.has_provisional) {
        s_.transactions.abandon(branch.client);
        return branch_failed(now, handle, index, 408, out);
    }
    branch.is_cancelled = true;
    s_.transactions.cancel(now, branch.client, {}, out.transmits);
}

}  // namespace signalbox::proxy
