// The non-INVITE client transaction: its states, its events and its state table. Implements: RFC
// 3261 §17.1.2
#pragma once

#include <string_view>

#include "transaction/client_action.h"
#include "transaction/transition.h"

namespace signalbox::transaction {

enum class NonInviteClientState : uint8_t {
    Trying,      // sent, nothing heard
    Proceeding,  // a provisional response came
    Completed,   // the final response came: it may come again
    Terminated,
};
inline constexpr size_t kNonInviteClientStates = 4;

enum class NonInviteClientEvent : uint8_t {
    Provisional,  // 100 to 199
    Final,        // 200 to 699
    TimerE,       // retransmit
    TimerF,       // give up
    TimerK,       // the final response will not come again
    TransportError,
};
inline constexpr size_t kNonInviteClientEvents = 6;

/// RFC 3261 Figure 6, and §17.1.2.2's last paragraphs for the final response that comes again.
inline constexpr StateTable<NonInviteClientState, NonInviteClientEvent, kNonInviteClientStates,
                            kNonInviteClientEvents>
    kNonInviteClientTable = [] {
        using namespace client_action;
        using State = NonInviteClientState;
        using Event = NonInviteClientEvent;
        return StateTable<State, Event, kNonInviteClientStates, kNonInviteClientEvents>{
            // clang-format off
            {State::Trying,     Event::Provisional,    State::Proceeding, kPassUp},
            {State::Trying,     Event::Final,          State::Completed,  kArmTimerK | kReleaseRequest | kPassUp},
            {State::Trying,     Event::TimerE,         State::Trying,     kSendAgain | kArmTimerE},
            {State::Trying,     Event::TimerF,         State::Terminated, kInformTimeout},
            {State::Trying,     Event::TransportError, State::Terminated, kInformTransportError},
            {State::Proceeding, Event::Provisional,    State::Proceeding, kPassUp},
            {State::Proceeding, Event::Final,          State::Completed,  kArmTimerK | kReleaseRequest | kPassUp},
            {State::Proceeding, Event::TimerE,         State::Proceeding, kSendAgain | kArmTimerEAtT2},
            {State::Proceeding, Event::TimerF,         State::Terminated, kInformTimeout},
            {State::Proceeding, Event::TransportError, State::Terminated, kInformTransportError},
            {State::Completed,  Event::Final,          State::Completed,  0},
            {State::Completed,  Event::TimerK,         State::Terminated, 0},
            // clang-format on
        };
    }();

/// The transition that sending the request is.
Transition<NonInviteClientState> start_non_invite_client(bool reliable);
Transition<NonInviteClientState> step(NonInviteClientState state, NonInviteClientEvent event,
                                      bool reliable);

/// The event that the end of the state's own time is.
NonInviteClientEvent deadline_event(NonInviteClientState state);
/// 100 to 699.
NonInviteClientEvent non_invite_client_event(int status);

constexpr bool is_legal_cell(NonInviteClientState state, NonInviteClientEvent event) {
    return kNonInviteClientTable.at(state, event).legal;
}
std::string_view state_name(NonInviteClientState state);
std::string_view event_name(NonInviteClientEvent event);

}  // namespace signalbox::transaction
