// The names of the transports. Covers: RFC 3261 §20.42 (transport of a Via). Not covered: TLS,
// SCTP, WebSocket.
#include "transport/flow.h"

#include <gtest/gtest.h>

namespace signalbox::transport {

TEST(Flow_Rfc3261_20_42, TransportsHaveTheirNames) {
    EXPECT_EQ(transport_name(Transport::Udp), "UDP");
    EXPECT_EQ(transport_name(Transport::Tcp), "TCP");
}

TEST(Flow_Rfc3261_20_42, NamesAreReadInAnyCase) {
    Transport transport = Transport::Udp;
    EXPECT_TRUE(parse_transport("tCp", transport));
    EXPECT_EQ(transport, Transport::Tcp);
    EXPECT_TRUE(parse_transport("udp", transport));
    EXPECT_EQ(transport, Transport::Udp);
}

TEST(Flow_Rfc3261_20_42, OtherNamesAreRefusedAndChangeNothing) {
    for (const char* name : {"", "TLS", "UD", "UDPX", "SCTP"}) {
        Transport transport = Transport::Tcp;
        EXPECT_FALSE(parse_transport(name, transport)) << name;
        EXPECT_EQ(transport, Transport::Tcp);
    }
}

TEST(Flow_Behaviour, OnlyDatagramsAreUnreliable) {
    EXPECT_FALSE(is_reliable(Transport::Udp));
    EXPECT_TRUE(is_reliable(Transport::Tcp));
}

}  // namespace signalbox::transport
