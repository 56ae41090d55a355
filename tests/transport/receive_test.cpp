// The top Via on reception, and where responses go.
// Covers: RFC 3261 §18.2.1, §18.2.2, §16.11 (the way of a stateless response without rport); RFC
// 3263 §5; RFC 3581 §4. Not covered: multicast ttl (§18.1.1).
#include "transport/receive.h"

#include <gtest/gtest.h>

#include "sip/message_view.h"

namespace signalbox::transport {

namespace {

Flow flow_from(std::string_view remote, Transport transport = Transport::Udp) {
    Flow flow;
    flow.transport = transport;
    flow.listener = 2;
    flow.connection = 7;
    flow.generation = 3;
    flow.local = *Endpoint::parse("192.0.2.1:5060");
    flow.remote = *Endpoint::parse(remote);
    return flow;
}

sip::Via via_of(std::string_view value) {
    return *sip::parse_via(value);
}

std::string stamped(std::string_view via, std::string_view remote) {
    std::string out;
    append_stamped_via(via_of(via), flow_from(remote), out);
    return out;
}

/// The Via values of the request after stamp_top_via.
std::string stamped_in_place(const std::string& vias, std::string_view remote) {
    const std::string head = "OPTIONS sip:example.test SIP/2.0\r\nVia: ";
    const std::string tail = "\r\nFrom: <sip:a@example.test>;tag=1\r\nContent-Length: 0\r\n\r\n";
    const std::string bytes = head + vias + tail;
    sip::MessageView view;
    EXPECT_TRUE(sip::parse_message(bytes, view).has_value());
    sip::EditList edits(view);
    stamp_top_via(view, via_of(view.value(sip::HeaderId::Via)), flow_from(remote), edits);
    std::string out;
    edits.render(out);
    EXPECT_EQ(out.substr(0, head.size()), head);
    EXPECT_EQ(out.substr(out.size() - tail.size()), tail);
    return out.substr(head.size(), out.size() - head.size() - tail.size());
}

void expect_stamped(const std::string& via, std::string_view remote, const std::string& expected) {
    EXPECT_EQ(stamped(via, remote), expected);
    EXPECT_EQ(stamped_in_place(via, remote), expected);
    const std::string more = ", SIP/2.0/UDP other.example.test;received=9.9.9.9;rport";
    EXPECT_EQ(stamped_in_place(via + more, remote), expected + more);
}

}  // namespace

TEST(Receive_Rfc3261_18_2_1, AViaWithTheSourceAddressStaysAsItIs) {
    expect_stamped("SIP/2.0/UDP 198.51.100.7:5060;branch=z9hG4bK1", "198.51.100.7:40000",
                   "SIP/2.0/UDP 198.51.100.7:5060;branch=z9hG4bK1");
    expect_stamped("SIP/2.0/UDP [2001:DB8::5];branch=z9hG4bK1", "[2001:db8::5]:5060",
                   "SIP/2.0/UDP [2001:DB8::5];branch=z9hG4bK1");
}

TEST(Receive_Rfc3261_18_2_1, AnotherHostGetsReceived) {
    expect_stamped("SIP/2.0/UDP pc.example.test;branch=z9hG4bK1", "198.51.100.7:5060",
                   "SIP/2.0/UDP pc.example.test;branch=z9hG4bK1;received=198.51.100.7");
    expect_stamped("SIP/2.0/UDP 10.0.0.5:5062;branch=z9hG4bK1", "198.51.100.7:5060",
                   "SIP/2.0/UDP 10.0.0.5:5062;branch=z9hG4bK1;received=198.51.100.7");
    expect_stamped("SIP/2.0/UDP 10.0.0.5", "198.51.100.7:5060",
                   "SIP/2.0/UDP 10.0.0.5;received=198.51.100.7");
}

TEST(Receive_Rfc3261_18_2_1, AnIpv6ReceivedHasNoBrackets) {
    expect_stamped("SIP/2.0/UDP pc.example.test;branch=z9hG4bK1", "[2001:db8::5]:5060",
                   "SIP/2.0/UDP pc.example.test;branch=z9hG4bK1;received=2001:db8::5");
}

TEST(Receive_Rfc3581_4, RportGetsTheSourcePortAndReceivedComesWithIt) {
    expect_stamped(
        "SIP/2.0/UDP 198.51.100.7:5060;rport;branch=z9hG4bK1", "198.51.100.7:40000",
        "SIP/2.0/UDP 198.51.100.7:5060;rport=40000;branch=z9hG4bK1;received=198.51.100.7");
    expect_stamped("SIP/2.0/UDP 10.0.0.5;branch=z9hG4bK1;RPORT", "198.51.100.7:1",
                   "SIP/2.0/UDP 10.0.0.5;branch=z9hG4bK1;rport=1;received=198.51.100.7");
}

TEST(Receive_Rfc3581_4, ValuesThatTheClientWroteAreOverwritten) {
    expect_stamped("SIP/2.0/UDP 10.0.0.5;rport=1234;branch=z9hG4bK1", "198.51.100.7:40000",
                   "SIP/2.0/UDP 10.0.0.5;rport=40000;branch=z9hG4bK1;received=198.51.100.7");
    expect_stamped("SIP/2.0/UDP 198.51.100.7;received=203.0.113.1;branch=z9hG4bK1",
                   "198.51.100.7:5060",
                   "SIP/2.0/UDP 198.51.100.7;received=198.51.100.7;branch=z9hG4bK1");
    // A value that is not there ends nowhere but in the Via.
    expect_stamped("SIP/2.0/UDP 10.0.0.5;branch=z9hG4bK1;rport=", "198.51.100.7:40000",
                   "SIP/2.0/UDP 10.0.0.5;branch=z9hG4bK1;rport=40000;received=198.51.100.7");
    expect_stamped("SIP/2.0/UDP 10.0.0.5;rport= ;branch=z9hG4bK1", "198.51.100.7:40000",
                   "SIP/2.0/UDP 10.0.0.5;rport=40000 ;branch=z9hG4bK1;received=198.51.100.7");
    expect_stamped("SIP/2.0/UDP 10.0.0.5;rport=1;branch=z9hG4bK1;received=203.0.113.1;x",
                   "198.51.100.7:40000",
                   "SIP/2.0/UDP 10.0.0.5;rport=40000;branch=z9hG4bK1;received=198.51.100.7;x");
    expect_stamped("SIP/2.0/UDP 10.0.0.5;received=203.0.113.1;rport=1;branch=z9hG4bK1",
                   "198.51.100.7:5060",
                   "SIP/2.0/UDP 10.0.0.5;received=198.51.100.7;rport=5060;branch=z9hG4bK1");
}

TEST(Receive_Rfc3581_4, AnEmptyRportBeforeAnotherViaLeavesThatAsItIs) {
    for (const std::string gap : {" ", "\t", "\r\n "}) {
        EXPECT_EQ(
            stamped_in_place("SIP/2.0/UDP a;rport=" + gap + ",SIP/2.0/UDP b", "198.51.100.7:40000"),
            "SIP/2.0/UDP a;rport=40000;received=198.51.100.7" + gap + ",SIP/2.0/UDP b");
        EXPECT_EQ(stamped("SIP/2.0/UDP a;rport=" + gap + ",SIP/2.0/UDP b", "198.51.100.7:40000"),
                  "SIP/2.0/UDP a;rport=40000;received=198.51.100.7");
    }
}

TEST(Receive_Rfc3261_18_2_2, AResponseOverAStreamUsesItsConnection) {
    const Flow flow = flow_from("198.51.100.7:40000", Transport::Tcp);
    const Flow way =
        response_flow(via_of("SIP/2.0/TCP pc.example.test:5070;maddr=203.0.113.1"), flow);
    EXPECT_EQ(way.connection, flow.connection);
    EXPECT_EQ(way.generation, flow.generation);
    EXPECT_EQ(way.transport, Transport::Tcp);
    EXPECT_EQ(way.remote, *Endpoint::parse("198.51.100.7:5070"));
    EXPECT_EQ(response_flow(via_of("SIP/2.0/TCP pc.example.test"), flow).remote.port, 5060);
}

TEST(Receive_Rfc3581_4, AResponseOverDatagramsGoesToTheSourceWithItsPort) {
    const Flow flow = flow_from("198.51.100.7:40000");
    EXPECT_EQ(response_flow(via_of("SIP/2.0/UDP 10.0.0.5:5062;rport"), flow), flow);
    EXPECT_EQ(response_flow(via_of("SIP/2.0/UDP 10.0.0.5:5062"), flow), flow);
}

TEST(Receive_Rfc3261_18_2_2, MaddrComesFirstWhereItIsAnAddress) {
    const Flow flow = flow_from("198.51.100.7:40000");
    EXPECT_EQ(
        response_flow(via_of("SIP/2.0/UDP 10.0.0.5:5062;maddr=203.0.113.1;rport"), flow).remote,
        *Endpoint::parse("203.0.113.1:5062"));
    EXPECT_EQ(response_flow(via_of("SIP/2.0/UDP 10.0.0.5;maddr=203.0.113.1"), flow).remote,
              *Endpoint::parse("203.0.113.1:5060"));
    EXPECT_EQ(response_flow(via_of("SIP/2.0/UDP 10.0.0.5;maddr=group.example.test"), flow), flow);
}

TEST(Receive_Rfc3263_5, AConnectionThatIsGoneIsOpenedToTheSourceAtThePortOfSentBy) {
    const Flow came = flow_from("198.51.100.7:49152", Transport::Tcp);
    const auto way = [&came](std::string_view via) { return response_flow(via_of(via), came); };
    const Flow named = way("SIP/2.0/TCP pc.example.test:5070;received=203.0.113.66");
    EXPECT_EQ(named.connection, came.connection) << "as long as it is there";
    EXPECT_EQ(named.generation, came.generation);
    EXPECT_EQ(named.remote, *Endpoint::parse("198.51.100.7:5070")) << "not where the name leads";
    EXPECT_EQ(way("SIP/2.0/TCP pc.example.test").remote.port, 5060);
    EXPECT_EQ(way("SIP/2.0/TLS pc.example.test").remote.port, 5061);
    EXPECT_EQ(way("SIP/2.0/TCP 198.51.100.7;maddr=203.0.113.1").remote,
              *Endpoint::parse("198.51.100.7:5060"))
        << "§18.2.2: the connection comes before maddr";
}

TEST(Receive_Rfc3261_16_11, WithoutATransactionAndRportTheResponseGoesToThePortOfSentBy) {
    const Flow came = flow_from("198.51.100.7:40000");
    const auto way = [&](std::string_view via) {
        const Flow flow = stateless_response_flow(via_of(via), came);
        EXPECT_EQ(flow.local, came.local) << "RFC 3581 §4";
        EXPECT_EQ(flow.listener, came.listener);
        return flow.remote;
    };
    EXPECT_EQ(way("SIP/2.0/UDP 10.0.0.5:5070"), *Endpoint::parse("198.51.100.7:5070"));
    EXPECT_EQ(way("SIP/2.0/UDP pc.example.test"), *Endpoint::parse("198.51.100.7:5060"));
    EXPECT_EQ(way("SIP/2.0/UDP 10.0.0.5:5070;rport"), came.remote);
    EXPECT_EQ(way("SIP/2.0/UDP 10.0.0.5;maddr=203.0.113.1"), *Endpoint::parse("203.0.113.1:5060"));
}

}  // namespace signalbox::transport
