// The INVITE server transaction: its states, its events and its state table.
// Implements: RFC 3261 §17.2.1, §17.2.4; RFC 6026 §7.1, §8.8
#pragma once

#include <string_view>

#include "transaction/server_action.h"
#include "transaction/transition.h"

namespace signalbox::transaction {

enum class InviteServerState : uint8_t {
    Proceeding,  // no final response yet
    Accepted,    // a 2xx was sent: it is the transaction user's to repeat (RFC 6026)
    Completed,   // a failure was sent, its ACK has not come
    Confirmed,   // the ACK came: it may come again
    Terminated,
};
inline constexpr size_t kInviteServerStates = 5;

enum class InviteServerEvent : uint8_t {
    Request,  // the INVITE came again
    Ack,
    SendProvisional,  // the transaction user answers 100 to 199
    SendSuccess,      // 200 to 299
    SendFailure,      // 300 to 699
    TimerG,           // repeat the failure
    TimerH,           // the ACK never came
    TimerI,           // the ACK will not come again
    TimerL,           // the INVITE will not come again
    TransportError,
};
inline constexpr size_t kInviteServerEvents = 10;

/// RFC 3261 Figure 7 with RFC 6026's Accepted state and its rule that a transport error ends no
/// INVITE server transaction. Deviation: RFC 6026 §8.8 — in Proceeding a transport error does end
/// it: the caller cannot be reached, so the transaction user is told at once and stops the callees'
/// phones from ringing.
inline constexpr StateTable<InviteServerState, InviteServerEvent, kInviteServerStates,
                            kInviteServerEvents>
    kInviteServerTable = [] {
        using namespace server_action;
        using State = InviteServerState;
        using Event = InviteServerEvent;
        return StateTable<State, Event, kInviteServerStates, kInviteServerEvents>{
            // clang-format off
            {State::Proceeding, Event::Request,         State::Proceeding, kSendAgain},
            {State::Proceeding, Event::SendProvisional, State::Proceeding, kSend | kKeep},
            {State::Proceeding, Event::SendSuccess,     State::Accepted,   kSend | kRelease | kArmTimerL},
            {State::Proceeding, Event::SendFailure,     State::Completed,  kSend | kKeep | kArmTimerG | kArmTimerH},
            {State::Proceeding, Event::TransportError,  State::Terminated, kInformTransportError},
            {State::Accepted,   Event::Request,         State::Accepted,   0},
            {State::Accepted,   Event::Ack,             State::Accepted,   kPassUp},
            {State::Accepted,   Event::SendSuccess,     State::Accepted,   kSend},
            {State::Accepted,   Event::TimerL,          State::Terminated, 0},
            {State::Accepted,   Event::TransportError,  State::Accepted,   0},
            {State::Completed,  Event::Request,         State::Completed,  kSendAgain},
            {State::Completed,  Event::Ack,             State::Confirmed,  kRelease | kArmTimerI},
            {State::Completed,  Event::TimerG,          State::Completed,  kSendAgain | kArmTimerG},
            {State::Completed,  Event::TimerH,          State::Terminated, kCountAckTimeout},
            {State::Completed,  Event::TransportError,  State::Completed,  0},
            {State::Confirmed,  Event::Ack,             State::Confirmed,  0},
            {State::Confirmed,  Event::TimerI,          State::Terminated, 0},
            // clang-format on
        };
    }();

/// The transition that the first request is.
Transition<InviteServerState> start_invite_server();
Transition<InviteServerState> step(InviteServerState state, InviteServerEvent event, bool reliable);

/// The event that the end of the state's own time is.
InviteServerEvent deadline_event(InviteServerState state);
/// 100 to 699.
InviteServerEvent invite_server_event(int status);

constexpr bool is_legal_cell(InviteServerState state, InviteServerEvent event) {
    return kInviteServerTable.at(state, event).legal;
}
std::string_view state_name(InviteServerState state);
std::string_view event_name(InviteServerEvent event);

}  // namespace signalbox::transaction
