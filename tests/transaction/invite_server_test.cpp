// The INVITE server transaction: its figure, its timers and what it sends.
// Covers: RFC 3261 §17.2.1, §17.2.4; RFC 6026 §7.1, §8.8. Not covered: matching
// (server_matching_test.cpp); the 100 within 200 ms, which is the transaction user's.
#include "transaction/invite_server.h"

#include <gmock/gmock.h>

#include <string>

#include "tests/transaction/layer_world.h"

namespace signalbox::transaction {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::LayerWorld;
using testing::RequestText;
using testing::ServerPeer;
using transport::Transport;
using Kind = RequestMatch::Kind;

// RFC 3261 Figure 7 with RFC 6026 §7.1. P Proceeding, A Accepted, C Completed, F Confirmed, T
// Terminated, - no arrow. RFC 6026 keeps Proceeding at a transport error; the T there is the
// deviation that invite_server.h names.
TEST(InviteServer_Rfc3261_17_2_1, EveryCellIsTheFigures) {
    const std::array<std::string, kInviteServerStates> figure = {
        // INVITE ACK 1xx 2xx 3-6xx G H I L Error
        "P-PAC----T",  // Proceeding
        "AA-A----TA",  // Accepted
        "CF---CT--C",  // Completed
        "-F-----T--",  // Confirmed
        "----------",  // Terminated
    };
    const std::string letters = "PACFT";
    for (size_t state = 0; state < kInviteServerStates; ++state) {
        for (size_t event = 0; event < kInviteServerEvents; ++event) {
            const auto s = static_cast<InviteServerState>(state);
            const auto e = static_cast<InviteServerEvent>(event);
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

TEST(InviteServer_Rfc3261_17_2_1, ARetransmissionBeforeAnyResponseIsAbsorbedSilently) {
    LayerWorld world;
    ServerPeer alice = world.server({});
    EXPECT_EQ(alice.sends().kind, Kind::New);
    EXPECT_EQ(alice.sends().kind, Kind::Absorbed);
    EXPECT_THAT(world.sent, IsEmpty());
    EXPECT_EQ(world.layer->server_count(), 1u);
    EXPECT_EQ(world.count(Counter::rx_request_retransmissions_total), 1u);
}

TEST(InviteServer_Rfc3261_17_2_1, ARetransmissionGetsTheLastProvisionalAgain) {
    LayerWorld world;
    ServerPeer alice = world.server({});
    alice.sends();
    EXPECT_TRUE(alice.respond(100, ""));
    alice.sends();
    EXPECT_TRUE(alice.respond(180));
    alice.sends();
    ASSERT_THAT(world.sent_kinds(), ElementsAre("100", "100", "180", "180"));
    EXPECT_EQ(world.sent[2].bytes, world.sent[3].bytes);
    EXPECT_EQ(world.sent[3].flow, alice.flow);
    EXPECT_EQ(world.count(Counter::tx_response_retransmissions_total), 2u);
    EXPECT_TRUE(alice.is_pending());
}

TEST(InviteServer_Rfc3261_17_2_1, ItWaitsForAFinalResponseForAnyTime) {
    LayerWorld world;
    ServerPeer alice = world.server({});
    alice.sends();
    alice.respond(180);
    world.wait(1h);
    EXPECT_TRUE(alice.is_pending());
    EXPECT_THAT(world.sent_kinds(), ElementsAre("180"));
}

TEST(InviteServer_Rfc3261_17_2_1, TimerGDoublesUpToT2UntilTimerH) {
    LayerWorld world;
    ServerPeer alice = world.server({});
    alice.sends();
    EXPECT_TRUE(alice.respond(486));
    world.wait(31990ms);
    EXPECT_THAT(world.sent_times(),
                ElementsAre(0, 500, 1500, 3500, 7500, 11500, 15500, 19500, 23500, 27500, 31500));
    for (const auto& sent : world.sent) EXPECT_EQ(sent.bytes, world.sent[0].bytes);
    EXPECT_TRUE(alice.is_live());
    world.wait(10ms);
    EXPECT_FALSE(alice.is_live());
    EXPECT_EQ(world.count(Counter::invite_server_ack_timeouts_total), 1u);
    EXPECT_THAT(world.events(), IsEmpty());
    EXPECT_EQ(world.layer->bytes_kept(), 0u);
}

TEST(InviteServer_Rfc3261_17_2_1, ReliableTransportSendsAFailureOnceAndStillWaitsForTheAck) {
    LayerWorld world;
    ServerPeer alice = world.server({}, Transport::Tcp);
    alice.sends();
    alice.respond(486);
    world.wait(31990ms);
    EXPECT_THAT(world.sent_kinds(), ElementsAre("486"));
    EXPECT_TRUE(alice.is_live());
    world.wait(10ms);
    EXPECT_FALSE(alice.is_live());
}

TEST(InviteServer_Rfc3261_17_2_1, RetransmitsFinalUntilAck) {
    LayerWorld world;
    ServerPeer alice = world.server({});
    alice.sends();
    alice.respond(486);
    world.wait(2s);
    EXPECT_THAT(world.sent_times(), ElementsAre(0, 500, 1500));
    EXPECT_EQ(alice.acks().kind, Kind::Absorbed);
    EXPECT_EQ(world.layer->bytes_kept(), 0u);
    world.wait(40s);
    EXPECT_EQ(world.sent.size(), 3u);
}

TEST(InviteServer_Rfc3261_17_2_1, ARetransmissionInCompletedGetsTheFailureAgain) {
    LayerWorld world;
    ServerPeer alice = world.server({});
    alice.sends();
    alice.respond(404);
    EXPECT_EQ(alice.sends().kind, Kind::Absorbed);
    ASSERT_THAT(world.sent_kinds(), ElementsAre("404", "404"));
    EXPECT_EQ(world.sent[0].bytes, world.sent[1].bytes);
}

TEST(InviteServer_Rfc3261_17_2_1, ConfirmedAbsorbsAcksAndRequestsUntilTimerI) {
    LayerWorld world;
    ServerPeer alice = world.server({});
    alice.sends();
    alice.respond(404);
    alice.acks();
    world.wait(4990ms);
    EXPECT_EQ(alice.acks().kind, Kind::Absorbed);
    EXPECT_EQ(alice.sends().kind, Kind::Absorbed);
    EXPECT_THAT(world.sent_kinds(), ElementsAre("404"));
    world.wait(10ms);
    EXPECT_FALSE(alice.is_live());
    EXPECT_EQ(alice.acks().kind, Kind::New);
}

TEST(InviteServer_Rfc3261_17_2_1, TheAckOverAReliableTransportEndsItAtOnce) {
    LayerWorld world;
    ServerPeer alice = world.server({}, Transport::Tcp);
    alice.sends();
    alice.respond(404);
    EXPECT_EQ(alice.acks().kind, Kind::Absorbed);
    EXPECT_FALSE(alice.is_live());
    EXPECT_EQ(world.layer->server_count(), 0u);
}

TEST(InviteServer_Rfc3261_17_2_1, AnAckBeforeAFinalResponseIsDropped) {
    LayerWorld world;
    ServerPeer alice = world.server({});
    alice.sends();
    alice.respond(180);
    EXPECT_EQ(alice.acks().kind, Kind::Absorbed);
    EXPECT_TRUE(alice.is_pending());
    EXPECT_EQ(world.count(Counter::stray_acks_dropped_total), 1u);
}

TEST(InviteServer_Rfc3261_17_2_1, AfterAFailureNothingElseIsTaken) {
    LayerWorld world;
    ServerPeer alice = world.server({});
    alice.sends();
    alice.respond(486);
    EXPECT_FALSE(alice.respond(180));
    EXPECT_FALSE(alice.respond(200));
    EXPECT_FALSE(alice.respond(603));
    alice.acks();
    EXPECT_FALSE(alice.respond(486));
    EXPECT_THAT(world.sent_kinds(), ElementsAre("486"));
}

TEST(InviteServer_Rfc6026_7_1, AcceptedAbsorbsRequestsUntilTimerL) {
    for (const Transport transport : {Transport::Udp, Transport::Tcp}) {
        LayerWorld world;
        ServerPeer alice = world.server({}, transport);
        alice.sends();
        alice.respond(180);
        EXPECT_TRUE(alice.respond(200));
        EXPECT_EQ(world.layer->bytes_kept(), 0u);
        world.wait(31990ms);
        EXPECT_EQ(alice.sends().kind, Kind::Absorbed);
        EXPECT_THAT(world.sent_kinds(), ElementsAre("180", "200"));
        world.wait(10ms);
        EXPECT_FALSE(alice.is_live());
    }
}

TEST(InviteServer_Rfc6026_7_1, FurtherSuccessesInAcceptedAreSent) {
    LayerWorld world;
    ServerPeer alice = world.server({});
    alice.sends();
    alice.respond(200);
    world.wait(500ms);
    EXPECT_TRUE(alice.respond(200));
    EXPECT_TRUE(alice.respond(200, "carol2"));
    EXPECT_FALSE(alice.respond(180));
    EXPECT_FALSE(alice.respond(486));
    EXPECT_THAT(world.sent_kinds(), ElementsAre("200", "200", "200"));
}

TEST(InviteServer_Rfc6026_7_1, AnAckWithTheInvitesBranchInAcceptedIsTheUsers) {
    LayerWorld world;
    ServerPeer alice = world.server({});
    alice.sends();
    alice.respond(200);
    const RequestMatch match = alice.acks();
    EXPECT_EQ(match.kind, Kind::New);
    EXPECT_EQ(match.acknowledged, alice.server);
    EXPECT_TRUE(alice.is_live());
}

TEST(InviteServer_Rfc6026_8_8, ATransportErrorAfterAFinalResponseKeepsItsState) {
    for (const int status : {200, 486}) {
        LayerWorld world;
        ServerPeer alice = world.server({}, Transport::Tcp);
        alice.sends();
        alice.respond(status);
        world.layer->on_transmit_failed(world.now, world.sent[0].owner, world.out);
        EXPECT_TRUE(alice.is_live());
        EXPECT_EQ(alice.sends().kind, Kind::Absorbed);
        EXPECT_THAT(world.events(), IsEmpty());
        world.wait(32s);
        EXPECT_FALSE(alice.is_live());
    }
}

TEST(InviteServer_Rfc3261_17_2_4, ATransportErrorBeforeTheFinalResponseIsToldAndEndsIt) {
    LayerWorld world;
    ServerPeer alice = world.server({}, Transport::Tcp);
    alice.sends();
    alice.respond(180);
    world.layer->on_transmit_failed(world.now, world.sent[0].owner, world.out);
    const auto events = world.events();
    ASSERT_EQ(events.size(), 1u);
    EXPECT_EQ(events[0].kind, TransactionEvent::Kind::ServerEnded);
    EXPECT_EQ(events[0].owner, alice.owner);
    EXPECT_EQ(events[0].server, alice.server);
    EXPECT_FALSE(alice.is_live());
    EXPECT_FALSE(alice.respond(200));
}

}  // namespace signalbox::transaction
