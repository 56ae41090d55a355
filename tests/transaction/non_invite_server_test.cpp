// The non-INVITE server transaction: its figure, its timers and what it sends.
// Covers: RFC 3261 §17.2.2, §17.2.4; RFC 4320 §4.1 (the moment of the 100), §4.2 (silence
// instead of a 408). Not covered: matching (server_matching_test.cpp); when to be silent, which is
// the transaction user's.
#include "transaction/non_invite_server.h"

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

namespace {

RequestText options() {
    return RequestText{}.as("OPTIONS");
}

}  // namespace

// RFC 3261 Figure 8, §17.2.2 and RFC 4320 §4.1, §4.2. t Trying, P Proceeding, C Completed, T
// Terminated,
// - no arrow.
TEST(NonInviteServer_Rfc3261_17_2_2, EveryCellIsTheFigures) {
    const std::array<std::string, kNonInviteServerStates> figure = {
        // request 1xx 2-6xx J TryingDue Error Abandon
        "tPC-t-C",  // Trying
        "PPC--TC",  // Proceeding
        "C--T-T-",  // Completed
        "-------",  // Terminated
    };
    const std::string letters = "tPCT";
    for (size_t state = 0; state < kNonInviteServerStates; ++state) {
        for (size_t event = 0; event < kNonInviteServerEvents; ++event) {
            const auto s = static_cast<NonInviteServerState>(state);
            const auto e = static_cast<NonInviteServerEvent>(event);
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

TEST(NonInviteServer_Rfc3261_17_2_2, RequestsInTryingAreDiscarded) {
    LayerWorld world;
    ServerPeer alice = world.server(options());
    EXPECT_EQ(alice.sends().kind, Kind::New);
    EXPECT_EQ(alice.sends().kind, Kind::Absorbed);
    EXPECT_THAT(world.sent, IsEmpty());
    EXPECT_TRUE(alice.is_pending());
}

TEST(NonInviteServer_Rfc3261_17_2_2, RequestsGetTheLastResponseAgain) {
    LayerWorld world;
    ServerPeer alice = world.server(options());
    alice.sends();
    EXPECT_TRUE(alice.respond(100, ""));
    alice.sends();
    EXPECT_TRUE(alice.respond(183));
    alice.sends();
    EXPECT_TRUE(alice.respond(200));
    EXPECT_FALSE(alice.is_pending());
    alice.sends();
    ASSERT_THAT(world.sent_kinds(), ElementsAre("100", "100", "183", "183", "200", "200"));
    EXPECT_EQ(world.sent[4].bytes, world.sent[5].bytes);
    EXPECT_EQ(world.count(Counter::tx_response_retransmissions_total), 3u);
}

TEST(NonInviteServer_Rfc3261_17_2_2, OtherFinalResponsesInCompletedAreRefused) {
    LayerWorld world;
    ServerPeer alice = world.server(options());
    alice.sends();
    alice.respond(200);
    EXPECT_FALSE(alice.respond(500));
    EXPECT_FALSE(alice.respond(100, ""));
    EXPECT_THAT(world.sent_kinds(), ElementsAre("200"));
}

TEST(NonInviteServer_Rfc3261_17_2_2, CompletedAbsorbsRequestsUntilTimerJ) {
    LayerWorld world;
    ServerPeer alice = world.server(options());
    alice.sends();
    alice.respond(200);
    world.wait(31990ms);
    EXPECT_EQ(alice.sends().kind, Kind::Absorbed);
    world.wait(10ms);
    EXPECT_FALSE(alice.is_live());
    EXPECT_EQ(world.layer->bytes_kept(), 0u);
    EXPECT_EQ(alice.sends().kind, Kind::New);
}

TEST(NonInviteServer_Rfc3261_17_2_2, AFinalResponseOverAReliableTransportEndsItAtOnce) {
    LayerWorld world;
    ServerPeer alice = world.server(options(), Transport::Tcp);
    alice.sends();
    EXPECT_TRUE(alice.respond(200));
    EXPECT_FALSE(alice.is_live());
    EXPECT_EQ(world.layer->server_count(), 0u);
    EXPECT_THAT(world.sent_kinds(), ElementsAre("200"));
}

TEST(NonInviteServer_Rfc4320_4_1, TryingIsDueOnceWhenTimerEReachesT2OnEveryTransport) {
    for (const Transport transport : {Transport::Udp, Transport::Tcp}) {
        LayerWorld world;
        ServerPeer alice = world.server(options(), transport);
        alice.sends();
        world.wait(3490ms);
        EXPECT_THAT(world.events(), IsEmpty());
        world.wait(10ms);
        const auto events = world.events();
        ASSERT_EQ(events.size(), 1u);
        EXPECT_EQ(events[0].kind, TransactionEvent::Kind::TryingDue);
        EXPECT_EQ(events[0].owner, alice.owner);
        EXPECT_EQ(events[0].server, alice.server);
        world.wait(5min);
        EXPECT_THAT(world.events(), IsEmpty());
        EXPECT_TRUE(alice.is_pending());
        EXPECT_THAT(world.sent, IsEmpty());
    }
}

TEST(NonInviteServer_Rfc4320_4_1, AnyResponseMakesTheTryingNeedless) {
    for (const int status : {100, 200}) {
        LayerWorld world;
        ServerPeer alice = world.server(options());
        alice.sends();
        world.wait(3s);
        alice.respond(status);
        world.wait(10s);
        EXPECT_THAT(world.events(), IsEmpty());
    }
}

TEST(NonInviteServer_Rfc4320_4_1, TheMomentIsTheSumOfTimerEsIntervalsUpToT2) {
    SipTimers timers;
    EXPECT_EQ(trying_due_after(timers), 3500ms);
    timers.t2 = 3s;  // 0.5, 1, 2, then min(4, 3)
    EXPECT_EQ(trying_due_after(timers), 3500ms);
    timers.t2 = 1s;
    EXPECT_EQ(trying_due_after(timers), 500ms);
    timers.t2 = 100ms;
    EXPECT_EQ(trying_due_after(timers), 500ms);
    timers.t1 = 0ms;
    EXPECT_GT(trying_due_after(timers), 0ms);
}

TEST(NonInviteServer_Rfc4320_4_2, AnAbandonedRequestIsAbsorbedInSilenceUntilTimerJ) {
    for (const bool has_provisional : {false, true}) {
        LayerWorld world;
        ServerPeer alice = world.server(options());
        alice.sends();
        if (has_provisional) alice.respond(100, "");
        world.sent.clear();
        world.layer->abandon(world.now, alice.server, world.out);
        EXPECT_FALSE(alice.is_pending());
        EXPECT_EQ(world.layer->bytes_kept(), 0u);
        world.wait(31990ms);
        EXPECT_EQ(alice.sends().kind, Kind::Absorbed);
        EXPECT_FALSE(alice.respond(200));
        EXPECT_THAT(world.sent, IsEmpty());
        EXPECT_THAT(world.events(), IsEmpty());
        world.wait(10ms);
        EXPECT_FALSE(alice.is_live());
        EXPECT_EQ(alice.sends().kind, Kind::New);
    }
}

TEST(NonInviteServer_Rfc4320_4_2, AnAbandonedRequestOverAReliableTransportEndsAtOnce) {
    LayerWorld world;
    ServerPeer alice = world.server(options(), Transport::Tcp);
    alice.sends();
    world.layer->abandon(world.now, alice.server, world.out);
    EXPECT_FALSE(alice.is_live());
    world.wait(40s);
    EXPECT_THAT(world.events(), IsEmpty());
    EXPECT_THAT(world.sent, IsEmpty());
}

TEST(NonInviteServer_Rfc3261_17_2_4, ATransportErrorBeforeTheFinalResponseIsToldAndEndsIt) {
    LayerWorld world;
    ServerPeer alice = world.server(options(), Transport::Tcp);
    alice.sends();
    alice.respond(100, "");
    world.layer->on_transmit_failed(world.now, world.sent[0].owner, world.out);
    const auto events = world.events();
    ASSERT_EQ(events.size(), 1u);
    EXPECT_EQ(events[0].kind, TransactionEvent::Kind::ServerEnded);
    EXPECT_EQ(events[0].owner, alice.owner);
    EXPECT_FALSE(alice.is_live());
}

TEST(NonInviteServer_Rfc3261_17_2_4, ATransportErrorAfterTheFinalResponseEndsItSilently) {
    LayerWorld world;
    ServerPeer alice = world.server(options());
    alice.sends();
    alice.respond(200);
    world.layer->on_transmit_failed(world.now, world.sent[0].owner, world.out);
    EXPECT_THAT(world.events(), IsEmpty());
    EXPECT_FALSE(alice.is_live());
}

}  // namespace signalbox::transaction
