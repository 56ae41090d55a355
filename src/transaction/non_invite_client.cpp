// The non-INVITE client transaction as a pure step function over its table. Implements: RFC 3261
// §17.1.2
#include "transaction/non_invite_client.h"

namespace signalbox::transaction {

namespace {

uint16_t without_retransmission(uint16_t actions, bool reliable) {
    constexpr auto kOthers = static_cast<uint16_t>(~client_action::kRetransmissionTimers);
    return reliable ? static_cast<uint16_t>(actions & kOthers) : actions;
}

}  // namespace

Transition<NonInviteClientState> start_non_invite_client(bool reliable) {
    using namespace client_action;
    return {NonInviteClientState::Trying, without_retransmission(kArmTimerE | kArmTimerF, reliable),
            true};
}

Transition<NonInviteClientState> step(NonInviteClientState state, NonInviteClientEvent event,
                                      bool reliable) {
    Transition<NonInviteClientState> transition = kNonInviteClientTable.at(state, event);
    transition.actions = without_retransmission(transition.actions, reliable);
    return transition;
}

NonInviteClientEvent deadline_event(NonInviteClientState state) {
    return state == NonInviteClientState::Completed ? NonInviteClientEvent::TimerK
                                                    : NonInviteClientEvent::TimerF;
}

NonInviteClientEvent non_invite_client_event(int status) {
    return status < 200 ? NonInviteClientEvent::Provisional : NonInviteClientEvent::Final;
}

std::string_view state_name(NonInviteClientState state) {
    switch (state) {
        case NonInviteClientState::Trying:
            return "Trying";
        case NonInviteClientState::Proceeding:
            return "Proceeding";
        case NonInviteClientState::Completed:
            return "Completed";
        case NonInviteClientState::Terminated:
            return "Terminated";
    }
    return {};
}

std::string_view event_name(NonInviteClientEvent event) {
    switch (event) {
        case NonInviteClientEvent::Provisional:
            return "Provisional";
        case NonInviteClientEvent::Final:
            return "Final";
        case NonInviteClientEvent::TimerE:
            return "TimerE";
        case NonInviteClientEvent::TimerF:
            return "TimerF";
        case NonInviteClientEvent::TimerK:
            return "TimerK";
        case NonInviteClientEvent::TransportError:
            return "TransportError";
    }
    return {};
}

}  // namespace signalbox::transaction
