// The listener and the local address of a request that leaves.
// Covers: RFC 3261 §18.1.1. Not covered: what a listener shows in Via (listener_test).
#include "transport/outgoing_flow.h"

#include <gtest/gtest.h>

namespace signalbox::transport {
namespace {

Listener listener(Transport transport, std::string_view bound) {
    Listener made;
    made.transport = transport;
    made.bound = *Endpoint::parse(bound);
    return made;
}

Flow incoming(uint16_t index, std::string_view local) {
    Flow flow;
    flow.listener = index;
    flow.shard = 2;
    flow.local = *Endpoint::parse(local);
    flow.remote = *Endpoint::parse("198.51.100.1:5060");
    return flow;
}

struct OutgoingTest : ::testing::Test {
    std::vector<Listener> listeners{
        listener(Transport::Udp, "192.0.2.1:5060"), listener(Transport::Udp, "192.0.2.1:5080"),
        listener(Transport::Tcp, "192.0.2.1:5060"), listener(Transport::Udp, "[2001:db8::1]:5060")};
    std::vector<IpAddress> own{IpAddress::v4(127, 0, 0, 1), IpAddress::v4(192, 0, 2, 1),
                               IpAddress::v4(192, 0, 2, 2)};

    std::optional<Flow> out(const Flow& from, Transport transport, std::string_view remote) const {
        return outgoing_flow(listeners, own, from, transport, *Endpoint::parse(remote));
    }
};

using OutgoingFlow_Rfc3261_18_1_1 = OutgoingTest;

TEST_F(OutgoingFlow_Rfc3261_18_1_1, LeavesByTheListenerThatItCameBy) {
    const auto flow = out(incoming(1, "192.0.2.1:5080"), Transport::Udp, "203.0.113.1:5070");
    ASSERT_TRUE(flow.has_value());
    EXPECT_EQ(flow->listener, 1);
    EXPECT_EQ(flow->local, *Endpoint::parse("192.0.2.1:5080"));
    EXPECT_EQ(flow->remote, *Endpoint::parse("203.0.113.1:5070"));
    EXPECT_EQ(flow->shard, 2);
    EXPECT_EQ(flow->connection, Flow::kNoConnection);
}

TEST_F(OutgoingFlow_Rfc3261_18_1_1, ElseByTheFirstThatFits) {
    const Flow from = incoming(1, "192.0.2.1:5080");
    EXPECT_EQ(out(from, Transport::Tcp, "203.0.113.1:5060")->listener, 2);
    EXPECT_EQ(out(from, Transport::Udp, "[2001:db8::5]:5060")->listener, 3);
    EXPECT_FALSE(out(from, Transport::Tcp, "[2001:db8::5]:5060").has_value());
    listeners.clear();
    EXPECT_FALSE(out(from, Transport::Udp, "203.0.113.1:5060").has_value());
}

using OutgoingFlow_Rfc7118_5 = OutgoingTest;

TEST_F(OutgoingFlow_Rfc7118_5, NoWebSocketIsOpenedToAnybody) {
    for (const Transport transport : {Transport::Ws, Transport::Wss}) {
        listeners.push_back(listener(transport, "192.0.2.1:8080"));
        EXPECT_FALSE(out(incoming(4, "192.0.2.1:8080"), transport, "203.0.113.1:80").has_value());
    }
}

TEST_F(OutgoingFlow_Rfc3261_18_1_1, AListenerIndexPastTheListDoesNotMatter) {
    EXPECT_EQ(out(incoming(99, "192.0.2.1:5060"), Transport::Udp, "203.0.113.1:5060")->listener, 0);
}

TEST_F(OutgoingFlow_Rfc3261_18_1_1, AWildcardSendsFromTheAddressThatWasSpokenTo) {
    listeners = {listener(Transport::Udp, "0.0.0.0:5060")};
    EXPECT_EQ(out(incoming(0, "192.0.2.2:5060"), Transport::Udp, "203.0.113.1:5060")->local,
              *Endpoint::parse("192.0.2.2:5060"));
    // Spoken to at loopback, it sends elsewhere from an address that is no loopback, and the other
    // way round.
    EXPECT_EQ(out(incoming(0, "127.0.0.1:5060"), Transport::Udp, "203.0.113.1:5060")->local,
              *Endpoint::parse("192.0.2.1:5060"));
    EXPECT_EQ(out(incoming(0, "192.0.2.2:5060"), Transport::Udp, "127.0.0.1:5070")->local,
              *Endpoint::parse("127.0.0.1:5060"));
}

TEST_F(OutgoingFlow_Rfc3261_18_1_1, ALoopbackListenerReachesLoopbackOnly) {
    listeners = {listener(Transport::Udp, "127.0.0.1:5060")};
    const Flow from = incoming(0, "127.0.0.1:5060");
    EXPECT_FALSE(out(from, Transport::Udp, "203.0.113.1:5060").has_value());
    EXPECT_TRUE(out(from, Transport::Udp, "127.0.0.9:5060").has_value());
}

using FindListener_Behaviour = OutgoingTest;

TEST_F(FindListener_Behaviour, PrefersTheHintThatFits) {
    const Endpoint local = *Endpoint::parse("192.0.2.1:5060");
    EXPECT_EQ(find_listener(listeners, Transport::Udp, local, 0), 0);
    EXPECT_EQ(find_listener(listeners, Transport::Udp, local, 1), 0);
    EXPECT_EQ(find_listener(listeners, Transport::Udp, local, 77), 0);
    EXPECT_EQ(find_listener(listeners, Transport::Tcp, local, 0), 2);
    listeners.push_back(listener(Transport::Udp, "0.0.0.0:5060"));
    EXPECT_EQ(find_listener(listeners, Transport::Udp, local, 4), 4);
}

TEST_F(FindListener_Behaviour, NothingWhenNoneFits) {
    EXPECT_FALSE(find_listener(listeners, Transport::Udp, *Endpoint::parse("192.0.2.1:9"), 0));
    EXPECT_FALSE(find_listener(listeners, Transport::Tcp, *Endpoint::parse("192.0.2.1:5080"), 1));
    EXPECT_FALSE(find_listener({}, Transport::Udp, *Endpoint::parse("192.0.2.1:5060"), 0));
}

}  // namespace
}  // namespace signalbox::transport
