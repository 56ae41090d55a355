// What a server transaction's machine asks to be done. Implements: RFC 3261 §17.2; RFC 6026 §7.1;
// RFC 4320 §4.1
#pragma once

#include <cstdint>

namespace signalbox::transaction::server_action {

inline constexpr uint16_t kPassUp = 1u << 0;     // the ACK of a 2xx is the transaction user's
inline constexpr uint16_t kSend = 1u << 1;       // send the transaction user's response
inline constexpr uint16_t kSendAgain = 1u << 2;  // repeat the last response, if there was one
inline constexpr uint16_t kKeep = 1u << 3;  // keep the response, because it may have to be repeated
inline constexpr uint16_t kRelease = 1u << 4;  // nothing is left to repeat
inline constexpr uint16_t kStopTimers = 1u << 5;
inline constexpr uint16_t kArmTimerG = 1u << 6;  // T1, then twice the last interval, at most T2
inline constexpr uint16_t kArmTimerH = 1u << 7;
inline constexpr uint16_t kArmTimerI = 1u << 8;
inline constexpr uint16_t kArmTimerJ = 1u << 9;
inline constexpr uint16_t kArmTimerL = 1u << 10;
inline constexpr uint16_t kArmTryingDue = 1u << 11;
inline constexpr uint16_t kInformTryingDue = 1u << 12;
inline constexpr uint16_t kInformTransportError = 1u << 13;
inline constexpr uint16_t kCountAckTimeout = 1u << 14;

/// Only unreliable transports need these.
inline constexpr uint16_t kRetransmissionTimers = kArmTimerG;

}  // namespace signalbox::transaction::server_action
