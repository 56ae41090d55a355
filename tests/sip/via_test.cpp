// Covers RFC 3261 §20.42 and §8.1.1.7 (Via), RFC 3581 §3 (rport), RFC 5118 §4.5 and §4.10 (IPv6 in
// Via). Not covered: what reception adds to a Via, which is the transport layer's.
#include <gtest/gtest.h>

#include <string>

#include "sip/header_values.h"

namespace signalbox::sip {
namespace {

TEST(Via_Rfc3261_20_42, TakesAllParts) {
    const auto via = parse_via(
        "SIP/2.0/UDP "
        "host.example.test:5066;ttl=16;maddr=192.0.2.7;branch=z9hG4bKa7;received=192.0.2.9;x");
    ASSERT_TRUE(via);
    EXPECT_EQ(via->transport, "UDP");
    EXPECT_EQ(via->host, "host.example.test");
    EXPECT_EQ(via->port, 5066);
    EXPECT_EQ(via->ttl, 16U);
    EXPECT_EQ(via->maddr, "192.0.2.7");
    EXPECT_EQ(via->branch, "z9hG4bKa7");
    EXPECT_EQ(via->received, "192.0.2.9");
    EXPECT_FALSE(via->has_rport);
    EXPECT_EQ(via->params, ";ttl=16;maddr=192.0.2.7;branch=z9hG4bKa7;received=192.0.2.9;x");
}

TEST(Via_Rfc3261_20_42, WhiteSpaceAndFoldsMayStandBetweenAllParts) {
    const auto via = parse_via(
        " SIP  / 2.0\r\n / UDP \t host.example.test : 5066\r\n ; branch\r\n = z9hG4bK1 ; rport ");
    ASSERT_TRUE(via);
    EXPECT_EQ(via->transport, "UDP");
    EXPECT_EQ(via->host, "host.example.test");
    EXPECT_EQ(via->port, 5066);
    EXPECT_EQ(via->branch, "z9hG4bK1");
    EXPECT_TRUE(via->has_rport);
    EXPECT_EQ(via->text.substr(0, 3), "SIP");
    EXPECT_EQ(via->text.substr(via->text.size() - 5), "rport");
}

TEST(Via_Rfc3261_20_42, CommaListsAreReadOneByOne) {
    std::string_view rest;
    const auto first = parse_via("SIP/2.0/TCP a;branch=1 ,\r\n SIP/2.0/UDP b;branch=2", &rest);
    ASSERT_TRUE(first);
    EXPECT_EQ(first->text, "SIP/2.0/TCP a;branch=1");
    EXPECT_EQ(rest, "SIP/2.0/UDP b;branch=2");
    const auto second = parse_via(rest, &rest);
    ASSERT_TRUE(second);
    EXPECT_EQ(second->host, "b");
    EXPECT_EQ(rest, "");
}

TEST(Via_Rfc3261_20_42, NamesOfParametersHaveNoCase) {
    const auto via = parse_via("sip/2.0/udp x;BRANCH=b;Received=192.0.2.1;RPORT=5;TTL=1;MAddr=y");
    ASSERT_TRUE(via);
    EXPECT_EQ(via->branch, "b");
    EXPECT_EQ(via->received, "192.0.2.1");
    EXPECT_EQ(via->rport, 5);
    EXPECT_EQ(via->ttl, 1U);
    EXPECT_EQ(via->maddr, "y");
}

TEST(Via_Rfc3261_20_42, UnknownTransportsAndParametersPass) {
    const auto via = parse_via("SIP/2.0/UNKNOWN x;keep;alias=1;q=\"a,b;c\";branch=z9hG4bK==");
    ASSERT_TRUE(via);
    EXPECT_EQ(via->transport, "UNKNOWN");
    EXPECT_EQ(via->branch, "z9hG4bK==");
}

TEST(Via_Rfc3261_25_1, MalformedValuesAreRefused) {
    for (const char* text : {"",
                             "SIP",
                             "SIP/2.0",
                             "SIP/2.0/UDP",
                             "SIP/2.0/UDP ",
                             "SIP/2.0/UDPx",
                             "SIP/2.0 UDP x",
                             "/2.0/UDP x",
                             "SIP//UDP x",
                             "SIP/2.0/UDP x:",
                             "SIP/2.0/UDP x:0",
                             "SIP/2.0/UDP x:65536",
                             "SIP/2.0/UDP x:-1",
                             "SIP/2.0/UDP x y",
                             "SIP/2.0/UDP x;",
                             "SIP/2.0/UDP x;;branch=1",
                             "SIP/2.0/UDP x;branch",
                             "SIP/2.0/UDP x;branch=",
                             "SIP/2.0/UDP x;branch=\"q\"",
                             "SIP/2.0/UDP x;branch=a b",
                             "SIP/2.0/UDP x;ttl=256",
                             "SIP/2.0/UDP x;ttl",
                             "SIP/2.0/UDP x;ttl=-1",
                             "SIP/2.0/UDP x;rport=0",
                             "SIP/2.0/UDP x;rport=65536",
                             "SIP/2.0/UDP x;rport=a",
                             "SIP/2.0/UDP x;received",
                             "SIP/2.0/UDP x;received=host",
                             "SIP/2.0/UDP x;received=[]",
                             "SIP/2.0/UDP x;maddr",
                             "SIP/2.0/UDP x;a=\"b",
                             "SIP/2.0/UDP 2001:db8::1",
                             "SIP/2.0/UDP [2001:db8::1",
                             "SIP/2.0/UDP x;;,;,,",
                             "SIP/2.0/UDP x\r\n",
                             "SIP/2.0/UDP x\n;branch=1"}) {
        EXPECT_FALSE(parse_via(text)) << text;
    }
}

TEST(Via_Rfc3261_7_3_1, AParameterThatWeReadMayComeOnce) {
    for (const char* params :
         {";branch=1;branch=2", ";rport;rport", ";rport=1;rport=2", ";ttl=1;ttl=1",
          ";received=192.0.2.1;Received=192.0.2.2", ";maddr=a;maddr=b"}) {
        EXPECT_FALSE(parse_via(std::string("SIP/2.0/UDP x") + params)) << params;
    }
    EXPECT_TRUE(parse_via("SIP/2.0/UDP x;other=1;other=2"));
}

TEST(Via_Rfc3581_3, RportMayHaveAValueOrNone) {
    EXPECT_TRUE(parse_via("SIP/2.0/UDP x;rport")->has_rport);
    EXPECT_EQ(parse_via("SIP/2.0/UDP x;rport")->rport, std::nullopt);
    EXPECT_TRUE(parse_via("SIP/2.0/UDP x;rport=")->has_rport);
    EXPECT_EQ(parse_via("SIP/2.0/UDP x;rport=65535")->rport, 65535);
}

TEST(Via_Rfc5118_4_5, ReceivedMayHoldAnIpv6AddressWithOrWithoutBrackets) {
    EXPECT_EQ(parse_via("SIP/2.0/UDP [2001:db8::9]:5060;received=2001:db8::9:255")->received,
              "2001:db8::9:255");
    EXPECT_EQ(parse_via("SIP/2.0/UDP [2001:db8::9];received=[2001:db8::9]")->received,
              "[2001:db8::9]");
}

TEST(Via_Rfc5118_4_10, ThreeColonsInARowAreTolerated) {
    EXPECT_EQ(parse_via("SIP/2.0/UDP [2001:db8:::192.0.2.1]")->host, "[2001:db8:::192.0.2.1]");
    EXPECT_TRUE(parse_via("SIP/2.0/UDP x;received=[2001:db8:::192.0.2.1]"));
}

TEST(Via_Rfc3261_8_1_1_7, TheMagicCookieHasNoCase) {
    // Alone it names no transaction.
    EXPECT_FALSE(parse_via("SIP/2.0/UDP x;branch=z9hG4bK")->has_magic_cookie());
    EXPECT_TRUE(parse_via("SIP/2.0/UDP x;branch=Z9HG4BKabc")->has_magic_cookie());
    EXPECT_FALSE(parse_via("SIP/2.0/UDP x;branch=z9hG4b")->has_magic_cookie());
    EXPECT_FALSE(parse_via("SIP/2.0/UDP x")->has_magic_cookie());
}

TEST(Via_Rfc3261_18_2_2, DefaultPortsFollowTheTransport) {
    EXPECT_EQ(parse_via("SIP/2.0/UDP x")->port_or_default(), 5060);
    EXPECT_EQ(parse_via("SIP/2.0/tls x")->port_or_default(), 5061);
    EXPECT_EQ(parse_via("SIP/2.0/WS x")->port_or_default(), 80);
    EXPECT_EQ(parse_via("SIP/2.0/WSS x")->port_or_default(), 443);
    EXPECT_EQ(parse_via("SIP/2.0/TLS x:5090")->port_or_default(), 5090);
}

}  // namespace
}  // namespace signalbox::sip
