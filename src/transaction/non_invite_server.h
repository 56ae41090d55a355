// The non-INVITE server transaction: its states, its events and its state table.
// Implements: RFC 3261 §17.2.2, §17.2.4; RFC 4320 §4.1, §4.2
#pragma once

#include <string_view>

#include "base/time.h"
#include "transaction/server_action.h"
#include "transaction/sip_timers.h"
#include "transaction/transition.h"

namespace signalbox::transaction {

enum class NonInviteServerState : uint8_t {
    Trying,      // nothing was answered yet
    Proceeding,  // a provisional response was sent
    Completed,   // the final response was sent, or none will be: the request may come again
    Terminated,
};
inline constexpr size_t kNonInviteServerStates = 4;

enum class NonInviteServerEvent : uint8_t {
    Request,          // the request came again
    SendProvisional,  // the transaction user answers 100 to 199
    SendFinal,        // 200 to 699
    TimerJ,           // the request will not come again
    TryingDue,        // the client's Timer E has reached T2: a 100 is due (RFC 4320)
    TransportError,
    Abandon,  // the transaction user will not answer any more (RFC 4320)
};
inline constexpr size_t kNonInviteServerEvents = 7;

/// RFC 3261 Figure 8, §17.2.2's rule that requests are discarded in Trying, and RFC 4320's moment
/// for the 100 and its silence instead of a 408: retransmissions that still come are discarded.
inline constexpr StateTable<NonInviteServerState, NonInviteServerEvent, kNonInviteServerStates,
                            kNonInviteServerEvents>
    kNonInviteServerTable = [] {
        using namespace server_action;
        using State = NonInviteServerState;
        using Event = NonInviteServerEvent;
        return StateTable<State, Event, kNonInviteServerStates, kNonInviteServerEvents>{
            // clang-format off
            {State::Trying,     Event::Request,         State::Trying,     0},
            {State::Trying,     Event::SendProvisional, State::Proceeding, kSend | kKeep | kStopTimers},
            {State::Trying,     Event::SendFinal,       State::Completed,  kSend | kKeep | kArmTimerJ},
            {State::Trying,     Event::TryingDue,       State::Trying,     kInformTryingDue},
            {State::Trying,     Event::Abandon,         State::Completed,  kArmTimerJ},
            {State::Proceeding, Event::Request,         State::Proceeding, kSendAgain},
            {State::Proceeding, Event::SendProvisional, State::Proceeding, kSend | kKeep},
            {State::Proceeding, Event::SendFinal,       State::Completed,  kSend | kKeep | kArmTimerJ},
            {State::Proceeding, Event::TransportError,  State::Terminated, kInformTransportError},
            {State::Proceeding, Event::Abandon,         State::Completed,  kRelease | kArmTimerJ},
            {State::Completed,  Event::Request,         State::Completed,  kSendAgain},
            {State::Completed,  Event::TimerJ,          State::Terminated, 0},
            {State::Completed,  Event::TransportError,  State::Terminated, 0},
            // clang-format on
        };
    }();

/// The transition that the first request is.
Transition<NonInviteServerState> start_non_invite_server();
Transition<NonInviteServerState> step(NonInviteServerState state, NonInviteServerEvent event,
                                      bool reliable);

/// The time until a client's Timer E is set to T2: the sum of its intervals up to there (RFC 4320
/// §4.1).
Duration trying_due_after(const SipTimers& timers);

/// The event that the end of the state's own time is.
NonInviteServerEvent deadline_event(NonInviteServerState state);
/// 100 to 699.
NonInviteServerEvent non_invite_server_event(int status);

constexpr bool is_legal_cell(NonInviteServerState state, NonInviteServerEvent event) {
    return kNonInviteServerTable.at(state, event).legal;
}
std::string_view state_name(NonInviteServerState state);
std::string_view event_name(NonInviteServerEvent event);

}  // namespace signalbox::transaction
