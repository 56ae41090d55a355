// Tries the Contacts of a 3xx as further targets of the request that it answers.
// Implements: RFC 3261 §16.5, §16.7 step 4
#include <algorithm>

#include "location/gruu.h"
#include "ports/sharding.h"
#include "proxy/fork_strategy.h"
#include "proxy/owner.h"
#include "proxy/proxy_core.h"
#include "proxy/redirect_contacts.h"
#include "proxy/resumed_request.h"

namespace signalbox::proxy {

namespace {

/// The user and tenant of one of our addresses of record, or nothing.
struct OwnAddress {
    ports::TenantId tenant = ports::kNoTenant;
    std::string user;
    friend bool operator==(const OwnAddress&, const OwnAddress&) = default;
};

bool is_ours(const ports::Snapshot& snapshot, const sip::Uri& uri) {
    return !uri.param("maddr") && snapshot.tenant_of(uri) != ports::kNoTenant;
}

/// Nothing for a GRUU: it means one phone of its user.
OwnAddress own_address(const ports::Snapshot& snapshot, const sip::Uri& uri) {
    if (!is_ours(snapshot, uri) || uri.param("gr")) return {};
    return {snapshot.tenant_of(uri), sip::canonical_user(uri)};
}

/// RFC 3261 §16.5: no target is tried twice. `called` is whom the request is for.
bool is_known(const ResponseContext& context, std::span<const Target> more,
              const OwnAddress& called, const sip::Uri& uri) {
    const OwnAddress own = own_address(*context.snapshot, uri);
    if (own.tenant != ports::kNoTenant && own == called) return true;
    const auto is_same = [&](const Target& target) {
        const auto other = sip::parse_uri(target.uri);
        if (!other) return false;
        if (sip::uris_equal(*other, uri)) return true;
        return own.tenant != ports::kNoTenant && own == own_address(*context.snapshot, *other);
    };
    return std::any_of(context.targets.begin(), context.targets.end(), is_same) ||
           std::any_of(more.begin(), more.end(), is_same);
}

bool may_recurse(const ResponseContext& context, const Branch& branch) {
    if (!context.snapshot->proxy.recurse || !context.is_for_us) return false;
    if (context.is_cancelled || context.is_final_sent || branch.is_left) return false;
    // 305 and 380 ask for something else than to be tried.
    if (branch.status < 300 || branch.status > 302) return false;
    const auto& all = context.branches;
    return std::none_of(all.begin(), all.end(),
                        [](const Branch& each) { return each.status >= 600; });
}

/// Who may not call a foreign host himself does not get there by a detour.
bool may_try(const ResponseContext& context, const sip::Uri& uri) {
    return context.is_proven || is_ours(*context.snapshot, uri);
}

}  // namespace

bool ProxyCore::recurse(Now now, ContextHandle handle, size_t index, ports::Outbox& out) {
    ResponseContext& context = *contexts_.get(handle);
    sip::MessageView response, request;
    if (!may_recurse(context, context.branches[index])) return false;
    if (!sip::parse_message(context.branches[index].response, response)) return false;
    CHECK(sip::parse_message(context.request, request).has_value());
    const auto asked = sip::parse_uri(request.request_uri());
    const OwnAddress called = asked ? own_address(*context.snapshot, *asked) : OwnAddress{};
    // What was asked for by SIPS is not tried by less (RFC 3261 §16.7 step 4).
    const bool is_secure = asked && asked->scheme == sip::Scheme::Sips;
    const sip::Scheme scheme = is_secure ? sip::Scheme::Sips : sip::Scheme::Sip;
    const RedirectContacts contacts = read_redirect_contacts(response);
    std::bitset<kRedirectContactsMax> tried;
    targets_.clear();
    other_flows_.clear();
    for (size_t i = 0; i < contacts.count; ++i) {
        const auto& contact = contacts.list[i];
        if (!contact || contact->address.uri.scheme != scheme) continue;
        if (is_known(context, targets_, called, contact->address.uri)) {
            tried.set(i);
        } else if (may_try(context, contact->address.uri) &&
                   context.branches.size() + targets_.size() < kBranchesMax) {
            tried.set(i);
            targets_.push_back({contact->address.uri_text, contact->q, false, {}});
        }
    }
    if (tried.none()) return false;
    s_.counters.add(Counter::redirections_followed_total);
    const bool is_any_left = remove_redirect_contacts(response, tried, rendered_);
    Branch& branch = context.branches[index];
    branch.response = is_any_left ? context.arena.copy(rendered_) : std::string_view{};
    if (!is_any_left) branch.status = 0;
    order_by_q(targets_);
    add_targets(context, targets_);
    send_best_if_done(now, handle, out);
    return true;
}

/// The best of them join the group that is being tried: they stand for a phone of it.
void ProxyCore::add_targets(ResponseContext& context, std::span<const Target> targets) {
    const size_t count = context.branches.size() + targets.size();
    const size_t begun = context.fork.begun;
    const auto branches = context.arena.make_array<Branch>(count);
    const auto all = context.arena.make_array<Target>(count);
    const auto move_around = [begun, &targets](const auto& from, const auto& to) {
        std::copy_n(from.begin(), begun, to.begin());
        std::copy(from.begin() + static_cast<std::ptrdiff_t>(begun), from.end(),
                  to.begin() + static_cast<std::ptrdiff_t>(begun + targets.size()));
    };
    move_around(context.branches, branches);
    move_around(context.targets, all);
    context.branches = branches;
    context.targets = all;
    for (size_t i = 0; i < targets.size(); ++i) {
        const bool begins =
            i > 0 && begins_group(context.snapshot->forking.order, targets[i - 1].q, targets[i].q);
        place_target(context, begun + i, targets[i], begins, {});
        const auto uri = sip::parse_uri(targets[i].uri);
        context.branches[begun + i].needs_location = !targets[i].has_flow &&
                                                     targets[i].path.empty() && uri &&
                                                     is_ours(*context.snapshot, *uri);
    }
}

void ProxyCore::locate_branch(Now now, ContextHandle handle, size_t index, ports::Outbox& out) {
    ResponseContext& context = *contexts_.get(handle);
    Branch& branch = context.branches[index];
    const auto uri = sip::parse_uri(branch.target);
    CHECK(uri.has_value());
    LocationQuestion question;
    question.id = Owner::of_branch(handle, index);
    question.tenant = context.snapshot->tenant_of(*uri);
    const auto gruu = location::read_gruu(*uri, s_.keys, now.wall);
    const std::string user = gruu ? std::string() : sip::canonical_user(*uri);
    question.aor = gruu ? gruu->aor : user;
    question.instance = gruu ? gruu->instance : 0;
    question.registration = gruu ? gruu->registration : 0;
    const uint8_t shard = ports::shard_of_aor(question.tenant, question.aor, setup_.shards);
    if (shard == setup_.shard) {
        return on_branch_located(now, handle, index,
                                 s_.directory.answer(now, question, *context.snapshot), out);
    }
    branch.deadline = now.monotonic + context.snapshot->limits.port_timeout;
    arm(handle);
    encode(ShardMessage(question), out.shard_message(shard));
}

void ProxyCore::on_branch_located(Now now, ContextHandle handle, size_t index,
                                  const LocationAnswer& answer, ports::Outbox& out) {
    ResponseContext& context = *contexts_.get(handle);
    const auto is_new = [&context](const Target& target) {
        return std::none_of(context.targets.begin(), context.targets.end(),
                            [&](const Target& known) { return is_same_phone(known, target); });
    };
    const ResumedRequest resumed(context);
    sort_targets(now, resumed.request(), answer);
    std::erase_if(targets_, [&](const Target& target) { return !is_new(target); });
    if (targets_.empty() || context.branches.size() >= kBranchesMax)
        return branch_failed(now, handle, index, answer.exists ? 480 : 404, out);
    order_by_q(targets_);
    const size_t room = kBranchesMax - context.branches.size();
    targets_.resize(std::min(remove_equal_targets(targets_), room));
    end_branch(context, index);
    add_targets(context, targets_);
    send_best_if_done(now, handle, out);
}

}  // namespace signalbox::proxy
