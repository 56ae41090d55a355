// What happens when a next hop is silent, unreachable, overloaded, or answers after it was left.
// Implements: RFC 3263 §4.3; RFC 3261 §16.7 step 1, §16.9, §18.1.1, §21.5.4
#include "proxy/owner.h"
#include "proxy/proxy_core.h"
#include "proxy/response_forwarding.h"
#include "proxy/resumed_request.h"

namespace signalbox::proxy {

using resolver::Progress;
using sip::HeaderId;

namespace {

/// News of next hops that one shard tells the others; more stay untold: those learn for themselves.
constexpr uint32_t kHopNewsPerSecondMax = 100;

bool may_try_another(const ResponseContext& context, const Branch& branch) {
    return branch.attempts != nullptr && branch.attempts->lookup && !branch.is_cancelled &&
           !context.is_cancelled && !context.is_final_sent && branch.state != BranchState::Final;
}

void keep_left(HopAttempts& attempts, transaction::ClientHandle client) {
    if (attempts.left_count < attempts.left.size()) attempts.left[attempts.left_count++] = client;
}

}  // namespace

/// Goes on without the hop that is tried now; `reason` is for the CANCEL of an INVITE there.
void ProxyCore::leave_hop(Now now, const ResponseContext& context, Branch& branch,
                          std::string_view reason, ports::Outbox& out) {
    if (branch.client && s_.transactions.is_pending(branch.client)) {
        if (context.is_invite()) s_.transactions.cancel(now, branch.client, reason, out.transmits);
        keep_left(*branch.attempts, branch.client);
    }
    branch.client = {};
    branch.has_provisional = false;
    branch.attempts->is_large_by_stream = false;
}

void ProxyCore::hold_down(Now now, const resolver::ResolverSettings& settings,
                          const resolver::Hop& hop, Duration time, ports::Outbox& out) {
    if (time == Duration{} || settings.hold_down == Duration{}) return;
    s_.counters.add(Counter::next_hops_held_down_total);
    if (resolver_.health().failed(now.monotonic, hop, time))
        tell_hop_news(now, hop, now.monotonic + time, out);
}

/// What one shard has paid for no other shall pay for. Only what changes is told.
void ProxyCore::tell_hop_news(Now now, const resolver::Hop& hop, Instant until,
                              ports::Outbox& out) {
    if (setup_.shards == 1) return;
    if (now.monotonic - hop_news_second_ >= std::chrono::seconds(1)) {
        hop_news_second_ = now.monotonic;
        hop_news_told_ = 0;
    }
    if (hop_news_told_ == kHopNewsPerSecondMax)
        return s_.counters.add(Counter::next_hop_news_untold_total);
    ++hop_news_told_;
    for (uint8_t other = 0; other < setup_.shards; ++other) {
        if (other == setup_.shard) continue;
        encode(ShardMessage(HopNews{hop.transport, hop.remote, until}), out.shard_message(other));
    }
}

void ProxyCore::on_hop_news(Now now, const HopNews& news) {
    const resolver::Hop hop{news.transport, news.remote};
    if (news.until > now.monotonic) {
        static_cast<void>(
            resolver_.health().failed(now.monotonic, hop, news.until - now.monotonic));
    } else {
        static_cast<void>(resolver_.health().succeeded(now.monotonic, hop));
    }
}

void ProxyCore::attempt_failed(Now now, const transaction::TransactionEvent& event, int status,
                               ports::Outbox& out) {
    const Owner owner = Owner::unpack(event.owner);
    if (owner.kind != Owner::Kind::Branch) return;
    const ContextHandle handle = owner.context();
    ResponseContext* context = contexts_.get(handle);
    if (context == nullptr || owner.branch >= context->branches.size()) {
        s_.counters.add(Counter::stale_handles_dropped_total);
        return;
    }
    Branch& branch = context->branches[owner.branch];
    if (branch.attempts == nullptr) return branch_failed(now, handle, owner.branch, status, out);
    // The end of a hop that was left before is no news.
    if (event.client != branch.client) return;
    const bool is_timeout = event.kind == transaction::TransactionEvent::Kind::ClientTimeout;
    if (!is_timeout && branch.attempts->is_large_by_stream)
        return send_large_by_datagram(now, handle, owner.branch, out);
    if (!may_try_another(*context, branch) || (is_timeout && branch.has_provisional))
        return branch_failed(now, handle, owner.branch, status, out);
    hold_down(now, context->snapshot->resolver, branch.attempts->hop,
              context->snapshot->resolver.hold_down, out);
    if (now.monotonic >= branch.attempts->give_up) {
        s_.counters.add(Counter::next_hops_exhausted_total);
        return branch_failed(now, handle, owner.branch, status, out);
    }
    try_next_hop_or_fail(now, handle, owner.branch, status, out);
}

void ProxyCore::send_large_by_datagram(Now now, ContextHandle handle, size_t index,
                                       ports::Outbox& out) {
    ResponseContext& context = *contexts_.get(handle);
    Branch& branch = context.branches[index];
    HopAttempts& attempts = *branch.attempts;
    s_.counters.add(Counter::large_requests_back_to_udp_total);
    attempts.is_large_by_stream = false;
    branch.client = {};
    if (branch.is_cancelled || context.is_cancelled)
        return branch_failed(now, handle, index, 487, out);
    // A refusal costs nothing the next time; silence would cost the same time again.
    if (now.monotonic - attempts.sent >= context.snapshot->proxy.large_connect_max) {
        hold_down(now, context.snapshot->resolver,
                  {transport::Transport::Tcp, attempts.datagram_flow.remote},
                  context.snapshot->resolver.hold_down, out);
    }
    const ResumedRequest resumed(context);
    const auto routing = preprocess_route(resumed.request(), s_.keys, now.wall);
    CHECK(routing.has_value());
    const transport::Flow flow = attempts.datagram_flow;
    send_branch(now, handle, index, flow, resumed.request(), *routing, BySize::No, out);
}

void ProxyCore::hop_overdue(Now now, ContextHandle handle, size_t index, ports::Outbox& out) {
    ResponseContext& context = *contexts_.get(handle);
    Branch& branch = context.branches[index];
    HopAttempts& attempts = *branch.attempts;
    branch.hop_deadline = kNever;
    // next_flow() gives up what DNS owes.
    if (branch.state == BranchState::Resolving)
        return try_next_hop_or_fail(now, handle, index, 503, out);
    hold_down(now, context.snapshot->resolver, attempts.hop, context.snapshot->resolver.hold_down,
              out);
    if (now.monotonic >= attempts.give_up) {
        s_.counters.add(Counter::next_hops_exhausted_total);
        s_.transactions.abandon(branch.client);
        return branch_failed(now, handle, index, 408, out);
    }
    if (!may_try_another(context, branch)) {
        branch.hop_deadline = attempts.give_up;
        return;
    }
    const Progress progress = try_next_hop(now, handle, index, out);
    if (progress == Progress::Ready) return;
    // Nothing to try yet, or at all: this hop may still answer.
    branch.hop_deadline = attempts.give_up;
    if (progress == Progress::Waiting) {
        branch.hop_deadline = std::min(
            branch.hop_deadline, resolver_.wait_until(context.snapshot->resolver, attempts.lookup));
    }
}

bool ProxyCore::leave_overloaded_hop(Now now, ContextHandle handle, size_t index,
                                     const IncomingResponse& response, ports::Outbox& out) {
    ResponseContext& context = *contexts_.get(handle);
    Branch& branch = context.branches[index];
    if (branch.attempts == nullptr || !branch.attempts->lookup) return false;
    const resolver::ResolverSettings& settings = context.snapshot->resolver;
    Duration time = settings.hold_down;
    if (const auto asked = sip::parse_retry_after(response.message.value(HeaderId::RetryAfter))) {
        time = std::min<Duration>(std::chrono::seconds(asked->seconds), settings.hold_down_max);
    }
    hold_down(now, settings, branch.attempts->hop, time, out);
    if (!may_try_another(context, branch) || now.monotonic >= branch.attempts->give_up)
        return false;
    const Progress progress = try_next_hop(now, handle, index, out);
    if (progress == Progress::Exhausted) {
        s_.counters.add(Counter::next_hops_exhausted_total);
        return false;
    }
    if (progress == Progress::Waiting) {
        branch.state = BranchState::Resolving;
        branch.deadline = kNever;
        branch.hop_deadline = resolver_.wait_until(settings, branch.attempts->lookup);
        arm(handle);
    }
    return true;
}

void ProxyCore::note_hop_answered(Now now, Branch& branch, int status, ports::Outbox& out) {
    if (branch.attempts == nullptr) return;
    branch.hop_deadline = kNever;
    if (status == 503 || !branch.attempts->lookup) return;
    if (resolver_.health().succeeded(now.monotonic, branch.attempts->hop))
        tell_hop_news(now, branch.attempts->hop, now.monotonic, out);
}

void ProxyCore::on_left_hop_response(Now now, ContextHandle handle, size_t index,
                                     transaction::ClientHandle client,
                                     const IncomingResponse& response, ports::Outbox& out) {
    if (!response.is_success()) {
        s_.counters.add(Counter::left_hop_responses_dropped_total);
        return;
    }
    ResponseContext& context = *contexts_.get(handle);
    Branch& branch = context.branches[index];
    s_.counters.add(Counter::left_hop_successes_total);
    // It was answered there: the hop tried now is left instead.
    if (branch.state != BranchState::Final) {
        leave_hop(now, context, branch, kAnsweredElsewhere, out);
        branch.client = client;
        branch.hop_deadline = kNever;
    }
    on_final(now, handle, index, response, out);
}

/// The context ends: whatever its hops still send is for the upstream transaction.
void ProxyCore::end_attempts(const ResponseContext& context, const Branch& branch) {
    if (branch.attempts == nullptr) return;
    resolver_.end(branch.attempts->lookup);
    if (!context.is_invite()) return;
    for (size_t i = 0; i < branch.attempts->left_count; ++i) {
        const transaction::ClientHandle left = branch.attempts->left[i];
        if (s_.transactions.is_pending(left)) {
            s_.transactions.set_owner(left,
                                      Owner::of_late_success(context.server, branch.is_binding));
        }
    }
}

}  // namespace signalbox::proxy
