// The INVITE client transaction: its figure, its timers and what it sends.
// Covers: RFC 3261 §17.1.1.1, §17.1.1.2, §17.1.1.3 (when ACKs are sent), §17.1.4, §9.1; RFC 6026
// §7.2, §8.4. Not covered: the ACK's text (ack_and_cancel_test.cpp), matching
// (client_matching_test.cpp).
#include "transaction/invite_client.h"

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

namespace {

/// One letter a state, '-' where the figure has no arrow.
char letter(const Transition<InviteClientState>& transition) {
    return transition.legal ? state_name(transition.next).front() == 'C'
                                  ? (transition.next == InviteClientState::Calling ? 'c' : 'C')
                                  : state_name(transition.next).front()
                            : '-';
}

}  // namespace

// RFC 3261 Figure 5 with RFC 6026 §7.2. c Calling, P Proceeding, A Accepted, C Completed, T
// Terminated.
TEST(InviteClient_Rfc3261_17_1_1, EveryCellIsTheFigures) {
    const std::array<std::string, kInviteClientStates> figure = {
        // 1xx 2xx 3-6xx A B D M CancelExpired Error
        "PACcT---T",  // Calling
        "PAC----T-",  // Proceeding
        "-A----T--",  // Accepted
        "--C--T--T",  // Completed
        "---------",  // Terminated
    };
    for (size_t state = 0; state < kInviteClientStates; ++state) {
        for (size_t event = 0; event < kInviteClientEvents; ++event) {
            const auto s = static_cast<InviteClientState>(state);
            const auto e = static_cast<InviteClientEvent>(event);
            for (const bool reliable : {false, true}) {
                const auto transition = step(s, e, reliable);
                EXPECT_EQ(letter(transition), figure[state][event])
                    << state_name(s) << " " << event_name(e);
                EXPECT_EQ(transition.legal, is_legal_cell(s, e));
                if (transition.legal) continue;
                EXPECT_EQ(transition.next, s);
                EXPECT_EQ(transition.actions, 0);
            }
        }
    }
}

TEST(InviteClient_Rfc3261_17_1_1_2, TimerADoublesUntilTimerB) {
    LayerWorld world;
    ClientPeer bob = world.client("INVITE");
    world.wait(31990ms);
    EXPECT_THAT(world.sent_times(), ElementsAre(0, 500, 1500, 3500, 7500, 15500, 31500));
    EXPECT_THAT(world.events(), IsEmpty());
    EXPECT_TRUE(world.layer->is_pending(bob.start.client));

    world.wait(10ms);
    const auto events = world.events();
    ASSERT_EQ(events.size(), 1u);
    EXPECT_EQ(events[0].kind, TransactionEvent::Kind::ClientTimeout);
    EXPECT_EQ(events[0].owner, bob.owner);
    EXPECT_EQ(events[0].client, bob.start.client);
    EXPECT_FALSE(bob.is_live());
    EXPECT_EQ(world.sent.size(), 7u);
    EXPECT_EQ(world.count(Counter::transaction_timeouts_total), 1u);
    EXPECT_EQ(world.count(Counter::tx_request_retransmissions_total), 6u);
}

TEST(InviteClient_Rfc3261_17_1_1_2, TimerAIsNotCappedAtT2) {
    LayerWorld::Options options;
    options.timers.t2 = 1s;
    LayerWorld world(options);
    world.client("INVITE");
    world.wait(10s);
    EXPECT_THAT(world.sent_times(), ElementsAre(0, 500, 1500, 3500, 7500));
}

TEST(InviteClient_Rfc3261_17_1_1_2, RetransmissionsAreByteIdentical) {
    LayerWorld world;
    ClientPeer bob = world.client("INVITE");
    world.wait(4s);
    ASSERT_EQ(world.sent.size(), 4u);
    for (const auto& sent : world.sent) {
        EXPECT_EQ(sent.bytes, bob.request.text());
        EXPECT_EQ(sent.flow, LayerWorld::flow(Transport::Udp));
    }
}

TEST(InviteClient_Rfc3261_17_1_1_2, ReliableTransportNeverRetransmitsButTimesOut) {
    LayerWorld world;
    ClientPeer bob = world.client("INVITE", Transport::Tcp);
    world.wait(32s);
    EXPECT_THAT(world.sent_times(), ElementsAre(0));
    ASSERT_EQ(world.events().size(), 1u);
    EXPECT_FALSE(bob.is_live());
}

