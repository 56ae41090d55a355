// Watches every message that enters and leaves the cores: which phones of a user are called, and in
// which order. Implements: RFC 3261 §16.5, §16.6 (as checks)
#include <algorithm>

#include "sim/wire_oracle.h"

namespace signalbox::sim {

namespace {

using ports::ForkOrder;

/// Two moments this close are the same to this oracle.
constexpr Duration kAtOnce = std::chrono::milliseconds(60);
constexpr Duration kTimerB = std::chrono::seconds(30);

/// Those that are called first.
void keep_first_group(std::vector<KnownBinding>& bindings, ForkOrder order) {
    if (order == ForkOrder::Parallel) return;
    double best = 0;
    for (const KnownBinding& binding : bindings) best = std::max(best, std::stod(binding.q));
    std::erase_if(bindings,
                  [best](const KnownBinding& binding) { return std::stod(binding.q) < best; });
}

}  // namespace

void WireOracle::check_targets(const Received& invite) {
    if (!is_ours(invite.message) || !invite.message.to_tag().empty()) return;
    if (invite.final_status != 0 || !invite.message.values("Route").empty()) return;
    if (!invite.configured) return;
    const ForkOrder order = invite.configured->forking.order;
    std::vector<KnownBinding> bindings = bindings_.bindings_of(user_of(invite.message.uri));
    keep_first_group(bindings, order);
    const auto& sent = invite.forwarded_to;
    // Of those that are called one by one, another one may have come first and failed at once.
    if (order == ForkOrder::Sequential && !sent.empty()) return;
    for (const KnownBinding& binding : bindings) {
        if (binding.since > invite.at - kAtOnce || transport::is_reliable(binding.flow.transport))
            continue;
        if (std::find(sent.begin(), sent.end(), binding.flow.remote) == sent.end()) {
            report_.broken("fork", invite.message.first_line() + " of " + invite.message.call_id() +
                                       " did not go to " + binding.flow.remote.to_string());
        }
    }
}

/// A branch that has neither ended nor been left for others.
bool WireOracle::may_still_ring(const Turn& turn, const Received& origin,
                                const Sent& branch) const {
    if (branch.final_status != 0 || branch.is_cancelled) return false;
    // A stream that breaks ends its branch without a word on the wire.
    if (transport::is_reliable(branch.flow.transport)) return false;
    if (branch.has_provisional) return true;
    // Without a provisional it is left without a CANCEL.
    const Duration ring_time = origin.configured->forking.ring_time;
    const Duration silent = std::min(origin.configured->timer_c, kTimerB);
    const Duration least = ring_time > Duration{} ? std::min(ring_time, silent) : silent;
    // A large request that no stream took went out by UDP later than its branch began.
    const Duration late = server_->snapshot().proxy.large_connect_max;
    return turn.now.monotonic - branch.at < least - kAtOnce - late;
}

/// RFC 3261 §16.7 steps 5 and 10: no branch begins when the search is over. And as configured: at
/// most one group rings, the best q first.
void WireOracle::check_fork(const Turn& turn, Received& origin, const std::string& key,
                            const std::string& name) {
    Sent& begun = sent_.at(key);
    begun.q = bindings_.q_of(user_of(origin.message.uri), begun.flow.remote);
    if (origin.final_status != 0) report_.broken("fork", "after the final response: " + name);
    for (const std::string& earlier : origin.invites) {
        const Sent& branch = sent_.at(earlier);
        if (branch.final_status >= 600 && branch.final_at - branch.at < kTimerB)
            report_.broken("fork", "after a 6xx: " + name);
        if (!origin.configured) continue;
        const ports::ForkingSettings& forking = origin.configured->forking;
        if (forking.order == ForkOrder::Parallel) continue;
        // What has no binding is no group: the next hops of one foreign name (RFC 3263 §4.3).
        if (!branch.q || !begun.q) continue;
        if (*branch.q < *begun.q) report_.broken("fork", "the better q comes later: " + name);
        const bool is_same_group = forking.order == ForkOrder::ByQ && *branch.q == *begun.q;
        if (is_same_group || forking.delay > Duration{}) continue;
        if (may_still_ring(turn, origin, branch))
            report_.broken("fork", "two groups ring at once: " + name);
    }
    origin.invites.push_back(key);
}

}  // namespace signalbox::sim
