// Where a URI says that a request must go next.
// Covers: RFC 3263 §4.1 (transport), §4.2 (port and address), RFC 3261 §19.1.1 (maddr). Not
// covered: NAPTR and SRV, which are not looked up.
#include "resolver/locate_server.h"

#include <gtest/gtest.h>

namespace signalbox::resolver {
namespace {

using transport::Transport;

Result<NextHop> hop(std::string_view text) {
    const auto uri = sip::parse_uri(text);
    return uri ? next_hop(*uri) : fail(ErrorCode::malformed_uri);
}

TEST(NextHop_Rfc3263_4_1, UdpUnlessTheUriAsksForAnother) {
    EXPECT_EQ(hop("sip:a@192.0.2.9")->transport, Transport::Udp);
    EXPECT_EQ(hop("sip:a@192.0.2.9;transport=UDP")->transport, Transport::Udp);
    EXPECT_EQ(hop("sip:a@192.0.2.9;Transport=tcp")->transport, Transport::Tcp);
}

TEST(NextHop_Rfc3263_4_1, WhatWeDoNotSpeakIsUnsupported) {
    for (const char* uri : {"tel:+4930", "mailto:a@b", "sip:a@192.0.2.9;transport=sctp",
                            "sips:a@192.0.2.9;transport=udp", "sip:a@192.0.2.9;transport="}) {
        EXPECT_EQ(hop(uri).error().code, ErrorCode::unsupported_uri_scheme) << uri;
    }
}

TEST(NextHop_Rfc3263_4_1, SipsGoesOverTlsAndNothingElse) {
    EXPECT_EQ(hop("sips:a@192.0.2.9")->transport, Transport::Tls);
    EXPECT_EQ(hop("sips:a@192.0.2.9;transport=tcp")->transport, Transport::Tls);
    EXPECT_EQ(hop("sips:a@192.0.2.9;transport=ws")->transport, Transport::Wss);
    EXPECT_EQ(hop("sip:a@192.0.2.9;transport=tls")->transport, Transport::Tls);
}

TEST(NextHop_Rfc3263_4_2, ThePortFollowsTheTransport) {
    EXPECT_EQ(hop("sips:a@192.0.2.9")->port, 5061);
    EXPECT_EQ(hop("sip:a@192.0.2.9;transport=tls")->port, 5061);
    EXPECT_EQ(hop("sip:a@192.0.2.9;transport=ws")->port, 80);
    EXPECT_EQ(hop("sips:a@192.0.2.9;transport=ws")->port, 443);
}

TEST(NextHop_Rfc3263_4_2, AnAddressIsTakenAsItIs) {
    EXPECT_EQ(hop("sip:a@192.0.2.9")->address, IpAddress::v4(192, 0, 2, 9));
    EXPECT_EQ(hop("sip:a@192.0.2.9")->port, 5060);
    EXPECT_EQ(hop("sip:a@192.0.2.9:5080")->port, 5080);
    EXPECT_EQ(hop("sip:a@[2001:db8::9]:5080")->address, *IpAddress::parse("2001:db8::9"));
}

TEST(NextHop_Rfc3263_4_2, ANameIsLeftForTheResolver) {
    const auto named = hop("sip:a@host.example.test:5070");
    EXPECT_FALSE(named->address.has_value());
    EXPECT_EQ(named->host, "host.example.test");
    EXPECT_EQ(named->port, 5070);
}

TEST(NextHop_Rfc3261_19_1_1, MaddrGoesBeforeTheHost) {
    EXPECT_EQ(hop("sip:a@host.test:5070;maddr=192.0.2.7")->address, IpAddress::v4(192, 0, 2, 7));
    EXPECT_EQ(hop("sip:a@host.test:5070;maddr=192.0.2.7")->port, 5070);
    EXPECT_EQ(hop("sip:a@host.test;maddr=other.test")->host, "other.test");
}

}  // namespace
}  // namespace signalbox::resolver
