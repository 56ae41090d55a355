// The way back to a binding, also after a reload, a restart and a closed stream.
// Covers: RFC 3261 §18.1.1 (connections reused), RFC 5626 §5.3 (over the flow of the registration).
// Not covered: contacts with host names, which need a resolver: they count as behind a NAT.
#include "location/reachable_flow.h"

#include <gtest/gtest.h>

namespace signalbox::location {
namespace {

using transport::Flow;
using transport::Transport;

constexpr uint8_t kOwnShard = 3;

transport::Listener listener(Transport transport, std::string_view bound) {
    transport::Listener listener;
    listener.transport = transport;
    listener.bound = *Endpoint::parse(bound);
    return listener;
}

Binding udp_binding(std::string_view local = "192.0.2.1:5060") {
    Binding binding;
    binding.record.contact = "sip:alice@198.51.100.9:5062";
    binding.record.flow.shard = 9;
    binding.record.flow.listener = 0;
    binding.record.flow.local = *Endpoint::parse(local);
    binding.record.flow.remote = *Endpoint::parse("198.51.100.9:5062");
    return binding;
}

Binding tcp_binding() {
    Binding binding = udp_binding();
    binding.record.flow.transport = Transport::Tcp;
    binding.record.flow.connection = 4;
    binding.record.flow.generation = 2;
    binding.record.flow.remote.port = 40000;
    return binding;
}

ports::Snapshot both() {
    ports::Snapshot snapshot;
    snapshot.listeners = {listener(Transport::Udp, "192.0.2.1:5060"),
                          listener(Transport::Tcp, "192.0.2.1:5060")};
    return snapshot;
}

TEST(ReachableFlow_Rfc5626_5_3, DatagramsGoBackByTheFlowTheyCameBy) {
    const auto flow = reachable_flow(udp_binding(), both(), kOwnShard);
    ASSERT_TRUE(flow);
    Flow expected = udp_binding().record.flow;
    expected.shard = kOwnShard;
    EXPECT_EQ(*flow, expected);
}

TEST(ReachableFlow_Rfc5626_5_3, FindsAListenerThatMovedInTheList) {
    ports::Snapshot snapshot;
    snapshot.listeners = {listener(Transport::Tcp, "192.0.2.1:5060"),
                          listener(Transport::Udp, "192.0.2.1:5070"),
                          listener(Transport::Udp, "192.0.2.1:5060")};
    EXPECT_EQ(reachable_flow(udp_binding(), snapshot, kOwnShard)->listener, 2);
}

TEST(ReachableFlow_Rfc5626_5_3, FindsAWildcardListenerByItsPort) {
    ports::Snapshot snapshot;
    snapshot.listeners = {listener(Transport::Udp, "[::]:5060"),
                          listener(Transport::Udp, "0.0.0.0:5070"),
                          listener(Transport::Udp, "0.0.0.0:5060")};
    const auto flow = reachable_flow(udp_binding(), snapshot, kOwnShard);
    EXPECT_EQ(flow->listener, 2);
    EXPECT_EQ(flow->local, *Endpoint::parse("192.0.2.1:5060"));
}

/// A registration over that transport, whose connection has ended.
Binding ended_binding(Transport transport, std::string_view contact) {
    Binding binding = tcp_binding();
    binding.record.flow.transport = transport;
    binding.record.contact = contact;
    binding.is_flow_closed = true;
    return binding;
}

ports::Snapshot secured() {
    ports::Snapshot snapshot = both();
    snapshot.listeners.push_back(listener(Transport::Tls, "192.0.2.1:5061"));
    snapshot.listeners.push_back(listener(Transport::Ws, "192.0.2.1:5062"));
    snapshot.listeners.push_back(listener(Transport::Wss, "192.0.2.1:5063"));
    return snapshot;
}

TEST(ReachableFlow_Rfc7118_5, AWebSocketClientIsGoneWithItsConnection) {
    for (const char* contact : {"sip:a@x.invalid;transport=ws", "sip:a@198.51.100.9;transport=ws",
                                "sips:a@198.51.100.9;transport=ws", "sip:a@198.51.100.9:5062"}) {
        for (const Transport transport : {Transport::Ws, Transport::Wss}) {
            const Binding binding = ended_binding(transport, contact);
            EXPECT_FALSE(reachable_flow(binding, secured(), kOwnShard)) << contact;
        }
    }
    Binding alive = ended_binding(Transport::Wss, "sip:a@x.invalid;transport=ws");
    alive.is_flow_closed = false;
    EXPECT_EQ(reachable_flow(alive, secured(), kOwnShard)->connection, 4u);
}

TEST(ReachableFlow_Rfc3261_26_2_2, ASipsContactIsReachedByTlsOnly) {
    const Binding binding = ended_binding(Transport::Tls, "sips:a@198.51.100.9");
    const auto flow = reachable_flow(binding, secured(), kOwnShard);
    ASSERT_TRUE(flow);
    EXPECT_EQ(flow->transport, Transport::Tls);
    EXPECT_EQ(flow->remote.port, 5061);
    EXPECT_FALSE(reachable_flow(binding, both(), kOwnShard)) << "no TLS listener";
    EXPECT_FALSE(reachable_flow(ended_binding(Transport::Tls, "sips:a@198.51.100.9;transport=udp"),
                                secured(), kOwnShard));
}

TEST(ReachableFlow_Rfc5626_5_3, PrefersTheExactAddressToAWildcard) {
    ports::Snapshot snapshot;
    snapshot.listeners = {listener(Transport::Udp, "0.0.0.0:5060"),
                          listener(Transport::Udp, "192.0.2.1:5060")};
    EXPECT_EQ(reachable_flow(udp_binding(), snapshot, kOwnShard)->listener, 1);
}

TEST(ReachableFlow_Rfc5626_5_3, StaleIndexPastTheListIsHarmless) {
    Binding binding = udp_binding();
    binding.record.flow.listener = 40;
    EXPECT_EQ(reachable_flow(binding, both(), kOwnShard)->listener, 0);
}

TEST(ReachableFlow_Behaviour, LostUdpListenerLeavesTheContactUnlessNated) {
    ports::Snapshot snapshot;
    snapshot.listeners = {listener(Transport::Udp, "192.0.2.77:5080")};
    Binding binding = udp_binding();
    const auto flow = reachable_flow(binding, snapshot, kOwnShard);
    ASSERT_TRUE(flow);
    EXPECT_EQ(flow->listener, 0);
    EXPECT_EQ(flow->local, *Endpoint::parse("192.0.2.77:5080"));
    EXPECT_EQ(flow->remote, *Endpoint::parse("198.51.100.9:5062"));
    binding.record.is_nated = true;
    EXPECT_FALSE(reachable_flow(binding, snapshot, kOwnShard));
}

TEST(ReachableFlow_Behaviour, NothingWithoutAnyListenerOfTheTransportAndFamily) {
    ports::Snapshot snapshot;
    snapshot.listeners = {listener(Transport::Tcp, "192.0.2.1:5060"),
                          listener(Transport::Udp, "[2001:db8::1]:5060")};
    EXPECT_FALSE(reachable_flow(udp_binding(), snapshot, kOwnShard));
}

TEST(ReachableFlow_Rfc3261_18_1_1, LiveStreamIsItsOwnFlow) {
    const auto flow = reachable_flow(tcp_binding(), both(), kOwnShard);
    ASSERT_TRUE(flow);
    Flow expected = tcp_binding().record.flow;
    expected.listener = 1;
    EXPECT_EQ(*flow, expected);
}

TEST(ReachableFlow_Rfc3261_18_1_1, ClosedStreamIsOpenedToTheContact) {
    Binding binding = tcp_binding();
    binding.is_flow_closed = true;
    const auto flow = reachable_flow(binding, both(), kOwnShard);
    ASSERT_TRUE(flow);
    EXPECT_EQ(flow->transport, Transport::Tcp);
    EXPECT_EQ(flow->connection, Flow::kNoConnection);
    EXPECT_EQ(flow->generation, 0U);
    EXPECT_EQ(flow->shard, kOwnShard);
    EXPECT_EQ(flow->listener, 1);
    EXPECT_EQ(flow->remote, *Endpoint::parse("198.51.100.9:5062"));
    EXPECT_EQ(flow->local, *Endpoint::parse("192.0.2.1:5060"));
}

TEST(ReachableFlow_Rfc3261_18_1_1, ClosedStreamUsesTheDefaultPortOfTheContact) {
    Binding binding = tcp_binding();
    binding.is_flow_closed = true;
    binding.record.contact = "sip:alice@198.51.100.9";
    EXPECT_EQ(reachable_flow(binding, both(), kOwnShard)->remote.port, 5060);
}

TEST(ReachableFlow_Rfc3261_18_1_1, ContactsTransportIsFollowedWhenTheStreamIsGone) {
    Binding binding = tcp_binding();
    binding.is_flow_closed = true;
    binding.record.contact = "sip:alice@198.51.100.9:5062;transport=udp";
    EXPECT_EQ(reachable_flow(binding, both(), kOwnShard)->transport, Transport::Udp);
    binding.record.contact = "sip:alice@198.51.100.9:5062;transport=sctp";
    EXPECT_FALSE(reachable_flow(binding, both(), kOwnShard));
}

TEST(ReachableFlow_Behaviour, ClosedStreamBehindANatOrANameIsUnreachable) {
    Binding binding = tcp_binding();
    binding.is_flow_closed = true;
    binding.record.is_nated = true;
    EXPECT_FALSE(reachable_flow(binding, both(), kOwnShard));
    binding.record.is_nated = false;
    binding.record.contact = "sip:alice@phone.example.test";
    EXPECT_FALSE(reachable_flow(binding, both(), kOwnShard));
    binding.record.contact = "";
    EXPECT_FALSE(reachable_flow(binding, both(), kOwnShard));
}

TEST(ReachableFlow_Behaviour, Ipv6ContactIsReadWithItsBrackets) {
    ports::Snapshot snapshot;
    snapshot.listeners = {listener(Transport::Tcp, "[2001:db8::1]:5060")};
    Binding binding = tcp_binding();
    binding.is_flow_closed = true;
    binding.record.contact = "sip:alice@[2001:db8::9]:5062";
    binding.record.flow.local = *Endpoint::parse("[2001:db8::1]:5060");
    const auto flow = reachable_flow(binding, snapshot, kOwnShard);
    ASSERT_TRUE(flow);
    EXPECT_EQ(flow->remote, *Endpoint::parse("[2001:db8::9]:5062"));
}

TEST(ReachableFlow_Rfc5626_7, AFlowWithARegIdIsReachedByItselfOrNotAtAll) {
    Binding binding = tcp_binding();
    binding.record.reg_id = 1;
    const auto alive = reachable_flow(binding, both(), kOwnShard);
    ASSERT_TRUE(alive);
    EXPECT_TRUE(transport::is_only_by_connection(*alive));
    binding.is_flow_closed = true;
    EXPECT_FALSE(reachable_flow(binding, both(), kOwnShard));
    binding.record.reg_id = 0;
    EXPECT_TRUE(reachable_flow(binding, both(), kOwnShard));
}

}  // namespace
}  // namespace signalbox::location
