// The cells of the four machines by number, for reports over all of them. Implements: RFC 3261 §17;
// RFC 6026 §7
#include "transaction/machine_coverage.h"

#include "transaction/invite_client.h"
#include "transaction/invite_server.h"
#include "transaction/non_invite_client.h"
#include "transaction/non_invite_server.h"

namespace signalbox::transaction {

namespace {

static_assert(kInviteClientStates <= MachineCoverage::kStatesMax);
static_assert(kInviteServerStates <= MachineCoverage::kStatesMax);
static_assert(kInviteClientEvents <= MachineCoverage::kEventsMax);
static_assert(kInviteServerEvents <= MachineCoverage::kEventsMax);

}  // namespace

std::string_view machine_name(Machine machine) {
    switch (machine) {
        case Machine::InviteClient:
            return "InviteClient";
        case Machine::InviteServer:
            return "InviteServer";
        case Machine::NonInviteClient:
            return "NonInviteClient";
        case Machine::NonInviteServer:
            return "NonInviteServer";
        case Machine::kCount:
            break;
    }
    return {};
}

size_t state_count(Machine machine) {
    switch (machine) {
        case Machine::InviteClient:
            return kInviteClientStates;
        case Machine::InviteServer:
            return kInviteServerStates;
        case Machine::NonInviteClient:
            return kNonInviteClientStates;
        case Machine::NonInviteServer:
            return kNonInviteServerStates;
        case Machine::kCount:
            break;
    }
    return 0;
}

size_t event_count(Machine machine) {
    switch (machine) {
        case Machine::InviteClient:
            return kInviteClientEvents;
        case Machine::InviteServer:
            return kInviteServerEvents;
        case Machine::NonInviteClient:
            return kNonInviteClientEvents;
        case Machine::NonInviteServer:
            return kNonInviteServerEvents;
        case Machine::kCount:
            break;
    }
    return 0;
}

std::string_view state_name(Machine machine, uint8_t state) {
    switch (machine) {
        case Machine::InviteClient:
            return state_name(InviteClientState{state});
        case Machine::InviteServer:
            return state_name(InviteServerState{state});
        case Machine::NonInviteClient:
            return state_name(NonInviteClientState{state});
        case Machine::NonInviteServer:
            return state_name(NonInviteServerState{state});
        case Machine::kCount:
            break;
    }
    return {};
}

std::string_view event_name(Machine machine, uint8_t event) {
    switch (machine) {
        case Machine::InviteClient:
            return event_name(InviteClientEvent{event});
        case Machine::InviteServer:
            return event_name(InviteServerEvent{event});
        case Machine::NonInviteClient:
            return event_name(NonInviteClientEvent{event});
        case Machine::NonInviteServer:
            return event_name(NonInviteServerEvent{event});
        case Machine::kCount:
            break;
    }
    return {};
}

bool is_legal_cell(Machine machine, uint8_t state, uint8_t event) {
    switch (machine) {
        case Machine::InviteClient:
            return is_legal_cell(InviteClientState{state}, InviteClientEvent{event});
        case Machine::InviteServer:
            return is_legal_cell(InviteServerState{state}, InviteServerEvent{event});
        case Machine::NonInviteClient:
            return is_legal_cell(NonInviteClientState{state}, NonInviteClientEvent{event});
        case Machine::NonInviteServer:
            return is_legal_cell(NonInviteServerState{state}, NonInviteServerEvent{event});
        case Machine::kCount:
            break;
    }
    return false;
}

}  // namespace signalbox::transaction
