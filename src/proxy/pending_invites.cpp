// What becomes of the calls that still ring when the server is stopped. Implements: RFC 3261 §9.1,
// §16.10, §21.5.4; RFC 3326
#include "proxy/proxy_core.h"

namespace signalbox::proxy {

namespace {

constexpr std::string_view kServerStopping = "SIP;cause=503;text=\"Server is stopping\"";

}  // namespace

void ProxyCore::end_pending_invites(Now now) {
    are_invites_ending_ = true;
    // Their timers end them, so that no turn is long.
    contexts_.for_each([&](ContextHandle, ResponseContext& context) {
        if (context.is_invite() && !context.is_final_sent)
            s_.wheel.arm(context.timer, now.monotonic);
    });
}

/// Deviation: RFC 3261 §16.7 step 5 — the final response does not wait for those of the branches:
/// nobody will be here to forward it.
void ProxyCore::end_invite(Now now, ContextHandle handle, ports::Outbox& out) {
    ResponseContext& context = *contexts_.get(handle);
    context.is_locating = false;
    s_.counters.add(Counter::invites_ended_by_stop_total);
    reply_final(now, handle, context.is_cancelled ? Rejection{487, {}, {}} : server_stopping(),
                out);
    cancel_pending(now, handle, kServerStopping, out);
}

}  // namespace signalbox::proxy
