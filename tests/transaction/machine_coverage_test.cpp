// The report of the machines' cells.
// Covers: that the layer reports each cell before it acts, and the names of RFC 3261 §17's states.
// Not covered: which cells are legal (the four machines' tests).
#include "transaction/machine_coverage.h"

#include <gmock/gmock.h>

#include <set>
#include <string>

#include "tests/transaction/layer_world.h"
#include "transaction/invite_client.h"
#include "transaction/invite_server.h"

namespace signalbox::transaction {

namespace {

uint64_t cell(const MachineCoverage& coverage, Machine machine, size_t state, size_t event) {
    return coverage.cells[static_cast<size_t>(machine)][state][event];
}

}  // namespace

TEST(MachineCoverage_Behaviour, EveryStateAndEventHasANameOfItsOwn) {
    size_t legal = 0;
    for (const Machine machine : {Machine::InviteClient, Machine::InviteServer,
                                  Machine::NonInviteClient, Machine::NonInviteServer}) {
        EXPECT_FALSE(machine_name(machine).empty());
        std::set<std::string_view> states;
        std::set<std::string_view> events;
        for (uint8_t state = 0; state < state_count(machine); ++state) {
            states.insert(state_name(machine, state));
            for (uint8_t event = 0; event < event_count(machine); ++event) {
                events.insert(event_name(machine, event));
                if (is_legal_cell(machine, state, event)) ++legal;
            }
        }
        EXPECT_EQ(states.size(), state_count(machine));
        EXPECT_EQ(events.size(), event_count(machine));
        EXPECT_EQ(states.count(""), 0u);
        EXPECT_EQ(events.count(""), 0u);
        EXPECT_EQ(states.count("Terminated"), 1u);
    }
    EXPECT_EQ(legal, 15u + 17u + 12u + 13u);
    EXPECT_EQ(state_count(Machine::kCount), 0u);
    EXPECT_EQ(event_count(Machine::kCount), 0u);
}

TEST(MachineCoverage_Behaviour, TheLayerReportsTheCellsThatItReaches) {
    testing::LayerWorld world;
    testing::ClientPeer bob = world.client("INVITE");
    bob.answers(180);
    bob.answers(486);
    bob.answers(180);
    testing::ServerPeer alice = world.server({});
    alice.sends();
    alice.sends();

    const auto client = Machine::InviteClient;
    const auto calling = static_cast<size_t>(InviteClientState::Calling);
    const auto completed = static_cast<size_t>(InviteClientState::Completed);
    const auto proceeding = static_cast<size_t>(InviteClientState::Proceeding);
    const auto provisional = static_cast<size_t>(InviteClientEvent::Provisional);
    const auto failure = static_cast<size_t>(InviteClientEvent::Failure);
    EXPECT_EQ(cell(world.coverage, client, calling, provisional), 1u);
    EXPECT_EQ(cell(world.coverage, client, proceeding, failure), 1u);
    EXPECT_EQ(cell(world.coverage, client, completed, provisional), 1u);
    EXPECT_EQ(cell(world.coverage, client, calling, failure), 0u);
    EXPECT_EQ(cell(world.coverage, Machine::InviteServer,
                   static_cast<size_t>(InviteServerState::Proceeding),
                   static_cast<size_t>(InviteServerEvent::Request)),
              1u);
}

}  // namespace signalbox::transaction
