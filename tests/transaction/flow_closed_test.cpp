// Covers RFC 3261 §17.1.4 and §18.4 where a stream connection ends after a request went by it.
// Not covered: what cannot be sent at all (invite_client_test.cpp, non_invite_client_test.cpp).
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "layer_world.h"

namespace signalbox::transaction::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using transport::Flow;
using transport::Transport;
using Kind = TransactionEvent::Kind;

/// The connection that a flow without a name went by.
Flow connection_of(Flow flow) {
    flow.shard = 1;  // the layer's own
    flow.connection = 7;
    flow.generation = 3;
    return flow;
}

void close(LayerWorld& world, const Flow& flow) {
    world.layer->on_flow_closed(world.now, flow, world.out);
    world.collect();
}

class FlowClosed_Rfc3261_18_4 : public ::testing::TestWithParam<const char*> {
 protected:
    LayerWorld world;
    const Flow closed = connection_of(LayerWorld::flow(Transport::Tcp));
};

TEST_P(FlowClosed_Rfc3261_18_4, ARequestWithoutResponseIsSentAgainWithTheSameOctets) {
    ClientPeer bob = world.client(GetParam(), Transport::Tcp);
    close(world, closed);
    EXPECT_THAT(world.sent_kinds(), ElementsAre(GetParam(), GetParam()));
    EXPECT_EQ(world.sent[0].bytes, world.sent[1].bytes);
    EXPECT_EQ(world.count(Counter::tx_requests_sent_again_flow_closed_total), 1u);
    EXPECT_THAT(world.events(), IsEmpty());
    EXPECT_EQ(bob.answers(200).kind, ResponseMatch::Kind::Pass);
}

TEST_P(FlowClosed_Rfc3261_18_4, TheSecondTimeItIsATransportError) {
    ClientPeer bob = world.client(GetParam(), Transport::Tcp);
    close(world, closed);
    close(world, closed);
    EXPECT_EQ(world.sent.size(), 2u);
    const auto events = world.events();
    ASSERT_EQ(events.size(), 1u);
    EXPECT_EQ(events[0].kind, Kind::ClientTransportError);
    EXPECT_EQ(events[0].owner, bob.owner);
    EXPECT_FALSE(bob.is_live());
}

TEST_P(FlowClosed_Rfc3261_18_4, ARequestThatWasHeardIsNotSentAgain) {
    ClientPeer bob = world.client(GetParam(), Transport::Tcp);
    bob.answers(100);
    close(world, closed);
    close(world, closed);
    EXPECT_EQ(world.sent.size(), 1u);
    EXPECT_THAT(world.events(), IsEmpty());
    EXPECT_TRUE(bob.is_live());
}

TEST_P(FlowClosed_Rfc3261_18_4, OnlyRequestsOfThatConnectionAreSentAgain) {
    ClientPeer by_tcp = world.client(GetParam(), Transport::Tcp);
    ClientPeer by_udp = world.client(GetParam());
    Flow other = closed;
    other.remote.port = 5099;
    close(world, other);
    other = closed;
    other.shard = 2;
    close(world, other);
    other = closed;
    other.domain = transport::PeerDomain::of("carrier.test");
    close(world, other);
    other = closed;
    other.transport = Transport::Tls;
    close(world, other);
    close(world, LayerWorld::flow(Transport::Udp));
    EXPECT_EQ(world.sent.size(), 2u);
    EXPECT_TRUE(by_tcp.is_live());
    EXPECT_TRUE(by_udp.is_live());
}

INSTANTIATE_TEST_SUITE_P(BothMachines, FlowClosed_Rfc3261_18_4,
                         ::testing::Values("INVITE", "OPTIONS"));

TEST(FlowClosed_Behaviour, OfManyRequestsThoseWithoutResponseAreSentAgainOnceEach) {
    LayerWorld world;
    std::vector<ClientPeer> peers;
    for (int i = 0; i < 6; ++i) peers.push_back(world.client("OPTIONS", Transport::Tcp));
    peers[0].answers(200);
    peers[5].answers(200);
    peers[2].answers(100);
    world.sent.clear();
    close(world, connection_of(LayerWorld::flow(Transport::Tcp)));
    EXPECT_EQ(world.sent.size(), 3u);
    close(world, connection_of(LayerWorld::flow(Transport::Tcp)));
    EXPECT_EQ(world.sent.size(), 3u);
    EXPECT_EQ(world.events().size(), 3u);
    close(world, connection_of(LayerWorld::flow(Transport::Tcp)));
    EXPECT_THAT(world.events(), IsEmpty());
}

TEST(FlowClosed_Behaviour, AFlowThatNamesItsConnectionIsMetByThatOneOnly) {
    LayerWorld world;
    const Flow named = connection_of(LayerWorld::flow(Transport::Tcp));
    const ClientStart start = world.layer->reserve_client(sip::Method::Options, 42, 1);
    world.layer->send_request(world.now, start.client, named, "OPTIONS sip:b@x SIP/2.0\r\n\r\n",
                              world.timers, world.out);
    Flow later = named;
    ++later.generation;
    close(world, later);
    EXPECT_EQ(world.sent.size(), 1u);
    close(world, named);
    EXPECT_EQ(world.sent.size(), 2u);
}

}  // namespace
}  // namespace signalbox::transaction::testing
