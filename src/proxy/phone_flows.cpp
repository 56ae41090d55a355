// The ways to registered phones: their Paths, their flows, and the one phone that a GRUU means.
// Implements: RFC 3327 §5.4; RFC 5626 §5.3, §7; RFC 5627 §5.1
#include "proxy/flow_token.h"
#include "proxy/owner.h"
#include "proxy/proxy_core.h"
#include "proxy/request_uri.h"
#include "proxy/resumed_request.h"

namespace signalbox::proxy {

namespace {

constexpr uint64_t kWholeContext = 63;  // not a branch: the answer is for the context

}  // namespace

/// What to ask the shard of the address of record; nothing where the dialog's own flow decides. A
/// phone that shows its GRUU is looked for anew in a dialog too: its flow may be another by now.
std::optional<LocationQuestion> ProxyCore::location_question(ContextHandle handle,
                                                             const IncomingRequest& request,
                                                             const Routing& routing,
                                                             const RelayDecision& relay) const {
    LocationQuestion question;
    question.id = Owner::of_branch(handle, kWholeContext);
    if (!routing.token) {
        question.tenant = relay.target_tenant;
        question.aor = relay.target_aor;
        question.instance = relay.target_instance;
        question.registration = relay.target_registration;
        return question;
    }
    if (!routing.gruu || hop_hash(routing.uri) != routing.token->next_hop) return std::nullopt;
    question.tenant = request.snapshot.tenant_of(routing.uri);
    question.aor = routing.gruu->aor;
    question.instance = routing.gruu->instance;
    question.registration = routing.gruu->registration;
    return question;
}

/// Asks one shard after the other which has the binding: rare enough, as transfers between browser
/// phones are.
void ProxyCore::find_contact(Now now, ContextHandle handle, const IncomingRequest& request,
                             const Routing& routing, ports::Outbox& out) {
    ResponseContext& context = *contexts_.get(handle);
    LocationQuestion question;
    question.id = Owner::of_branch(handle, kWholeContext);
    question.contact = routing.target_uri;
    while (context.shards_asked < setup_.shards) {
        const uint8_t shard = context.shards_asked++;
        if (shard != setup_.shard) {
            context.is_locating = true;
            s_.wheel.arm(context.timer, now.monotonic + request.snapshot.limits.port_timeout);
            encode(ShardMessage(question), out.shard_message(shard));
            return;
        }
        const LocationAnswer& answer = s_.directory.answer(now, question, request.snapshot);
        if (!answer.exists) continue;
        settle_record(context, request, true, out);
        return take_targets(now, handle, request, routing, answer, out);
    }
    settle_record(context, request, false, out);
    reply_final(now, handle, {404, {}, {}}, out);
}

void ProxyCore::fork_in_dialog(Now now, ContextHandle handle, const IncomingRequest& request,
                               const Routing& routing, ports::Outbox& out) {
    const auto flow = in_dialog_flow(request, routing);
    if (!flow) return reply_final(now, handle, {480, {}, {}}, out);
    const Target target{routing.target_uri, 1000, true, *flow};
    fork(now, handle, request, routing, {&target, 1}, out);
}

/// The targets that ring, and apart from them the other flows of the same phones: no phone rings
/// twice.
void ProxyCore::sort_targets(Now now, const IncomingRequest& request,
                             const LocationAnswer& answer) {
    targets_.clear();
    other_flows_.clear();
    for (Target target : answer.targets) {
        take_own_hops(now, request, target);
        (target.is_other_flow ? other_flows_ : targets_).push_back(target);
    }
}

/// A path may lead back to this server, which was the first hop of the phone too: then the token in
/// it names the phone's flow.
void ProxyCore::take_own_hops(Now now, const IncomingRequest& request, Target& target) const {
    const ports::Snapshot& snapshot = request.snapshot;
    while (!target.path.empty()) {
        std::string_view rest;
        const auto hop = sip::parse_name_addr(target.path, ErrorCode::malformed_route, &rest);
        if (!hop || !hop->uri.is_sip() || snapshot.tenant_of(hop->uri) == ports::kNoTenant) return;
        target.path = rest;
        const auto flow = hop->uri.has_user ? open_flow_token(hop->uri.user, s_.keys, now.wall,
                                                              snapshot.listeners)
                                            : std::optional<transport::Flow>{};
        if (!flow) continue;
        target.has_flow = true;
        target.flow = transport::only_by_connection(*flow);
        return;
    }
}

/// Copies what leads to the target into the context, with the phone's other flows.
void ProxyCore::keep_way(ResponseContext& context, size_t index, const Target& target,
                         const Routing& routing) {
    Branch& branch = context.branches[index];
    branch.path = context.arena.copy(target.path);
    branch.is_binding = target.has_flow && !routing.token;
    branch.is_edge_flow = routing.edge_flow.has_value();
    branch.is_only_by_connection =
        routing.token && target.has_flow && transport::is_only_by_connection(target.flow);
    const auto is_same_phone = [&target](const Target& other) {
        return target.instance != 0 && other.instance == target.instance;
    };
    const auto count =
        static_cast<size_t>(std::count_if(other_flows_.begin(), other_flows_.end(), is_same_phone));
    if (count == 0) return;
    const std::span<Target> kept = context.arena.make_array<Target>(count);
    std::string scratch;
    size_t place = 0;
    for (const Target& other : other_flows_) {
        if (!is_same_phone(other)) continue;
        kept[place] = other;
        kept[place].uri = context.arena.copy(request_uri_of(other.uri, scratch));
        kept[place].path = context.arena.copy(other.path);
        ++place;
    }
    branch.other_flows = kept;
}

/// False when there is none left, or nothing more is to be tried (RFC 5626 §7).
bool ProxyCore::try_other_flow(Now now, ContextHandle handle, size_t index, ports::Outbox& out) {
    ResponseContext& context = *contexts_.get(handle);
    Branch& branch = context.branches[index];
    if (branch.other_flows.empty() || branch.is_cancelled || context.is_cancelled ||
        context.is_final_sent)
        return false;
    const Target& target = branch.other_flows.front();
    branch.other_flows = branch.other_flows.subspan(1);
    branch.target = target.uri;
    branch.path = target.path;
    branch.is_binding = target.has_flow;
    branch.state = BranchState::Resolving;
    branch.has_provisional = false;
    branch.has_rung = false;
    branch.client = {};
    s_.counters.add(Counter::phone_flows_tried_again_total);
    const ResumedRequest resumed(context);
    const auto routing = preprocess_route(resumed.request(), s_.keys, now.wall);
    CHECK(routing.has_value());
    resolve_or_send(now, handle, index, target, resumed.request(), *routing, out);
    return true;
}

}  // namespace signalbox::proxy
