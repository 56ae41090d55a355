// The INVITE client transaction as a pure step function over its table.
// Implements: RFC 3261 §17.1.1, §9.1; RFC 6026 §7.2, §8.4
#include "transaction/invite_client.h"

namespace signalbox::transaction {

namespace {

uint16_t without_retransmission(uint16_t actions, bool reliable) {
    constexpr auto kOthers = static_cast<uint16_t>(~client_action::kRetransmissionTimers);
    return reliable ? static_cast<uint16_t>(actions & kOthers) : actions;
}

}  // namespace

Transition<InviteClientState> start_invite_client(bool reliable) {
    using namespace client_action;
    return {InviteClientState::Calling, without_retransmission(kArmTimerA | kArmTimerB, reliable),
            true};
}

Transition<InviteClientState> step(InviteClientState state, InviteClientEvent event,
                                   bool reliable) {
    Transition<InviteClientState> transition = kInviteClientTable.at(state, event);
    transition.actions = without_retransmission(transition.actions, reliable);
    return transition;
}

InviteClientEvent deadline_event(InviteClientState state) {
    switch (state) {
        case InviteClientState::Proceeding:
            return InviteClientEvent::CancelExpired;
        case InviteClientState::Accepted:
            return InviteClientEvent::TimerM;
        case InviteClientState::Completed:
            return InviteClientEvent::TimerD;
        case InviteClientState::Calling:
        case InviteClientState::Terminated:
            break;
    }
    return InviteClientEvent::TimerB;
}

InviteClientEvent invite_client_event(int status) {
    if (status < 200) return InviteClientEvent::Provisional;
    return status < 300 ? InviteClientEvent::Success : InviteClientEvent::Failure;
}

std::string_view state_name(InviteClientState state) {
    switch (state) {
        case InviteClientState::Calling:
            return "Calling";
        case InviteClientState::Proceeding:
            return "Proceeding";
        case InviteClientState::Accepted:
            return "Accepted";
        case InviteClientState::Completed:
            return "Completed";
        case InviteClientState::Terminated:
            return "Terminated";
    }
    return {};
}

std::string_view event_name(InviteClientEvent event) {
    switch (event) {
        case InviteClientEvent::Provisional:
            return "Provisional";
        case InviteClientEvent::Success:
            return "Success";
        case InviteClientEvent::Failure:
            return "Failure";
        case InviteClientEvent::TimerA:
            return "TimerA";
        case InviteClientEvent::TimerB:
            return "TimerB";
        case InviteClientEvent::TimerD:
            return "TimerD";
        case InviteClientEvent::TimerM:
            return "TimerM";
        case InviteClientEvent::CancelExpired:
            return "CancelExpired";
        case InviteClientEvent::TransportError:
            return "TransportError";
    }
    return {};
}

}  // namespace signalbox::transaction
