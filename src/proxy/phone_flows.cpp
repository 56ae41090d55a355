// The ways to registered phones: their Paths, their flows, and the one phone that a GRUU means.
// Implements: RFC 3327 §5.4; RFC 5626 §5.3, §7; RFC 5627 §5.1
#include "proxy/next_hop.h"
#include "proxy/own_hops.h"
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
    auto instance = gruu_question(request, routing);
    if (instance) instance->id = question.id;
    return instance;
}

/// Where the phone is whose GRUU a proven dialog's request names; nothing where it names none that
/// the dialog has shown.
std::optional<LocationQuestion> ProxyCore::gruu_question(const IncomingRequest& request,
                                                         const Routing& routing) const {
    if (!routing.gruu || !is_shown_gruu(request, routing)) return std::nullopt;
    LocationQuestion question;
    question.tenant = routing.tenant;
    question.aor = routing.gruu->aor;
    question.instance = routing.gruu->instance;
    question.registration = routing.gruu->registration;
    return question;
}

/// All our domains and addresses are one space of addresses of record: a GRUU that was shown at one
/// of them is known at each.
bool ProxyCore::is_shown_gruu(const IncomingRequest& request, const Routing& routing) const {
    const uint64_t shown = routing.token->next_hop;
    const uint64_t named = hop_hash(routing.uri);
    if (named == shown) return true;
    const ports::Snapshot& snapshot = request.snapshot;
    if (is_shown(request, named, true)) return true;
    sip::Uri alias = routing.uri;
    const auto is_shown_at = [&](std::string_view host) {
        alias.host = host;
        alias.port.reset();
        if (hop_hash(alias) == shown) return true;
        return std::any_of(snapshot.listeners.begin(), snapshot.listeners.end(),
                           [&](const transport::Listener& listener) {
                               alias.port = listener.bound.port;
                               return hop_hash(alias) == shown;
                           });
    };
    const auto is_shown_at_address = [&](const IpAddress& address) {
        return is_shown_at(address.to_string());
    };
    return std::any_of(snapshot.domains.begin(), snapshot.domains.end(), is_shown_at) ||
           std::any_of(snapshot.own_addresses.begin(), snapshot.own_addresses.end(),
                       is_shown_at_address) ||
           std::any_of(
               snapshot.listeners.begin(), snapshot.listeners.end(),
               [&](const transport::Listener& listener) {
                   return is_shown_at_address(listener.bound.address) ||
                          (listener.advertise_host && is_shown_at(*listener.advertise_host));
               });
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
    const DialogHop hop = dialog_hop(request, routing);
    if (!hop.flow && !hop.is_name) return reply_final(now, handle, {480, {}, {}}, out);
    const Target target{routing.target(), 1000, !hop.is_name, hop.flow.value_or(transport::Flow{})};
    fork(now, handle, request, routing, {&target, 1}, out);
}

/// The targets that ring, and apart from them the other flows of the same phones: no phone rings
/// twice. A Contact of another scheme than SIP is for a redirection to name.
void ProxyCore::sort_targets(Now now, const IncomingRequest& request,
                             const LocationAnswer& answer) {
    targets_.clear();
    other_flows_.clear();
    for (Target target : answer.targets) {
        if (request.mode != ports::ProxyMode::Redirect && !is_sip_uri(target.uri)) continue;
        take_own_hops(request.snapshot, s_.keys, now.wall, target);
        (target.is_other_flow ? other_flows_ : targets_).push_back(target);
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
