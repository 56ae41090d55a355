// What Via and Record-Route show. Covers: RFC 3261 §18.1.1 (sent-by). Not covered: the choice of
// the listener (outgoing_flow_test.cpp).
#include "transport/listener.h"

#include <gtest/gtest.h>

namespace signalbox::transport {

namespace {

Flow flow_from(std::string_view local, Transport transport = Transport::Udp) {
    Flow flow;
    flow.transport = transport;
    flow.local = *Endpoint::parse(local);
    return flow;
}

Listener listener_at(std::string_view bound) {
    Listener listener;
    listener.bound = *Endpoint::parse(bound);
    return listener;
}

std::string shown(const Flow& flow, const Listener& listener) {
    return std::string(sent_by(flow, std::span(&listener, 1)).view());
}

}  // namespace

TEST(Listener_Rfc3261_18_1_1, ShowsTheLocalAddressOfTheFlow) {
    EXPECT_EQ(shown(flow_from("192.0.2.1:5060"), listener_at("0.0.0.0:5060")), "192.0.2.1:5060");
    EXPECT_EQ(shown(flow_from("[2001:db8::1]:5080"), listener_at("[::]:5080")),
              "[2001:db8::1]:5080");
}

TEST(Listener_Rfc3261_18_1_1, ShowsTheListenersPortForAStreamThatWeOpened) {
    EXPECT_EQ(shown(flow_from("192.0.2.1:49152", Transport::Tcp), listener_at("0.0.0.0:5060")),
              "192.0.2.1:5060");
}

TEST(Listener_Behaviour, ShowsWhatIsAdvertised) {
    Listener listener = listener_at("10.0.0.1:5060");
    listener.advertise_host = "203.0.113.7";
    listener.advertise_port = 5070;
    EXPECT_EQ(shown(flow_from("10.0.0.1:5060"), listener), "203.0.113.7:5070");
    listener.advertise_port = 0;
    EXPECT_EQ(shown(flow_from("10.0.0.1:5060"), listener), "203.0.113.7:5060");
}

TEST(Listener_Behaviour, ShowsTheBoundAddressWhereTheLocalOneIsUnknown) {
    Flow flow;
    EXPECT_EQ(shown(flow, listener_at("192.0.2.9:5090")), "192.0.2.9:5090");
    flow.local = *Endpoint::parse("0.0.0.0:5090");
    EXPECT_EQ(shown(flow, listener_at("192.0.2.9:5090")), "192.0.2.9:5090");
}

TEST(Listener_Behaviour, AnUnknownListenerLeavesTheFlowsOwnAddress) {
    Flow flow = flow_from("192.0.2.1:65535", Transport::Tcp);
    flow.listener = 4;
    EXPECT_EQ(sent_by(flow, {}).view(), "192.0.2.1:65535");
}

TEST(Listener_Behaviour, AnAdvertisedHostMayFillTheRoomButNotMore) {
    Listener listener = listener_at("192.0.2.1:5060");
    listener.advertise_port = 65535;
    listener.advertise_host = std::string(250, 'a');
    EXPECT_EQ(shown(flow_from("192.0.2.1:5060"), listener), std::string(250, 'a') + ":65535");
    listener.advertise_host = std::string(251, 'a');
    EXPECT_EQ(shown(flow_from("192.0.2.1:5060"), listener), "192.0.2.1:5060");
}

}  // namespace signalbox::transport
