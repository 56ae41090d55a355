// Covers: RFC 4291 §2.2 (text forms of IPv6), RFC 5952 §4 (canonical form), §6 (port with
// brackets), RFC 3261 §25.1 (IPv4address, IPv6reference). Not covered: zones (RFC 4007), which SIP
// does not have.
#include "base/ip_endpoint.h"

#include <gtest/gtest.h>

#include <string>

namespace signalbox {
namespace {

std::string canonical(std::string_view text) {
    const auto address = IpAddress::parse(text);
    return address ? address->to_string() : "refused";
}

TEST(IpAddress_Rfc3261_25_1, ReadsIpv4) {
    EXPECT_EQ(IpAddress::parse("192.0.2.1"), IpAddress::v4(192, 0, 2, 1));
    EXPECT_EQ(canonical("0.0.0.0"), "0.0.0.0");
    EXPECT_EQ(canonical("255.255.255.255"), "255.255.255.255");
}

TEST(IpAddress_Rfc3261_25_1, RefusesWhatIsNoIpv4) {
    for (const char* const text :
         {"",         "1",          "1.2.3",        "1.2.3.",      ".1.2.3",
          "1..2.3",   "1.2.3.4.5",  "256.0.0.1",    "1.2.3.256",   "01.2.3.4",
          "1.2.3.00", "0x1.2.3.4",  "1.2.3.4 ",     " 1.2.3.4",    "1.2.3.-4",
          "1.2.3.+4", "1.2.3.4444", "example.test", "[192.0.2.1]", "1.2.3.a"}) {
        EXPECT_EQ(canonical(text), "refused") << text;
    }
}

TEST(IpAddress_Rfc4291_2_2, ReadsEveryFormOfIpv6) {
    EXPECT_EQ(canonical("2001:db8:0:0:0:0:0:1"), "2001:db8::1");
    EXPECT_EQ(canonical("2001:0DB8::0001"), "2001:db8::1");
    EXPECT_EQ(canonical("[2001:db8::1]"), "2001:db8::1");
    EXPECT_EQ(canonical("::"), "::");
    EXPECT_EQ(canonical("::1"), "::1");
    EXPECT_EQ(canonical("1::"), "1::");
    EXPECT_EQ(canonical("1:2:3:4:5:6:7::"), "1:2:3:4:5:6:7:0");
    EXPECT_EQ(canonical("::2:3:4:5:6:7:8"), "0:2:3:4:5:6:7:8");
    EXPECT_EQ(canonical("64:ff9b::192.0.2.33"), "64:ff9b::c000:221");
    EXPECT_EQ(canonical("1:2:3:4:5:6:192.0.2.33"), "1:2:3:4:5:6:c000:221");
}

TEST(IpAddress_Rfc4291_2_2, RefusesWhatIsNoIpv6) {
    for (const char* const text : {":",
                                   ":::",
                                   "1:",
                                   ":1",
                                   "1:2:3:4:5:6:7",
                                   "1:2:3:4:5:6:7:8:9",
                                   "1::2::3",
                                   "1:2:3:4:5:6:7:8::",
                                   "::1:2:3:4:5:6:7:8",
                                   "12345::",
                                   "g::",
                                   "1::2:",
                                   ":1::2",
                                   "1:::2",
                                   "[::1",
                                   "::1]",
                                   "[]",
                                   "[",
                                   "fe80::1%eth0",
                                   "1:2:3:4:5:6:7:192.0.2.1",
                                   "192.0.2.1::",
                                   "::192.0.2.1:5",
                                   "::192.0.2",
                                   "::192.0.2.256",
                                   "1.2.3.4::1"}) {
        EXPECT_EQ(canonical(text), "refused") << text;
    }
}

TEST(IpAddress_Behaviour, MappedAddressesAreIpv4) {
    EXPECT_EQ(IpAddress::parse("::ffff:192.0.2.1"), IpAddress::v4(192, 0, 2, 1));
    EXPECT_EQ(IpAddress::parse("[::ffff:c000:201]"), IpAddress::v4(192, 0, 2, 1));
    EXPECT_EQ(IpAddress::v6({0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 192, 0, 2, 1}),
              IpAddress::v4(192, 0, 2, 1));
    EXPECT_EQ(IpAddress::v6({0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}),
              IpAddress::parse("2001:db8::1"));
}

TEST(IpAddress_Rfc5952_4, WritesTheCanonicalForm) {
    EXPECT_EQ(canonical("2001:0db8:0:0:1:0:0:1"),
              "2001:db8::1:0:0:1");  // §4.2.3: the first of equal runs
    EXPECT_EQ(canonical("2001:0:0:1:0:0:0:1"), "2001:0:0:1::1");  // §4.2.3: the longest run
    EXPECT_EQ(canonical("2001:db8:0:1:1:1:1:1"),
              "2001:db8:0:1:1:1:1:1");  // §4.2.2: never one group
    EXPECT_EQ(canonical("2001:db8:AAAA::FFFF:0"), "2001:db8:aaaa::ffff:0");  // §4.3: lower case
    EXPECT_EQ(canonical("1:0:0:2:3:4:0:0"), "1::2:3:4:0:0");
    EXPECT_EQ(canonical("1:2:3:4:5:6:0:0"), "1:2:3:4:5:6::");
}

TEST(IpAddress_Behaviour, AsAHostIpv6HasBrackets) {
    EXPECT_EQ(IpAddress::parse("2001:db8::1")->to_host(), "[2001:db8::1]");
    EXPECT_EQ(IpAddress::v4(192, 0, 2, 1).to_host(), "192.0.2.1");
    EXPECT_EQ(IpAddress{}.to_string(), "");
    char buffer[48];
    const auto longest = IpAddress::parse("2001:db8:aaaa:bbbb:cccc:dddd:eeee:ffff");
    EXPECT_EQ(std::string(buffer, write_host(*longest, buffer)),
              "[2001:db8:aaaa:bbbb:cccc:dddd:eeee:ffff]");
}

TEST(IpAddress_Behaviour, KnowsUnspecifiedAndLoopback) {
    EXPECT_TRUE(IpAddress::parse("0.0.0.0")->is_unspecified());
    EXPECT_TRUE(IpAddress::parse("::")->is_unspecified());
    EXPECT_FALSE(IpAddress::parse("::1")->is_unspecified());
    EXPECT_FALSE(IpAddress::parse("0.0.0.1")->is_unspecified());
    EXPECT_FALSE(IpAddress{}.is_unspecified());
    EXPECT_TRUE(IpAddress::parse("127.0.0.1")->is_loopback());
    EXPECT_TRUE(IpAddress::parse("127.255.255.255")->is_loopback());
    EXPECT_TRUE(IpAddress::parse("::1")->is_loopback());
    EXPECT_FALSE(IpAddress::parse("128.0.0.1")->is_loopback());
    EXPECT_FALSE(IpAddress::parse("::2")->is_loopback());
    EXPECT_FALSE(IpAddress{}.is_loopback());
}

TEST(IpAddress_Behaviour, FamiliesNeverCompareEqual) {
    EXPECT_NE(*IpAddress::parse("0.0.0.0"), *IpAddress::parse("::"));
    EXPECT_LT(IpAddress::v4(192, 0, 2, 1), IpAddress::v4(192, 0, 2, 2));
}

TEST(Endpoint_Rfc5952_6, ReadsAndWritesAddressAndPort) {
    for (const char* const text :
         {"192.0.2.1:5060", "[2001:db8::1]:5060", "192.0.2.1:0", "192.0.2.1:65535"}) {
        const auto endpoint = Endpoint::parse(text);
        ASSERT_TRUE(endpoint) << text;
        EXPECT_EQ(endpoint->to_string(), text);
    }
    EXPECT_EQ(Endpoint::parse("[2001:db8::1]:5060")->port, 5060);
}

TEST(Endpoint_Rfc5952_6, RefusesWhatIsNoEndpoint) {
    for (const char* const text :
         {"", ":", ":5060", "192.0.2.1", "192.0.2.1:", "192.0.2.1:65536", "192.0.2.1:05060",
          "192.0.2.1:-1", "192.0.2.1:5060 ", "2001:db8::1:5060", "[2001:db8::1]",
          "[2001:db8::1]5060", "[2001:db8::1:5060", "example.test:5060", "192.0.2.1:5060:5061",
          "192.0.2.1:100000", "::1"}) {
        EXPECT_FALSE(Endpoint::parse(text)) << text;
    }
}

bool contains(std::string_view network, std::string_view address) {
    return Network::parse(network).value().contains(IpAddress::parse(address).value());
}

TEST(Network_Behaviour, ContainsTheAddressesBehindItsPrefix) {
    EXPECT_TRUE(contains("192.0.2.0/24", "192.0.2.0"));
    EXPECT_TRUE(contains("192.0.2.0/24", "192.0.2.255"));
    EXPECT_FALSE(contains("192.0.2.0/24", "192.0.3.0"));
    EXPECT_TRUE(contains("192.0.2.128/25", "192.0.2.200"));
    EXPECT_FALSE(contains("192.0.2.128/25", "192.0.2.127"));
    EXPECT_TRUE(contains("192.0.2.7/32", "192.0.2.7"));
    EXPECT_FALSE(contains("192.0.2.7", "192.0.2.6"));
    EXPECT_TRUE(contains("2001:db8::/33", "2001:db8:7fff::1"));
    EXPECT_FALSE(contains("2001:db8::/33", "2001:db8:8000::1"));
    EXPECT_TRUE(contains("2001:db8::1", "2001:db8::1"));
}

TEST(Network_Behaviour, ThePrefixZeroContainsItsFamilyOnly) {
    EXPECT_TRUE(contains("0.0.0.0/0", "255.255.255.255"));
    EXPECT_FALSE(contains("0.0.0.0/0", "::1"));
    EXPECT_TRUE(contains("::/0", "2001:db8::1"));
    EXPECT_FALSE(contains("::/0", "192.0.2.1"));
    EXPECT_FALSE(Network{}.contains(IpAddress{}));
}

TEST(Network_Behaviour, MappedNetworksAreIpv4) {
    EXPECT_EQ(Network::parse("::ffff:192.0.2.0/120"), Network::parse("192.0.2.0/24"));
    EXPECT_TRUE(contains("192.0.2.0/24", "::ffff:192.0.2.9"));
    EXPECT_FALSE(Network::parse("::ffff:192.0.2.0/95"));
}

TEST(Network_Behaviour, RefusesWhatIsNoNetwork) {
    for (const char* const text :
         {"", "/24", "192.0.2.0/", "192.0.2.0/33", "192.0.2.1/24", "192.0.2.0/024",
          "192.0.2.0/24/1", "2001:db8::/129", "2001:db8::1/64", "example.test/24", "192.0.2.0/-1",
          "192.0.2.128/24"}) {
        EXPECT_FALSE(Network::parse(text)) << text;
    }
}

TEST(Network_Behaviour, WritesItsPrefix) {
    EXPECT_EQ(Network::parse("192.0.2.0/24")->to_string(), "192.0.2.0/24");
    EXPECT_EQ(Network::parse("192.0.2.7")->to_string(), "192.0.2.7/32");
    EXPECT_EQ(Network::parse("2001:DB8::/32")->to_string(), "2001:db8::/32");
}

}  // namespace
}  // namespace signalbox
