// The INVITE server transaction as a pure step function over its table.
// Implements: RFC 3261 §17.2.1, §17.2.4; RFC 6026 §7.1, §8.8
#include "transaction/invite_server.h"

namespace signalbox::transaction {

Transition<InviteServerState> start_invite_server() {
    return {InviteServerState::Proceeding, 0, true};
}

Transition<InviteServerState> step(InviteServerState state, InviteServerEvent event,
                                   bool reliable) {
    constexpr auto kOthers = static_cast<uint16_t>(~server_action::kRetransmissionTimers);
    Transition<InviteServerState> transition = kInviteServerTable.at(state, event);
    if (reliable) transition.actions = static_cast<uint16_t>(transition.actions & kOthers);
    return transition;
}

InviteServerEvent deadline_event(InviteServerState state) {
    switch (state) {
        case InviteServerState::Accepted:
            return InviteServerEvent::TimerL;
        case InviteServerState::Confirmed:
            return InviteServerEvent::TimerI;
        case InviteServerState::Proceeding:
        case InviteServerState::Completed:
        case InviteServerState::Terminated:
            break;
    }
    return InviteServerEvent::TimerH;
}

InviteServerEvent invite_server_event(int status) {
    if (status < 200) return InviteServerEvent::SendProvisional;
    return status < 300 ? InviteServerEvent::SendSuccess : InviteServerEvent::SendFailure;
}

std::string_view state_name(InviteServerState state) {
    switch (state) {
        case InviteServerState::Proceeding:
            return "Proceeding";
        case InviteServerState::Accepted:
            return "Accepted";
        case InviteServerState::Completed:
            return "Completed";
        case InviteServerState::Confirmed:
            return "Confirmed";
        case InviteServerState::Terminated:
            return "Terminated";
    }
    return {};
}

std::string_view event_name(InviteServerEvent event) {
    switch (event) {
        case InviteServerEvent::Request:
            return "Request";
        case InviteServerEvent::Ack:
            return "Ack";
        case InviteServerEvent::SendProvisional:
            return "SendProvisional";
        case InviteServerEvent::SendSuccess:
            return "SendSuccess";
        case InviteServerEvent::SendFailure:
            return "SendFailure";
        case InviteServerEvent::TimerG:
            return "TimerG";
        case InviteServerEvent::TimerH:
            return "TimerH";
        case InviteServerEvent::TimerI:
            return "TimerI";
        case InviteServerEvent::TimerL:
            return "TimerL";
        case InviteServerEvent::TransportError:
            return "TransportError";
    }
    return {};
}

}  // namespace signalbox::transaction
