// The non-INVITE client transaction: its figure, its timers and what it sends.
// Covers: RFC 3261 §17.1.2.1, §17.1.2.2, §17.1.4. Not covered: matching (client_matching_test.cpp).
#include "transaction/non_invite_client.h"

#include <gmock/gmock.h>

#include <string>

#include "tests/transaction/layer_world.h"

namespace signalbox::transaction {

using namespace std::chrono_literals;
using testing::ClientPeer;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::LayerWorld;
using transport::Transport;
using Kind = ResponseMatch::Kind;

// RFC 3261 Figure 6 and §17.1.2.2. t Trying, P Proceeding, C Completed, T Terminated, - no arrow.
TEST(NonInviteClient_Rfc3261_17_1_2, EveryCellIsTheFigures) {
    const std::array<std::string, kNonInviteClientStates> figure = {
        // 1xx 2-6xx E F K Error
        "PCtT-T",  // Trying
        "PCPT-T",  // Proceeding
        "-C--T-",  // Completed
        "------",  // Terminated
    };
    const std::string letters = "tPCT";
    for (size_t state = 0; state < kNonInviteClientStates; ++state) {
        for (size_t event = 0; event < kNonInviteClientEvents; ++event) {
            const auto s = static_cast<NonInviteClientState>(state);
            const auto e = static_cast<NonInviteClientEvent>(event);
            for (const bool reliable : {false, true}) {
                const auto transition = step(s, e, reliable);
                const char cell =
                    transition.legal ? letters[static_cast<size_t>(transition.next)] : '-';
                EXPECT_EQ(cell, figure[state][event]) << state_name(s) << " " << event_name(e);
                EXPECT_EQ(transition.legal, is_legal_cell(s, e));
                if (transition.legal) continue;
                EXPECT_EQ(transition.next, s);
                EXPECT_EQ(transition.actions, 0);
            }
        }
    }
}

TEST(NonInviteClient_Rfc3261_17_1_2_2, TimerEDoublesUpToT2UntilTimerF) {
    LayerWorld world;
    ClientPeer bob = world.client("OPTIONS");
    world.wait(31990ms);
    EXPECT_THAT(world.sent_times(),
                ElementsAre(0, 500, 1500, 3500, 7500, 11500, 15500, 19500, 23500, 27500, 31500));
    for (const auto& sent : world.sent) EXPECT_EQ(sent.bytes, bob.request.text());
    EXPECT_THAT(world.events(), IsEmpty());
    world.wait(10ms);
    const auto events = world.events();
    ASSERT_EQ(events.size(), 1u);
    EXPECT_EQ(events[0].kind, TransactionEvent::Kind::ClientTimeout);
    EXPECT_EQ(events[0].owner, bob.owner);
    EXPECT_FALSE(bob.is_live());
}

TEST(NonInviteClient_Rfc3261_17_1_2_2, AfterAProvisionalTimerEIsT2AndTimerFStillRuns) {
    LayerWorld world;
    ClientPeer bob = world.client("BYE");
    world.wait(600ms);
    EXPECT_EQ(bob.answers(100, "").kind, Kind::Pass);
    world.wait(31390ms);
    EXPECT_THAT(world.sent_times(),
                ElementsAre(0, 500, 1500, 5500, 9500, 13500, 17500, 21500, 25500, 29500));
    EXPECT_THAT(world.events(), IsEmpty());
    world.wait(10ms);
    ASSERT_EQ(world.events().size(), 1u);
}

TEST(NonInviteClient_Rfc3261_17_1_2_2, EveryProvisionalPasses) {
    LayerWorld world;
    ClientPeer bob = world.client("OPTIONS");
    EXPECT_EQ(bob.answers(100, "").kind, Kind::Pass);
    EXPECT_EQ(bob.answers(183).kind, Kind::Pass);
    EXPECT_EQ(bob.answers(200).kind, Kind::Pass);
}

TEST(NonInviteClient_Rfc3261_17_1_2_2, ReliableTransportNeverRetransmitsButTimesOut) {
    LayerWorld world;
    ClientPeer bob = world.client("OPTIONS", Transport::Tcp);
    world.wait(1s);
    bob.answers(100, "");
    world.wait(30990ms);
    EXPECT_THAT(world.events(), IsEmpty());
    world.wait(10ms);
    EXPECT_THAT(world.sent_times(), ElementsAre(0));
    EXPECT_EQ(world.events().size(), 1u);
}

TEST(NonInviteClient_Rfc3261_17_1_2_2, RepeatedFinalResponsesAreAbsorbedUntilTimerK) {
    LayerWorld world;
    ClientPeer bob = world.client("BYE");
    EXPECT_EQ(bob.answers(200).kind, Kind::Pass);
    EXPECT_EQ(world.layer->bytes_kept(), 0u);
    world.wait(4990ms);
    EXPECT_EQ(bob.answers(200).kind, Kind::Absorbed);
    EXPECT_EQ(world.count(Counter::rx_response_retransmissions_total), 1u);
    world.wait(10ms);
    EXPECT_FALSE(bob.is_live());
    EXPECT_EQ(bob.answers(200).kind, Kind::Stray);
    EXPECT_THAT(world.sent_kinds(), ElementsAre("BYE"));
    EXPECT_THAT(world.events(), IsEmpty());
}

TEST(NonInviteClient_Rfc3261_17_1_2_2, AFinalResponseOverAReliableTransportEndsItAtOnce) {
    LayerWorld world;
    ClientPeer bob = world.client("BYE", Transport::Tcp);
    EXPECT_EQ(bob.answers(481).kind, Kind::Pass);
    EXPECT_FALSE(bob.is_live());
    EXPECT_EQ(world.layer->client_count(), 0u);
}

TEST(NonInviteClient_Rfc3261_17_1_4, ATransportErrorIsToldAndEndsIt) {
    for (const bool answered : {false, true}) {
        LayerWorld world;
        ClientPeer bob = world.client("OPTIONS");
        if (answered) bob.answers(100, "");
        bob.fail_transmit(world.sent[0].owner);
        const auto events = world.events();
        ASSERT_EQ(events.size(), 1u);
        EXPECT_EQ(events[0].kind, TransactionEvent::Kind::ClientTransportError);
        EXPECT_FALSE(bob.is_live());
    }
}

TEST(NonInviteClient_Rfc3261_17_1_4, ATransportErrorAfterTheFinalResponseChangesNothing) {
    LayerWorld world;
    ClientPeer bob = world.client("OPTIONS");
    bob.answers(200);
    bob.fail_transmit(world.sent[0].owner);
    EXPECT_THAT(world.events(), IsEmpty());
    EXPECT_TRUE(bob.is_live());
}

TEST(NonInviteClient_Behaviour, CancellingItDoesNothing) {
    LayerWorld world;
    ClientPeer bob = world.client("BYE");
    bob.answers(100, "");
    bob.cancel();
    EXPECT_THAT(world.sent_kinds(), ElementsAre("BYE"));
}

}  // namespace signalbox::transaction
