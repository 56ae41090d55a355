// The layer as a whole: limits, stale handles, what is kept, and that a warm layer takes nothing
// from the allocator. Covers: RFC 3261 §17 (both sides at once); the contract of
// transaction_layer.h. Not covered: the machines and matching, which have their own files.
#include "transaction/transaction_layer.h"

#include <gmock/gmock.h>

#include "tests/transaction/counting_allocator.h"
#include "tests/transaction/layer_world.h"

namespace signalbox::transaction {

using namespace std::chrono_literals;
using testing::ClientPeer;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::LayerWorld;
using testing::Parsed;
using testing::RequestText;
using testing::ServerPeer;
using transport::Transport;

namespace {

LayerWorld::Options at_most(uint32_t transactions) {
    LayerWorld::Options options;
    options.transactions_max = transactions;
    return options;
}

RequestText numbered(uint32_t number, std::string_view method = "OPTIONS") {
    RequestText request = RequestText{}.as(method);
    request.via = "SIP/2.0/UDP 192.0.2.10:5060;branch=z9hG4bKn" + std::to_string(number);
    return request;
}

}  // namespace

TEST(TransactionLayer_Behaviour, ServerTransactionsAreRefusedAtTheLimitAndTakenAgainLater) {
    for (const uint32_t limit : {0u, 1u, 3u}) {
        LayerWorld world(at_most(limit));
        for (uint32_t i = 0; i < limit; ++i) {
            ServerPeer peer = world.server(numbered(i));
            peer.sends();
            EXPECT_TRUE(peer.server);
            peer.respond(200);
        }
        ServerPeer refused = world.server(numbered(limit));
        EXPECT_EQ(refused.sends().kind, RequestMatch::Kind::New);
        EXPECT_FALSE(refused.server);
        EXPECT_EQ(world.count(Counter::transactions_refused_limit_total), 1u);
        EXPECT_EQ(world.layer->server_count(), limit);
        world.wait(32s);
        EXPECT_EQ(world.layer->server_count(), 0u);
        refused.sends();
        EXPECT_EQ(static_cast<bool>(refused.server), limit != 0);
    }
}

TEST(TransactionLayer_Behaviour, ClientTransactionsAreRefusedAtTheLimitAndTakenAgainLater) {
    LayerWorld world(at_most(2));
    ClientPeer first = world.client("OPTIONS");
    ClientPeer second = world.client("OPTIONS");
    ClientPeer refused = world.client("OPTIONS");
    EXPECT_TRUE(second.start.client);
    EXPECT_FALSE(refused.start.client);
    EXPECT_EQ(world.count(Counter::transactions_refused_limit_total), 1u);
    first.answers(200);
    EXPECT_FALSE(world.client("OPTIONS").start.client);  // it lingers
    world.wait(5s);
    EXPECT_TRUE(world.client("OPTIONS").start.client);
    EXPECT_EQ(world.layer->client_count(), 2u);
}

TEST(TransactionLayer_Behaviour, ACancelIsSentAtTheLimitToo) {
    LayerWorld world(at_most(2));
    ClientPeer first = world.client("INVITE");
    ClientPeer second = world.client("INVITE");
    for (ClientPeer* peer : {&first, &second}) {
        peer->answers(180);
        peer->cancel();
    }
    EXPECT_THAT(world.sent_kinds(), ElementsAre("INVITE", "INVITE", "CANCEL", "CANCEL"));
    EXPECT_FALSE(world.client("OPTIONS").start.client);
    first.answers_cancel(200);
    first.answers(487);
    world.wait(40s);
    EXPECT_TRUE(world.client("OPTIONS").start.client);
}

TEST(TransactionLayer_Behaviour, AReservedPlaceCanBeGivenBack) {
    LayerWorld world(at_most(1));
    const ClientStart start = world.layer->reserve_client(sip::Method::Invite, 0, 1);
    EXPECT_TRUE(world.layer->is_pending(start.client));
    EXPECT_FALSE(world.client("OPTIONS").start.client);
    world.layer->release_client(start.client);
    EXPECT_FALSE(world.layer->is_pending(start.client));
    EXPECT_TRUE(world.client("OPTIONS").start.client);
    EXPECT_EQ(world.count(Counter::client_transactions_total), 1u);
}

TEST(TransactionLayer_Behaviour, AbandonEndsAnInviteWithItsCancelAndTellsNobody) {
    LayerWorld world;
    ClientPeer bob = world.client("INVITE");
    bob.answers(180);
    bob.cancel();
    world.layer->abandon(bob.start.client);
    EXPECT_EQ(world.layer->client_count(), 0u);
    EXPECT_EQ(world.layer->bytes_kept(), 0u);
    world.wait(40s);
    EXPECT_THAT(world.events(), IsEmpty());
    EXPECT_THAT(world.sent_kinds(), ElementsAre("INVITE", "CANCEL"));
    EXPECT_EQ(bob.answers(487).kind, ResponseMatch::Kind::Stray);
}

TEST(TransactionLayer_Behaviour, StaleClientHandlesDoNothingAndAreCounted) {
    LayerWorld world;
    ClientPeer bob = world.client("INVITE");
    world.layer->abandon(bob.start.client);
    world.sent.clear();
    const ClientHandle stale = bob.start.client;
    world.layer->send_request(world.now, stale, LayerWorld::flow(Transport::Udp), "late",
                              world.timers, world.out);
    world.layer->release_client(stale);
    world.layer->cancel(world.now, stale, {}, world.out);
    world.layer->abandon(stale);
    world.layer->set_owner(stale, 5);
    world.layer->on_timer(world.now, TimerDue{stale.packed(), 0}, world.out);
    world.collect();
    EXPECT_EQ(world.count(Counter::stale_handles_dropped_total), 6u);
    EXPECT_THAT(world.sent, IsEmpty());
    EXPECT_EQ(world.layer->sent_request(stale), "");
    EXPECT_FALSE(world.layer->is_live(stale));
    EXPECT_FALSE(world.layer->is_pending(stale));
    EXPECT_FALSE(world.layer->is_pending(ClientHandle{}));
}

TEST(TransactionLayer_Behaviour, StaleServerHandlesDoNothingAndAreCounted) {
    LayerWorld world;
    ServerPeer alice = world.server(numbered(1), Transport::Tcp);
    alice.sends();
    alice.respond(200);
    ASSERT_FALSE(alice.is_live());
    EXPECT_FALSE(alice.respond(200));
    world.layer->on_timer(world.now, TimerDue{alice.server.packed(), 1}, world.out);
    world.layer->on_transmit_failed(world.now, world.sent[0].owner, world.out);
    world.layer->abandon(world.now, alice.server, world.out);
    EXPECT_EQ(world.count(Counter::stale_handles_dropped_total), 4u);
    EXPECT_FALSE(alice.is_pending());
    EXPECT_FALSE(world.layer->is_live(ServerHandle{}));
    EXPECT_THAT(world.events(), IsEmpty());
}

TEST(TransactionLayer_Behaviour, AFailedTransmitOfAnEndedTransactionTouchesNobodyElse) {
    LayerWorld world;
    ClientPeer first = world.client("OPTIONS", Transport::Tcp);
    first.answers(200);
    ClientPeer second = world.client("OPTIONS", Transport::Tcp);
    ASSERT_EQ(first.start.client.index, second.start.client.index);
    first.fail_transmit(world.sent[0].owner);
    first.fail_transmit(0);
    first.fail_transmit(UINT64_MAX);
    EXPECT_TRUE(world.layer->is_pending(second.start.client));
    EXPECT_THAT(world.events(), IsEmpty());
    EXPECT_EQ(world.count(Counter::stale_handles_dropped_total), 1u);
}

TEST(TransactionLayer_Behaviour, EventsComeInTheirOrder) {
    LayerWorld world;
    ClientPeer first = world.client("OPTIONS");
    world.wait(100ms);
    ClientPeer second = world.client("INVITE");
    world.wait(32s);
    const auto events = world.events();
    ASSERT_EQ(events.size(), 2u);
    EXPECT_EQ(events[0].owner, first.owner);
    EXPECT_EQ(events[1].owner, second.owner);
    TransactionEvent none{};
    EXPECT_FALSE(world.layer->pop_event(none));
}

TEST(TransactionLayer_Behaviour, ALateDriverEndsATransactionInsteadOfRetransmitting) {
    LayerWorld world;
    world.client("INVITE");
    world.now.monotonic += 100s;
    TimerDue due;
    while (world.wheel.pop_due(world.now.monotonic, due))
        world.layer->on_timer(world.now, due, world.out);
    world.collect();
    EXPECT_THAT(world.sent_kinds(), ElementsAre("INVITE"));
    EXPECT_EQ(world.events().size(), 1u);
}

TEST(TransactionLayer_Behaviour, BothSidesEndWithNothingKept) {
    LayerWorld world;
    ServerPeer alice = world.server({});
    alice.sends();
    alice.respond(100, "");
    ClientPeer bob = world.client("INVITE");
    bob.answers(180);
    alice.respond(180);
    EXPECT_GT(world.layer->bytes_kept(), 0u);
    bob.answers(200);
    alice.respond(200);
    EXPECT_EQ(world.layer->bytes_kept(), 0u);
    EXPECT_EQ(world.layer->server_count() + world.layer->client_count(), 2u);
    world.wait(32s);
    EXPECT_EQ(world.layer->server_count() + world.layer->client_count(), 0u);
    EXPECT_EQ(world.wheel.next_deadline(), kNever);
}

TEST(TransactionLayer_Behaviour, AWarmInvitePairTakesNothingFromTheAllocator) {
    LayerWorld world;
    const transport::Flow flow = LayerWorld::flow(Transport::Udp);
    RequestText text;
    const Parsed request(text.text());
    const std::string ringing = testing::response_text(text, 180, "bob1");
    const std::string answer = testing::response_text(text, 200, "bob1");
    const std::string busy = testing::response_text(text, 486, "bob1");
    const std::string ack = text.as("ACK").text();
    const Parsed parsed_ack(ack);
    sip::MessageView view;
    std::string from_bob;
    from_bob.reserve(4096);

    // Our branch is put into the prepared responses in place, so that the test itself allocates
    // nothing either.
    const auto receive = [&](const std::string& response, const BranchText& branch) {
        from_bob.assign(response);
        from_bob.replace(from_bob.find("z9hG4bKone"), 10, branch.view());
        ASSERT_TRUE(sip::parse_message(from_bob, view).has_value());
        const auto via = sip::parse_via(view.value(sip::HeaderId::Via));
        const auto fields = read_branch(via->branch, world.keys, world.now.wall);
        EXPECT_EQ(world.layer->receive_response(world.now, view, *fields, world.out).kind,
                  ResponseMatch::Kind::Pass);
    };
    const auto call = [&](bool is_answered) {
        const auto server = world.layer->create_server(world.now, {request.view, request.via}, flow,
                                                       world.timers, 1);
        ASSERT_TRUE(server);
        const ClientStart start = world.layer->reserve_client(sip::Method::Invite, 0, 2);
        from_bob.assign(request.bytes);
        from_bob.replace(from_bob.find("z9hG4bKone"), 10, start.branch.view());
        world.layer->send_request(world.now, start.client, flow, from_bob, world.timers, world.out);
        receive(ringing, start.branch);
        EXPECT_TRUE(world.layer->respond(world.now, server, 180, ringing, world.out));
        if (!is_answered) world.layer->cancel(world.now, start.client, "SIP;cause=487", world.out);
        receive(is_answered ? answer : busy, start.branch);
        EXPECT_TRUE(world.layer->respond(world.now, server, is_answered ? 200 : 486,
                                         is_answered ? answer : busy, world.out));
        world.layer->receive_request(world.now, {parsed_ack.view, parsed_ack.via}, world.out);
        TimerDue due;
        world.now.monotonic += 33s;
        while (world.wheel.pop_due(world.now.monotonic, due))
            world.layer->on_timer(world.now, due, world.out);
        world.out.clear();
        TransactionEvent event{};
        while (world.layer->pop_event(event)) {
        }
        ASSERT_EQ(world.layer->client_count() + world.layer->server_count(), 0u);
    };

    for (int warm_up = 0; warm_up < 4; ++warm_up) call(warm_up % 2 == 0);
    const uint64_t before = testing::allocations();
    for (int i = 0; i < 100; ++i) call(i % 2 == 0);
    EXPECT_EQ(testing::allocations(), before);
}

}  // namespace signalbox::transaction
