// The names of the transports. Covers: RFC 3261 §20.42 (transport of a Via), §26.2.2 (sips), RFC
// 7118 §5, RFC 5626 §5.3 (what is one flow). Not covered: SCTP.
#include "transport/flow.h"

#include <gtest/gtest.h>

namespace signalbox::transport {

TEST(Flow_Rfc3261_20_42, TransportsHaveTheirNames) {
    EXPECT_EQ(transport_name(Transport::Udp), "UDP");
    EXPECT_EQ(transport_name(Transport::Tcp), "TCP");
    EXPECT_EQ(transport_name(Transport::Tls), "TLS");
    EXPECT_EQ(transport_name(Transport::Ws), "WS");
    EXPECT_EQ(transport_name(Transport::Wss), "WSS");
}

TEST(Flow_Rfc3261_20_42, NamesAreReadInAnyCase) {
    Transport transport = Transport::Udp;
    EXPECT_TRUE(parse_transport("tCp", transport));
    EXPECT_EQ(transport, Transport::Tcp);
    EXPECT_TRUE(parse_transport("udp", transport));
    EXPECT_EQ(transport, Transport::Udp);
    EXPECT_TRUE(parse_transport("wsS", transport));
    EXPECT_EQ(transport, Transport::Wss);
}

TEST(Flow_Rfc3261_20_42, OtherNamesAreRefusedAndChangeNothing) {
    for (const char* name : {"", "UD", "UDPX", "SCTP", "TLS-SCTP"}) {
        Transport transport = Transport::Tcp;
        EXPECT_FALSE(parse_transport(name, transport)) << name;
        EXPECT_EQ(transport, Transport::Tcp);
    }
}

TEST(Flow_Behaviour, OnlyDatagramsAreUnreliable) {
    EXPECT_FALSE(is_reliable(Transport::Udp));
    for (const Transport stream : {Transport::Tcp, Transport::Tls, Transport::Ws, Transport::Wss}) {
        EXPECT_TRUE(is_reliable(stream));
    }
}

TEST(Flow_Rfc3261_26_2_2, SipsIsTlsWhateverTheParameterSays) {
    EXPECT_EQ(transport_of_uri(std::nullopt, true), Transport::Tls);
    EXPECT_EQ(transport_of_uri("tcp", true), Transport::Tls);
    EXPECT_EQ(transport_of_uri("tls", true), Transport::Tls);
    EXPECT_EQ(transport_of_uri("ws", true), Transport::Wss);
    EXPECT_EQ(transport_of_uri("udp", true), std::nullopt);
    EXPECT_EQ(transport_of_uri("sctp", true), std::nullopt);
}

TEST(Flow_Rfc3261_19_1_1, TheParameterNamesTheTransportOfASipUri) {
    EXPECT_EQ(transport_of_uri(std::nullopt, false), Transport::Udp);
    EXPECT_EQ(transport_of_uri("TLS", false), Transport::Tls);
    EXPECT_EQ(transport_of_uri("ws", false), Transport::Ws);
    EXPECT_EQ(transport_of_uri("", false), std::nullopt);
}

TEST(Flow_Rfc7118_5, BothWebSocketTransportsAreWsInAUri) {
    EXPECT_EQ(uri_transport(Transport::Ws), "ws");
    EXPECT_EQ(uri_transport(Transport::Wss), "ws");
    EXPECT_EQ(uri_transport(Transport::Tls), "tls");
    EXPECT_EQ(uri_transport(Transport::Udp), "");
}

TEST(Flow_Rfc5922_7_2, DomainsAreNamedWithoutRegardToCase) {
    const PeerDomain domain = PeerDomain::of("Example.Test");
    EXPECT_EQ(domain, PeerDomain::of("example.test."));
    EXPECT_NE(domain, PeerDomain::of("sip.example.test"));
    EXPECT_EQ(PeerDomain::from(domain.number()), domain);
    EXPECT_TRUE(PeerDomain::of(""));
    EXPECT_FALSE(PeerDomain());
}

TEST(Flow_Rfc5626_5_3, AStreamIsNamedByItsConnectionAndADatagramsPeerByItsAddress) {
    Flow flow;
    flow.remote = {IpAddress::v4(203, 0, 113, 30), 40000};
    Flow other = flow;
    other.local.port = 5070;
    EXPECT_TRUE(is_same_flow(flow, other));
    other.remote.port = 40001;
    EXPECT_FALSE(is_same_flow(flow, other));
    flow.transport = Transport::Tcp;
    flow.connection = 3;
    for (int part = 0; part < 4; ++part) {
        other = flow;
        if (part == 0) other.connection = 4;
        if (part == 1) other.generation = 1;
        if (part == 2) other.shard = 1;
        EXPECT_EQ(is_same_flow(flow, other), part == 3);
    }
}

TEST(Flow_Rfc5626_5_3, OnlyTheConnectionLeadsToAPhoneBehindANat) {
    Flow flow;
    flow.remote = {IpAddress::v4(203, 0, 113, 30), 40000};
    EXPECT_EQ(only_by_connection(flow), flow);
    flow.transport = Transport::Tls;
    EXPECT_EQ(only_by_connection(flow), flow) << "it names no connection";
    flow.connection = 3;
    EXPECT_FALSE(is_only_by_connection(flow));
    const Flow bound = only_by_connection(flow);
    EXPECT_TRUE(is_only_by_connection(bound));
    EXPECT_EQ(bound.connection, 3U);
    EXPECT_EQ(bound.remote, (Endpoint{flow.remote.address, 0}));
}

}  // namespace signalbox::transport
