// Begins the branches of a request, group by group, and leaves those whose time to ring is over.
// Implements: RFC 3261 §16.6, §16.7 steps 4 and 10; RFC 5393 §5.3
#include <algorithm>

#include "proxy/fork_strategy.h"
#include "proxy/proxy_core.h"
#include "proxy/request_uri.h"
#include "proxy/resumed_request.h"

namespace signalbox::proxy {

namespace {

Instant later(Instant at, Duration delay) {
    return delay == Duration::max() ? kNever : at + delay;
}

}  // namespace

void ProxyCore::fork(Now now, ContextHandle handle, const IncomingRequest& request,
                     const Routing& routing, std::span<const Target> targets, ports::Outbox& out) {
    ResponseContext& context = *contexts_.get(handle);
    const ports::ForkOrder order = request.snapshot.forking.order;
    context.fork.breadth_free = static_cast<uint8_t>(incoming_breadth(request.message));
    if (context.fork.breadth_free == 0) return reply_final(now, handle, {440, {}, {}}, out);
    context.branches = context.arena.make_array<Branch>(targets.size());
    context.targets = context.arena.make_array<Target>(targets.size());
    for (size_t i = 0; i < targets.size(); ++i) {
        const bool begins = i > 0 && begins_group(order, targets[i - 1].q, targets[i].q);
        place_target(context, i, targets[i], begins, routing);
    }
    begin_branches(now, handle, request, routing, out);
}

void ProxyCore::place_target(ResponseContext& context, size_t index, const Target& target,
                             bool begins_group, const Routing& routing) {
    Target& kept = context.targets[index];
    kept = target;
    std::string scratch;
    kept.uri = context.arena.copy(request_uri_of(target.uri, scratch));
    Branch& branch = context.branches[index];
    branch.target = kept.uri;
    branch.begins_group = begins_group;
    keep_way(context, index, target, routing);
    kept.path = branch.path;
}

void ProxyCore::begin_branches(Now now, ContextHandle handle, const IncomingRequest& request,
                               const Routing& routing, ports::Outbox& out) {
    // Branches may fail at once; the last of them must not end the context under this loop.
    contexts_.get(handle)->fork.is_starting = true;
    while (may_begin_next(*contexts_.get(handle))) {
        ResponseContext& context = *contexts_.get(handle);
        const size_t index = context.fork.begun;
        admit_branch(now, context, index);
        if (context.branches[index].needs_location) {
            locate_branch(now, handle, index, out);
        } else {
            resolve_or_send(now, handle, index, context.targets[index], request, routing, out);
        }
    }
    ResponseContext& context = *contexts_.get(handle);
    context.fork.is_starting = false;
    if (context.has_waiting() && context.fork.breadth_free == 0)
        s_.counters.add(Counter::branches_delayed_by_max_breadth_total);
    if (context.branches.size() > 1) arm(handle);
    send_best_if_done(now, handle, out);
}

void ProxyCore::admit_branch(Now now, ResponseContext& context, size_t index) {
    ForkProgress& fork = context.fork;
    Branch& branch = context.branches[index];
    const GroupPlan plan =
        group_plan(context.snapshot->forking, context.is_invite(),
                   is_in_last_group(context.branches, index), context.snapshot->timers.t2);
    if (index == 0 || branch.begins_group) {
        fork.is_next_due = false;
        fork.next_group_at = later(now.monotonic, plan.next_after);
    }
    branch.state = BranchState::Resolving;
    branch.leg = static_cast<uint16_t>(index + 1);
    branch.ring_until = later(now.monotonic, plan.ring_limit);
    branch.breadth = breadth_share(context.branches.subspan(index), fork.breadth_free);
    fork.breadth_free = static_cast<uint8_t>(fork.breadth_free - branch.breadth);
    ++fork.begun;
}

void ProxyCore::continue_fork(Now now, ContextHandle handle, ports::Outbox& out) {
    const ResponseContext* context = contexts_.get(handle);
    if (context == nullptr || context->fork.is_starting || !may_begin_next(*context)) return;
    const ResumedRequest resumed(*context);
    const auto routing = preprocess_route(resumed.request(), s_.keys, now.wall);
    CHECK(routing.has_value());
    begin_branches(now, handle, resumed.request(), *routing, out);
}

void ProxyCore::next_group_due(Now now, ContextHandle handle, ports::Outbox& out) {
    ResponseContext& context = *contexts_.get(handle);
    context.fork.next_group_at = kNever;
    context.fork.is_next_due = true;
    const GroupPlan plan = group_plan(context.snapshot->forking, context.is_invite(), false,
                                      context.snapshot->timers.t2);
    if (!plan.is_left_for_next) return;
    context.fork.is_starting = true;
    for (size_t i = 0; i < context.fork.begun; ++i) leave_branch(now, handle, i, out);
    context.fork.is_starting = false;
}

/// Its final response is not waited for before others ring; a 2xx of it wins all the same (RFC 3261
/// §16.7 steps 5 and 10).
void ProxyCore::leave_branch(Now now, ContextHandle handle, size_t index, ports::Outbox& out) {
    Branch& branch = contexts_.get(handle)->branches[index];
    if (branch.state == BranchState::Final || branch.is_cancelled) return;
    s_.counters.add(Counter::ring_times_ended_total);
    branch.ring_until = kNever;
    branch.is_cancelled = true;
    if (branch.state == BranchState::Resolving) return branch_failed(now, handle, index, 408, out);
    branch.deadline = kNever;
    branch.is_left = true;
    s_.transactions.cancel(now, branch.client, {}, out.transmits);
}

}  // namespace signalbox::proxy
