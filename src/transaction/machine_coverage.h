// Which cells of the four machines' event × state tables a run has reached: the simulation demands
// every legal one.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace signalbox::transaction {

enum class Machine : uint8_t {
    InviteClient,
    InviteServer,
    NonInviteClient,
    NonInviteServer,
    kCount
};

/// Counts per machine, state and event; each machine's file says which cells are legal.
struct MachineCoverage {
    static constexpr size_t kStatesMax = 8;
    static constexpr size_t kEventsMax = 16;
    std::array<std::array<std::array<uint64_t, kEventsMax>, kStatesMax>,
               static_cast<size_t>(Machine::kCount)>
        cells{};

    void reached(Machine machine, uint8_t state, uint8_t event) {
        ++cells[static_cast<size_t>(machine)][state][event];
    }
};

/// "InviteClient" and so on.
std::string_view machine_name(Machine machine);
/// How many states and events a machine has; its cells are numbered from 0.
size_t state_count(Machine machine);
size_t event_count(Machine machine);
std::string_view state_name(Machine machine, uint8_t state);
std::string_view event_name(Machine machine, uint8_t event);
/// True when the machine's figure shows an arrow there. `state` and `event` must be below their
/// counts.
bool is_legal_cell(Machine machine, uint8_t state, uint8_t event);

}  // namespace signalbox::transaction