TEST(InviteClient_Rfc3261_17_1_1_2, AProvisionalStopsTimersAAndBForGood) {
    LayerWorld world;
    ClientPeer bob = world.client("INVITE");
    EXPECT_EQ(bob.answers(100, "").kind, Kind::Pass);
    world.wait(10min);
    EXPECT_THAT(world.sent_kinds(), ElementsAre("INVITE"));
    EXPECT_THAT(world.events(), IsEmpty());
    EXPECT_EQ(bob.answers(180).kind, Kind::Pass);
    EXPECT_EQ(bob.answers(180).kind, Kind::Pass);
    EXPECT_TRUE(world.layer->is_pending(bob.start.client));
}

TEST(InviteClient_Rfc3261_17_1_1_2, EveryFailureIsAcknowledgedButOnlyTheFirstPasses) {
    LayerWorld world;
    ClientPeer bob = world.client("INVITE");
    const ResponseMatch first = bob.answers(486);
    EXPECT_EQ(first.kind, Kind::Pass);
    EXPECT_EQ(first.owner, bob.owner);
    EXPECT_EQ(first.client, bob.start.client);
    EXPECT_FALSE(world.layer->is_pending(bob.start.client));
    EXPECT_EQ(bob.answers(486).kind, Kind::Absorbed);
    EXPECT_EQ(bob.answers(486).kind, Kind::Absorbed);
    ASSERT_THAT(world.sent_kinds(), ElementsAre("INVITE", "ACK", "ACK", "ACK"));
    EXPECT_EQ(world.sent[1].bytes, world.sent[2].bytes);
    EXPECT_EQ(world.sent[1].bytes, world.sent[3].bytes);
    EXPECT_EQ(world.count(Counter::rx_response_retransmissions_total), 2u);
}

TEST(InviteClient_Rfc3261_17_1_1_2, TimerDAbsorbsFailuresFor32Seconds) {
    LayerWorld world;
    ClientPeer bob = world.client("INVITE");
    bob.answers(404);
    world.wait(31990ms);
    EXPECT_EQ(bob.answers(404).kind, Kind::Absorbed);
    world.wait(10ms);
    EXPECT_FALSE(bob.is_live());
    EXPECT_EQ(bob.answers(404).kind, Kind::Stray);
    EXPECT_THAT(world.events(), IsEmpty());
    EXPECT_EQ(world.layer->bytes_kept(), 0u);
}

TEST(InviteClient_Rfc3261_17_1_1_2, AFailureOverAReliableTransportEndsItAtOnce) {
    LayerWorld world;
    ClientPeer bob = world.client("INVITE", Transport::Tcp);
    const ResponseMatch match = bob.answers(603);
    EXPECT_EQ(match.kind, Kind::Pass);
    EXPECT_EQ(match.owner, bob.owner);
    EXPECT_THAT(world.sent_kinds(), ElementsAre("INVITE", "ACK"));
    EXPECT_FALSE(bob.is_live());
    EXPECT_EQ(world.layer->client_count(), 0u);
}

TEST(InviteClient_Rfc3261_17_1_1_2, OnlyTheAckIsKeptInCompleted) {
    LayerWorld world;
    ClientPeer bob = world.client("INVITE");
    EXPECT_EQ(world.layer->sent_request(bob.start.client), bob.request.text());
    EXPECT_EQ(world.layer->bytes_kept(), bob.request.text().size());
    bob.answers(486);
    EXPECT_EQ(world.layer->sent_request(bob.start.client), "");
    EXPECT_EQ(world.layer->bytes_kept(), world.sent.back().bytes.size());
}

TEST(InviteClient_Rfc3261_17_1_1_2, ASuccessOrAProvisionalInCompletedIsDiscarded) {
    LayerWorld world;
    ClientPeer bob = world.client("INVITE");
    bob.answers(486);
    EXPECT_EQ(bob.answers(180).kind, Kind::Absorbed);
    EXPECT_EQ(bob.answers(200).kind, Kind::Absorbed);
    EXPECT_THAT(world.sent_kinds(), ElementsAre("INVITE", "ACK"));
}

TEST(InviteClient_Rfc6026_7_2, EverySuccessInAcceptedPassesUntilTimerM) {
    LayerWorld world;
    ClientPeer bob = world.client("INVITE");
    EXPECT_EQ(bob.answers(200).kind, Kind::Pass);
    EXPECT_EQ(bob.answers(200).kind, Kind::Pass);
    world.wait(31990ms);
    EXPECT_EQ(bob.answers(200, "carol2").kind, Kind::Pass);
    world.wait(10ms);
    EXPECT_FALSE(bob.is_live());
    EXPECT_EQ(bob.answers(200).kind, Kind::Stray);
    EXPECT_THAT(world.sent_kinds(), ElementsAre("INVITE"));
    EXPECT_THAT(world.events(), IsEmpty());
}

