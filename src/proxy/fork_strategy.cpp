// Decides which targets of a request are tried together, which wait for which, and how long.
#include "proxy/fork_strategy.h"

#include <algorithm>

namespace signalbox::proxy {
namespace {

bool has_ended(const Branch& branch) {
    return branch.state == BranchState::Final || branch.is_left;
}

/// The branches at the head of `waiting` that belong to one group.
size_t group_size(std::span<const Branch> waiting) {
    size_t size = 1;
    while (size < waiting.size() && !waiting[size].begins_group) ++size;
    return size;
}

}  // namespace

bool is_same_phone(const Target& a, const Target& b) {
    if (a.instance != 0 && a.instance == b.instance) return true;
    if (a.has_flow != b.has_flow || a.flow != b.flow || a.path != b.path) return false;
    if (a.uri == b.uri) return true;
    const auto first = sip::parse_uri(a.uri);
    const auto second = sip::parse_uri(b.uri);
    return first && second && sip::uris_equal(*first, *second);
}

void order_by_q(std::span<Target> targets) {
    // Few, and almost always in order.
    for (size_t i = 1; i < targets.size(); ++i) {
        for (size_t j = i; j > 0 && targets[j - 1].q < targets[j].q; --j)
            std::swap(targets[j - 1], targets[j]);
    }
}

size_t remove_equal_targets(std::span<Target> targets) {
    size_t kept = 0;
    for (size_t i = 0; i < targets.size(); ++i) {
        const auto before = targets.first(kept);
        const bool is_known = std::any_of(before.begin(), before.end(), [&](const Target& other) {
            return is_same_phone(other, targets[i]);
        });
        if (!is_known) targets[kept++] = targets[i];
    }
    return kept;
}

bool begins_group(ports::ForkOrder order, uint16_t previous_q, uint16_t next_q) {
    switch (order) {
        case ports::ForkOrder::ByQ:
            return previous_q != next_q;
        case ports::ForkOrder::Parallel:
            return false;
        case ports::ForkOrder::Sequential:
            return true;
    }
    return false;
}

GroupPlan group_plan(const ports::ForkingSettings& settings, bool is_invite, bool is_last_group,
                     Duration t2) {
    GroupPlan plan;
    if (is_last_group) return plan;
    if (!is_invite) {
        plan.next_after = t2;
        return plan;
    }
    if (settings.ring_time > Duration{}) plan.ring_limit = settings.ring_time;
    if (settings.delay > Duration{}) plan.next_after = settings.delay;
    plan.is_left_for_next = !settings.keep_ringing;
    return plan;
}

bool may_begin_next(const ResponseContext& context) {
    const ForkProgress& fork = context.fork;
    if (!context.has_waiting() || fork.breadth_free == 0) return false;
    if (!context.branches[fork.begun].begins_group || fork.is_next_due) return true;
    const auto begun = context.branches.first(fork.begun);
    return std::all_of(begun.begin(), begun.end(), has_ended);
}

bool is_in_last_group(std::span<const Branch> branches, size_t index) {
    const auto rest = branches.subspan(index);
    return group_size(rest) == rest.size();
}

uint32_t incoming_breadth(const sip::MessageView& request) {
    if (request.first(sip::HeaderId::MaxBreadth) == nullptr) return kMaxBreadth;
    const auto breadth = sip::parse_max_breadth(request.value(sip::HeaderId::MaxBreadth));
    return std::min(breadth.value_or(kMaxBreadth), kMaxBreadth);
}

uint8_t breadth_share(std::span<const Branch> waiting, uint8_t free) {
    DCHECK(!waiting.empty() && free > 0);
    const size_t together = std::min<size_t>(group_size(waiting), free);
    const size_t kept = std::min(waiting.size() - together, free - together);
    return static_cast<uint8_t>((free - kept + together - 1) / together);
}

}  // namespace signalbox::proxy
