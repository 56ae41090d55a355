// Which cells of the four transaction machines a run of seeds has reached.
#include "sim/coverage_report.h"

#include "transaction/invite_client.h"
#include "transaction/non_invite_server.h"

namespace signalbox::sim {

namespace {

using transaction::Machine;
using transaction::MachineCoverage;

constexpr size_t kMachines = static_cast<size_t>(Machine::kCount);

/// Arrows of the figures that no run of this server can take. A second provisional response to a
/// request other than INVITE: a proxy must send none (RFC 4320 §4.1). A failed transmit in the two
/// states that last no time over a stream: they are over when it is told, and of a datagram no
/// failure is told.
bool is_out_of_reach(Machine machine, uint8_t state, uint8_t event) {
    using namespace transaction;
    switch (machine) {
        case Machine::InviteClient:
            return InviteClientState{state} == InviteClientState::Completed &&
                   InviteClientEvent{event} == InviteClientEvent::TransportError;
        case Machine::NonInviteServer:
            return (NonInviteServerState{state} == NonInviteServerState::Proceeding &&
                    NonInviteServerEvent{event} == NonInviteServerEvent::SendProvisional) ||
                   (NonInviteServerState{state} == NonInviteServerState::Completed &&
                    NonInviteServerEvent{event} == NonInviteServerEvent::TransportError);
        case Machine::InviteServer:
        case Machine::NonInviteClient:
        case Machine::kCount:
            break;
    }
    return false;
}

/// Calls visit(machine, state, event, count) for each legal cell.
template <class Visit>
void for_each_legal_cell(const MachineCoverage& coverage, Visit&& visit) {
    for (size_t m = 0; m < kMachines; ++m) {
        const auto machine = static_cast<Machine>(m);
        for (uint8_t state = 0; state < transaction::state_count(machine); ++state) {
            for (uint8_t event = 0; event < transaction::event_count(machine); ++event) {
                if (!transaction::is_legal_cell(machine, state, event)) continue;
                if (is_out_of_reach(machine, state, event)) continue;
                visit(machine, state, event, coverage.cells[m][state][event]);
            }
        }
    }
}

}  // namespace

void add(MachineCoverage& sum, const MachineCoverage& one) {
    for (size_t m = 0; m < kMachines; ++m) {
        for (size_t state = 0; state < MachineCoverage::kStatesMax; ++state) {
            for (size_t event = 0; event < MachineCoverage::kEventsMax; ++event) {
                sum.cells[m][state][event] += one.cells[m][state][event];
            }
        }
    }
}

std::string coverage_table(const MachineCoverage& coverage) {
    std::string out;
    std::string_view last_state;
    for_each_legal_cell(coverage,
                        [&](Machine machine, uint8_t state, uint8_t event, uint64_t count) {
                            const std::string_view name = transaction::state_name(machine, state);
                            if (name.data() != last_state.data()) {
                                std::string head(transaction::machine_name(machine));
                                head += ' ';
                                head += name;
                                head.resize(28, ' ');
                                out += '\n' + head;
                                last_state = name;
                            }
                            out += std::string(transaction::event_name(machine, event)) + '=' +
                                   std::to_string(count) + ' ';
                        });
    return out + '\n';
}

std::string cells_missing(const MachineCoverage& coverage) {
    std::string out;
    for_each_legal_cell(coverage,
                        [&](Machine machine, uint8_t state, uint8_t event, uint64_t count) {
                            if (count > 0) return;
                            out += std::string(transaction::machine_name(machine)) + ' ' +
                                   std::string(transaction::state_name(machine, state)) + ' ' +
                                   std::string(transaction::event_name(machine, event)) + '\n';
                        });
    return out;
}

}  // namespace signalbox::sim