TEST(InviteClient_Rfc6026_7_2, AcceptedLastsAsLongOverAReliableTransport) {
    LayerWorld world;
    ClientPeer bob = world.client("INVITE", Transport::Tcp);
    bob.answers(200);
    EXPECT_EQ(world.layer->bytes_kept(), 0u);
    world.wait(31990ms);
    EXPECT_TRUE(bob.is_live());
    world.wait(10ms);
    EXPECT_FALSE(bob.is_live());
}

TEST(InviteClient_Rfc6026_7_2, FailuresAndProvisionalsInAcceptedAreDiscarded) {
    LayerWorld world;
    ClientPeer bob = world.client("INVITE");
    bob.answers(200);
    EXPECT_EQ(bob.answers(183).kind, Kind::Absorbed);
    EXPECT_EQ(bob.answers(486).kind, Kind::Absorbed);
    EXPECT_THAT(world.sent_kinds(), ElementsAre("INVITE"));
}

TEST(InviteClient_Rfc6026_7_2, LateSuccessesTellTheNewOwner) {
    LayerWorld world;
    ClientPeer bob = world.client("INVITE");
    bob.answers(200);
    world.layer->set_owner(bob.start.client, 9);
    EXPECT_EQ(bob.answers(200, "carol2").owner, 9u);
}

TEST(InviteClient_Rfc3261_17_1_4, ATransportErrorInCallingIsToldAndEndsIt) {
    LayerWorld world;
    ClientPeer bob = world.client("INVITE", Transport::Tcp);
    bob.fail_transmit(world.sent[0].owner);
    const auto events = world.events();
    ASSERT_EQ(events.size(), 1u);
    EXPECT_EQ(events[0].kind, TransactionEvent::Kind::ClientTransportError);
    EXPECT_EQ(events[0].owner, bob.owner);
    EXPECT_FALSE(bob.is_live());
    EXPECT_EQ(world.count(Counter::transaction_transport_errors_total), 1u);
}

TEST(InviteClient_Rfc3261_17_1_4, AnAckThatCannotBeSentIsToldAndEndsIt) {
    LayerWorld world;
    ClientPeer bob = world.client("INVITE");
    bob.answers(486);
    bob.fail_transmit(world.sent[1].owner);
    ASSERT_EQ(world.events().size(), 1u);
    EXPECT_FALSE(bob.is_live());
}

TEST(InviteClient_Rfc3261_17_1_4, ATransportErrorAfterAnAnswerChangesNothing) {
    for (const int status : {180, 200}) {
        LayerWorld world;
        ClientPeer bob = world.client("INVITE");
        bob.answers(status);
        bob.fail_transmit(world.sent[0].owner);
        EXPECT_THAT(world.events(), IsEmpty());
        EXPECT_TRUE(bob.is_live());
    }
}

TEST(InviteClient_Rfc3261_9_1, NoCancelLeavesBeforeAProvisional) {
    LayerWorld world;
    ClientPeer bob = world.client("INVITE");
    bob.cancel();
    world.wait(400ms);
    EXPECT_THAT(world.sent_kinds(), ElementsAre("INVITE"));
    EXPECT_EQ(bob.answers(100, "").kind, Kind::Pass);
    EXPECT_THAT(world.sent_kinds(), ElementsAre("INVITE", "CANCEL"));
}

TEST(InviteClient_Rfc3261_9_1, ACancelLeavesAtOnceAfterAProvisional) {
    LayerWorld world;
    ClientPeer bob = world.client("INVITE");
    bob.answers(180);
    bob.cancel();
    EXPECT_THAT(world.sent_kinds(), ElementsAre("INVITE", "CANCEL"));
    EXPECT_EQ(world.sent[1].flow, world.sent[0].flow);
}

TEST(InviteClient_Rfc3261_9_1, ThereIsExactlyOneCancel) {
    LayerWorld world;
    ClientPeer bob = world.client("INVITE");
    bob.cancel();
    bob.cancel();
    bob.answers(180);
    bob.cancel();
    bob.answers_cancel(200);
    world.wait(6s);  // its transaction has ended: Timer K
    bob.cancel();
    bob.answers(180);
    EXPECT_THAT(world.sent_kinds(), ElementsAre("INVITE", "CANCEL"));
}

