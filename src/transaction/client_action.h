// What a client transaction's machine asks to be done. Implements: RFC 3261 §17.1; RFC 6026 §7.2
#pragma once

#include <cstdint>

namespace signalbox::transaction::client_action {

inline constexpr uint16_t kPassUp = 1u << 0;     // give the response to the transaction user
inline constexpr uint16_t kSendAgain = 1u << 1;  // retransmit the request
inline constexpr uint16_t kSendAck =
    1u << 2;  // acknowledge a failure; the ACK takes the request's place
inline constexpr uint16_t kReleaseRequest = 1u << 3;  // nothing is left to repeat
inline constexpr uint16_t kStopTimers = 1u << 4;
inline constexpr uint16_t kArmTimerA = 1u << 5;  // T1, then twice the last interval
inline constexpr uint16_t kArmTimerB = 1u << 6;
inline constexpr uint16_t kArmTimerD = 1u << 7;
inline constexpr uint16_t kArmTimerM = 1u << 8;
inline constexpr uint16_t kArmTimerE = 1u << 9;  // T1, then twice the last interval, at most T2
inline constexpr uint16_t kArmTimerEAtT2 = 1u << 10;
inline constexpr uint16_t kArmTimerF = 1u << 11;
inline constexpr uint16_t kArmTimerK = 1u << 12;
inline constexpr uint16_t kInformTimeout = 1u << 13;
inline constexpr uint16_t kInformTransportError = 1u << 14;

/// Only unreliable transports need these.
inline constexpr uint16_t kRetransmissionTimers = kArmTimerA | kArmTimerE | kArmTimerEAtT2;

}  // namespace signalbox::transaction::client_action
