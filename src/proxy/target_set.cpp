// The proxy's way from a request to its branches. Implements: RFC 3261 §16.5
#include "ports/sharding.h"
#include "proxy/owner.h"
#include "proxy/proxy_core.h"
#include "proxy/request_uri.h"
#include "proxy/resumed_request.h"

namespace signalbox::proxy {

using ports::EndedBy;

namespace {

/// Keeps each URI once: two registrations of the same Contact ring one phone.
void remove_equal_targets(std::vector<Target>& targets) {
    for (size_t i = 0; i < targets.size(); ++i) {
        for (size_t j = targets.size(); j-- > i + 1;) {
            if (targets[i].uri == targets[j].uri && targets[i].flow == targets[j].flow &&
                targets[i].path == targets[j].path) {
                targets.erase(targets.begin() + static_cast<std::ptrdiff_t>(j));
            }
        }
    }
}

}  // namespace

void ProxyCore::find_targets(Now now, ContextHandle handle, const IncomingRequest& request,
                             const Routing& routing, const RelayDecision& relay,
                             ports::Outbox& out) {
    ResponseContext& context = *contexts_.get(handle);
    other_flows_.clear();
    if (routing.edge_flow) {
        const Target target{routing.target_uri, 1000, true, *routing.edge_flow};
        return fork(now, handle, request, routing, {&target, 1}, out);
    }
    if (relay.is_unresolvable && !routing.token)
        return find_contact(now, handle, request, routing, out);
    const auto question = location_question(handle, request, routing, relay);
    if (routing.token && !question) return fork_in_dialog(now, handle, request, routing, out);
    if (relay.is_foreign) {
        const Target target{routing.target_uri, 1000, false, {}};
        return fork(now, handle, request, routing, {&target, 1}, out);
    }
    const uint8_t shard = ports::shard_of_aor(question->tenant, question->aor, setup_.shards);
    if (shard == setup_.shard) {
        const LocationAnswer& answer = s_.directory.answer(now, *question, request.snapshot);
        settle_record(context, request, answer.exists, out);
        return take_targets(now, handle, request, routing, answer, out);
    }
    context.is_locating = true;
    s_.wheel.arm(context.timer, now.monotonic + request.snapshot.limits.port_timeout);
    encode(ShardMessage(*question), out.shard_message(shard));
}

void ProxyCore::on_location_answer(Now now, const LocationAnswer& answer, ports::Outbox& out) {
    const ContextHandle handle = Owner::unpack(answer.id).context();
    ResponseContext* context = contexts_.get(handle);
    if (context == nullptr || !context->is_locating) {
        s_.counters.add(Counter::stale_handles_dropped_total);
        return;
    }
    context->is_locating = false;
    s_.wheel.cancel(context->timer);
    const ResumedRequest resumed(*context);
    const bool may_be_elsewhere = context->shards_asked > 0 && !answer.exists;
    if (may_be_elsewhere && !context->is_final_sent) {
        const auto routing = preprocess_route(resumed.request(), s_.keys, now.wall);
        CHECK(routing.has_value());
        return find_contact(now, handle, resumed.request(), *routing, out);
    }
    settle_record(*context, resumed.request(), answer.exists, out);
    if (context->is_final_sent) return finish_if_done(handle);
    const auto routing = preprocess_route(resumed.request(), s_.keys, now.wall);
    CHECK(routing.has_value());
    take_targets(now, handle, resumed.request(), *routing, answer, out);
}

void ProxyCore::take_targets(Now now, ContextHandle handle, const IncomingRequest& request,
                             const Routing& routing, const LocationAnswer& answer,
                             ports::Outbox& out) {
    if (routing.token && answer.targets.empty())
        return fork_in_dialog(now, handle, request, routing, out);
    if (!answer.exists) return reply_final(now, handle, {404, {}, {}}, out);
    sort_targets(now, request, answer);
    remove_equal_targets(targets_);
    if (targets_.size() > kBranchesMax - 1) targets_.resize(kBranchesMax - 1);
    if (targets_.empty()) return reply_final(now, handle, {480, {}, {}}, out);
    fork(now, handle, request, routing, targets_, out);
}

void ProxyCore::fork(Now now, ContextHandle handle, const IncomingRequest& request,
                     const Routing& routing, std::span<const Target> targets, ports::Outbox& out) {
    ResponseContext& context = *contexts_.get(handle);
    context.branches = context.arena.make_array<Branch>(targets.size());
    std::string scratch;
    for (size_t i = 0; i < targets.size(); ++i) {
        context.branches[i].leg = static_cast<uint16_t>(i + 1);
        context.branches[i].target = context.arena.copy(request_uri_of(targets[i].uri, scratch));
        keep_way(context, i, targets[i], routing);
    }
    for (size_t i = 0; i < targets.size(); ++i) {
        // A branch may fail at once, and the last one to fail ends the context.
        if (contexts_.get(handle) == nullptr) return;
        resolve_or_send(now, handle, i, targets[i], request, routing, out);
    }
}

}  // namespace signalbox::proxy
