// The non-INVITE server transaction as a pure step function over its table.
// Implements: RFC 3261 §17.2.2, §17.2.4; RFC 4320 §4.1, §4.2
#include "transaction/non_invite_server.h"

namespace signalbox::transaction {

Transition<NonInviteServerState> start_non_invite_server() {
    return {NonInviteServerState::Trying, server_action::kArmTryingDue, true};
}

Transition<NonInviteServerState> step(NonInviteServerState state, NonInviteServerEvent event,
                                      [[maybe_unused]] bool reliable) {
    // This machine retransmits nothing by itself, so that the transport changes only the length of
    // Timer J.
    return kNonInviteServerTable.at(state, event);
}

Duration trying_due_after(const SipTimers& timers) {
    Duration sum{};
    // At least one interval passes, and a T1 of zero must not keep this from ending.
    Duration interval = std::max(timers.t1, Duration(1));
    do {
        sum += interval;
        interval *= 2;
    } while (interval < timers.t2);
    return sum;
}

NonInviteServerEvent deadline_event(NonInviteServerState state) {
    return state == NonInviteServerState::Trying ? NonInviteServerEvent::TryingDue
                                                 : NonInviteServerEvent::TimerJ;
}

NonInviteServerEvent non_invite_server_event(int status) {
    return status < 200 ? NonInviteServerEvent::SendProvisional : NonInviteServerEvent::SendFinal;
}

std::string_view state_name(NonInviteServerState state) {
    switch (state) {
        case NonInviteServerState::Trying:
            return "Trying";
        case NonInviteServerState::Proceeding:
            return "Proceeding";
        case NonInviteServerState::Completed:
            return "Completed";
        case NonInviteServerState::Terminated:
            return "Terminated";
    }
    return {};
}

std::string_view event_name(NonInviteServerEvent event) {
    switch (event) {
        case NonInviteServerEvent::Request:
            return "Request";
        case NonInviteServerEvent::SendProvisional:
            return "SendProvisional";
        case NonInviteServerEvent::SendFinal:
            return "SendFinal";
        case NonInviteServerEvent::TimerJ:
            return "TimerJ";
        case NonInviteServerEvent::TryingDue:
            return "TryingDue";
        case NonInviteServerEvent::TransportError:
            return "TransportError";
        case NonInviteServerEvent::Abandon:
            return "Abandon";
    }
    return {};
}

}  // namespace signalbox::transaction
