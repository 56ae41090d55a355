// ACKs to 2xx that wait until DNS says where they go. Implements: RFC 3261 §16.11, §17.1.1.3; RFC
// 3263 §4
#pragma once

#include <string>

#include "base/slab.h"
#include "base/timer_wheel.h"
#include "proxy/hop_attempts.h"
#include "transport/flow.h"

namespace signalbox::proxy {

/// The timer of an ACK that waits: its deadline for what DNS owes.
inline constexpr uint16_t kWaitingAckTimer = 65;
/// Of one shard. One more goes by the flow of its dialog at once.
inline constexpr uint32_t kWaitingAcksMax = 1024;

/// An ACK has no transaction that would keep it: this does, until its next hop is known or is not
/// to be had. Owned by the ProxyCore's slab.
struct WaitingAck {
    HopAttempts attempts;
    transport::Flow flow;  // by which it came
    std::string bytes;     // the request, once it is clear that it has to wait
    uint64_t loop_hash = 0;
    Timer timer;
};
using WaitingAckHandle = Handle<WaitingAck>;

}  // namespace signalbox::proxy
