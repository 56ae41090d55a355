// The INVITE client transaction: its states, its events and its state table.
// Implements: RFC 3261 §17.1.1, §9.1; RFC 6026 §7.2, §8.4
#pragma once

#include <string_view>

#include "transaction/client_action.h"
#include "transaction/transition.h"

namespace signalbox::transaction {

enum class InviteClientState : uint8_t {
    Calling,     // sent, nothing heard
    Proceeding,  // a provisional response came
    Accepted,    // a 2xx came: further ones pass (RFC 6026)
    Completed,   // a failure came and was acknowledged: it may come again
    Terminated,
};
inline constexpr size_t kInviteClientStates = 5;

enum class InviteClientEvent : uint8_t {
    Provisional,    // 100 to 199
    Success,        // 200 to 299
    Failure,        // 300 to 699
    TimerA,         // retransmit
    TimerB,         // give up
    TimerD,         // no failure will be repeated any more
    TimerM,         // no 2xx will come any more
    CancelExpired,  // 64*T1 after the CANCEL (RFC 3261 §9.1)
    TransportError,
};
inline constexpr size_t kInviteClientEvents = 9;

/// RFC 3261 Figure 5 with RFC 6026's Accepted state.
inline constexpr StateTable<InviteClientState, InviteClientEvent, kInviteClientStates,
                            kInviteClientEvents>
    kInviteClientTable = [] {
        using namespace client_action;
        using State = InviteClientState;
        using Event = InviteClientEvent;
        return StateTable<State, Event, kInviteClientStates, kInviteClientEvents>{
            // clang-format off
            {State::Calling,    Event::Provisional,    State::Proceeding, kStopTimers | kPassUp},
            {State::Calling,    Event::Success,        State::Accepted,   kArmTimerM | kReleaseRequest | kPassUp},
            {State::Calling,    Event::Failure,        State::Completed,  kSendAck | kArmTimerD | kPassUp},
            {State::Calling,    Event::TimerA,         State::Calling,    kSendAgain | kArmTimerA},
            {State::Calling,    Event::TimerB,         State::Terminated, kInformTimeout},
            {State::Calling,    Event::TransportError, State::Terminated, kInformTransportError},
            {State::Proceeding, Event::Provisional,    State::Proceeding, kPassUp},
            {State::Proceeding, Event::Success,        State::Accepted,   kArmTimerM | kReleaseRequest | kPassUp},
            {State::Proceeding, Event::Failure,        State::Completed,  kSendAck | kArmTimerD | kPassUp},
            {State::Proceeding, Event::CancelExpired,  State::Terminated, kInformTimeout},
            {State::Accepted,   Event::Success,        State::Accepted,   kPassUp},
            {State::Accepted,   Event::TimerM,         State::Terminated, 0},
            {State::Completed,  Event::Failure,        State::Completed,  kSendAck},
            {State::Completed,  Event::TimerD,         State::Terminated, 0},
            {State::Completed,  Event::TransportError, State::Terminated, kInformTransportError},
            // clang-format on
        };
    }();

/// The transition that sending the request is.
Transition<InviteClientState> start_invite_client(bool reliable);
Transition<InviteClientState> step(InviteClientState state, InviteClientEvent event, bool reliable);

/// The event that the end of the state's own time is.
InviteClientEvent deadline_event(InviteClientState state);
/// 100 to 699.
InviteClientEvent invite_client_event(int status);

constexpr bool is_legal_cell(InviteClientState state, InviteClientEvent event) {
    return kInviteClientTable.at(state, event).legal;
}
std::string_view state_name(InviteClientState state);
std::string_view event_name(InviteClientEvent event);

}  // namespace signalbox::transaction
