// The proxy's way from a request to its branches. Implements: RFC 3261 §16.5, §8.3
#include <algorithm>
#include <vector>

#include "location/location.h"
#include "ports/sharding.h"
#include "proxy/fork_strategy.h"
#include "proxy/owner.h"
#include "proxy/proxy_core.h"
#include "proxy/resumed_request.h"
#include "redirect/contact_list.h"
#include "redirect/direct_contact.h"

namespace signalbox::proxy {

using ports::EndedBy;

namespace {

/// Whether the caller himself can get there: not where only this server's flow, or a Path, leads.
bool is_callable(const Target& target, const IncomingRequest& request) {
    const auto uri = sip::parse_uri(target.uri);
    const auto asked = sip::parse_uri(request.message.request_uri());
    const bool is_sips = asked && asked->scheme == sip::Scheme::Sips;
    return uri && target.path.empty() && !location::is_unresolvable(*uri) &&
           redirect::is_direct(*uri, target.flow.remote.address, is_sips);
}

}  // namespace

void ProxyCore::find_targets(Now now, ContextHandle handle, const IncomingRequest& request,
                             const Routing& routing, const RelayDecision& relay,
                             ports::Outbox& out) {
    ResponseContext& context = *contexts_.get(handle);
    other_flows_.clear();
    if (routing.edge_flow) {
        const Target target{routing.target(), 1000, true,
                            transport::only_by_connection(*routing.edge_flow)};
        return fork(now, handle, request, routing, {&target, 1}, out);
    }
    if (relay.is_unresolvable && !routing.token)
        return find_contact(now, handle, request, routing, out);
    const auto question = location_question(handle, request, routing, relay);
    if (routing.token && !question) return fork_in_dialog(now, handle, request, routing, out);
    const bool redirects = request.mode == ports::ProxyMode::Redirect;
    if (relay.is_foreign && redirects) return reply_final(now, handle, {404, {}, {}}, out);
    if (relay.is_foreign) {
        const Target target{routing.target(), 1000, false, {}};
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
    const Owner owner = Owner::unpack(answer.id);
    const ContextHandle handle = owner.context();
    ResponseContext* context = contexts_.get(handle);
    if (context != nullptr && owner.branch < context->branches.size() &&
        context->branches[owner.branch].needs_location &&
        context->branches[owner.branch].state == BranchState::Resolving)
        return on_branch_located(now, handle, owner.branch, answer, out);
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
    // Deviation: RFC 3261 §16.5 — a phone that registers while others ring does not join them: the
    // targets are those of the moment of the call, as its record will say.
    sort_targets(now, request, answer);
    order_by_q(targets_);
    const size_t different = remove_equal_targets(targets_);
    s_.counters.add(Counter::equal_targets_removed_total, targets_.size() - different);
    targets_.resize(std::min(different, kBranchesMax));
    if (targets_.empty()) return reply_final(now, handle, {480, {}, {}}, out);
    if (request.mode == ports::ProxyMode::Redirect && !routing.token)
        return redirect(now, handle, request, targets_, out);
    fork(now, handle, request, routing, targets_, out);
}

/// RFC 3261 §8.3: the caller is told where the user is, and calls there himself.
void ProxyCore::redirect(Now now, ContextHandle handle, const IncomingRequest& request,
                         std::span<const Target> targets, ports::Outbox& out) {
    std::vector<redirect::Alternative> alternatives;
    for (const Target& target : targets) {
        if (is_callable(target, request))
            alternatives.push_back({target.uri, target.q, target.expires_s});
    }
    if (alternatives.empty()) return reply_final(now, handle, {480, {}, {}}, out);
    std::string contacts = redirect::contact_list(alternatives, request.message.request_uri());
    if (contacts.empty()) return reply_final(now, handle, {404, {}, {}}, out);
    s_.counters.add(Counter::requests_redirected_total);
    Rejection redirection{302, {}, {}};
    redirection.headers[0] = {"Contact", std::move(contacts)};
    reply_final(now, handle, redirection, out);
}

}  // namespace signalbox::proxy