TEST(InviteClient_Rfc3261_9_1, AFinalResponseMakesAWaitingCancelNeedless) {
    for (const int status : {200, 486}) {
        LayerWorld world;
        ClientPeer bob = world.client("INVITE");
        bob.cancel();
        EXPECT_EQ(bob.answers(status).kind, Kind::Pass);
        world.wait(5s);
        EXPECT_EQ(world.layer->client_count(), 1u);
        for (const std::string& kind : world.sent_kinds()) EXPECT_NE(kind, "CANCEL");
    }
}

TEST(InviteClient_Rfc3261_9_1, AFinalResponseMakesALaterCancelNeedless) {
    LayerWorld world;
    ClientPeer bob = world.client("INVITE");
    bob.answers(180);
    bob.answers(200);
    bob.cancel();
    EXPECT_THAT(world.sent_kinds(), ElementsAre("INVITE"));
    EXPECT_EQ(world.layer->client_count(), 1u);
}

TEST(InviteClient_Rfc3261_9_1, ResponsesToTheCancelAreAbsorbed) {
    for (const int status : {200, 481, 500}) {
        LayerWorld world;
        ClientPeer bob = world.client("INVITE");
        bob.answers(180);
        bob.cancel();
        EXPECT_EQ(bob.answers_cancel(100).kind, Kind::Absorbed);
        EXPECT_EQ(bob.answers_cancel(status).kind, Kind::Absorbed);
        EXPECT_EQ(bob.answers_cancel(status).kind, Kind::Absorbed);
        EXPECT_TRUE(world.layer->is_pending(bob.start.client));
        EXPECT_EQ(bob.answers(487).kind, Kind::Pass);
        EXPECT_THAT(world.sent_kinds(), ElementsAre("INVITE", "CANCEL", "ACK"));
        EXPECT_EQ(world.count(Counter::stray_responses_dropped_total), 0u);
    }
}

TEST(InviteClient_Rfc3261_9_1, TheCancelIsRetransmittedLikeAnyRequest) {
    LayerWorld world;
    ClientPeer bob = world.client("INVITE");
    bob.answers(180);
    bob.cancel();
    world.wait(12s);
    EXPECT_THAT(world.sent_times(), ElementsAre(0, 0, 500, 1500, 3500, 7500, 11500));
    for (size_t i = 2; i < world.sent.size(); ++i) {
        EXPECT_EQ(world.sent[i].bytes, world.sent[1].bytes);
    }
}

TEST(InviteClient_Rfc3261_9_1, WithoutAFinalResponse64T1AfterTheCancelItTimesOut) {
    LayerWorld world;
    ClientPeer bob = world.client("INVITE");
    bob.answers(180);
    world.wait(10s);
    bob.cancel();
    bob.answers_cancel(200);
    world.wait(31990ms);
    EXPECT_THAT(world.events(), IsEmpty());
    world.wait(10ms);
    const auto events = world.events();
    ASSERT_EQ(events.size(), 1u);
    EXPECT_EQ(events[0].kind, TransactionEvent::Kind::ClientTimeout);
    EXPECT_EQ(events[0].owner, bob.owner);
    EXPECT_EQ(world.layer->client_count(), 0u);
}

TEST(InviteClient_Rfc3261_9_1, ACancelWithoutAnswerTellsOnlyTheEndOfTheInvite) {
    LayerWorld world;
    ClientPeer bob = world.client("INVITE");
    bob.answers(180);
    bob.cancel();
    world.wait(33s);
    EXPECT_EQ(world.events().size(), 1u);
    EXPECT_EQ(world.layer->client_count(), 0u);
    EXPECT_EQ(world.layer->bytes_kept(), 0u);
}

TEST(InviteClient_Rfc3261_9_1, ASuccessThatCrossesTheCancelPasses) {
    LayerWorld world;
    ClientPeer bob = world.client("INVITE");
    bob.answers(180);
    bob.cancel();
    EXPECT_EQ(bob.answers(200).kind, Kind::Pass);
    world.wait(40s);
    EXPECT_THAT(world.events(), IsEmpty());
    EXPECT_EQ(world.layer->client_count(), 0u);
}

TEST(InviteClient_Rfc3261_9_1, ACancelThatCannotBeSentIsNobodysBusiness) {
    LayerWorld world;
    ClientPeer bob = world.client("INVITE", Transport::Tcp);
    bob.answers(180);
    bob.cancel();
    bob.fail_transmit(world.sent[1].owner);
    EXPECT_THAT(world.events(), IsEmpty());
    EXPECT_TRUE(world.layer->is_pending(bob.start.client));
    EXPECT_EQ(world.layer->client_count(), 1u);
}

}  // namespace signalbox::transaction
