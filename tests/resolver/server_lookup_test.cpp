// From a domain to the ordered list of next hops.
// Covers: RFC 3263 §4.1 (transport), §4.2 (port and address). Not covered: the draw by weight
// (service_order_test), waiting and remembering (resolver_test).
#include "resolver/server_lookup.h"

#include <algorithm>
#include <set>

#include "tests/resolver/lookup_fixture.h"

namespace signalbox::resolver {
namespace {

using Hops = std::vector<std::string>;

const IpAddress kOne = IpAddress::v4(192, 0, 2, 1);
const IpAddress kTwo = IpAddress::v4(192, 0, 2, 2);
const IpAddress kThree = IpAddress::v4(192, 0, 2, 3);

struct LookupTest : ::testing::Test {
    LookupTest() {
        zone.names["one.test"].addresses = {kOne};
        zone.names["two.test"].addresses = {kTwo, kThree};
    }
    Zone zone;
};

using ServerLookup_Rfc3263_4_1 = LookupTest;
using ServerLookup_Rfc3263_4_2 = LookupTest;

TEST_F(ServerLookup_Rfc3263_4_2, APortThatIsWrittenMeansAddressesOnly) {
    EXPECT_EQ(hops(zone, "sip:two.test:5070"), (Hops{"UDP 192.0.2.2:5070", "UDP 192.0.2.3:5070"}));
    ASSERT_EQ(zone.asked.size(), 1U);
    EXPECT_EQ(zone.asked[0].type, RecordType::Address);
}

TEST_F(ServerLookup_Rfc3263_4_1, ATransportThatIsWrittenMeansItsSrvOnly) {
    zone.names["_sip._tcp.a.test"].services = {{1, 1, 5080, "one.test"}};
    zone.names["_sip._udp.a.test"].services = {{1, 1, 5090, "two.test"}};
    EXPECT_EQ(hops(zone, "sip:a.test;transport=tcp"), Hops{"TCP 192.0.2.1:5080"});
    for (const Question& question : zone.asked) EXPECT_NE(question.type, RecordType::Naptr);
}

TEST_F(ServerLookup_Rfc3263_4_1, NaptrOrdersTheServices) {
    zone.names["a.test"].pointers = {{2, 0, "s", "SIP+D2U", "", "_sip._udp.a.test"},
                                     {1, 0, "s", "SIP+D2T", "", "_sip._tcp.a.test"}};
    zone.names["_sip._udp.a.test"].services = {{1, 1, 5060, "one.test"}};
    zone.names["_sip._tcp.a.test"].services = {{1, 1, 5062, "two.test"}};
    EXPECT_EQ(hops(zone, "sip:a.test"),
              (Hops{"TCP 192.0.2.2:5062", "TCP 192.0.2.3:5062", "UDP 192.0.2.1:5060"}));
}

TEST_F(ServerLookup_Rfc3263_4_1, WithoutNaptrEachTransportIsLookedFor) {
    zone.names["_sip._udp.a.test"].services = {{1, 1, 5060, "one.test"}};
    zone.names["_sip._tcp.a.test"].services = {{1, 1, 5062, "one.test"}};
    EXPECT_EQ(hops(zone, "sip:a.test"), (Hops{"UDP 192.0.2.1:5060", "TCP 192.0.2.1:5062"}));
}

TEST_F(ServerLookup_Rfc3263_4_1, OnlyTransportsAtWhichWeListenAreLookedFor) {
    TransportSet tcp;
    tcp.add(transport::Transport::Tcp);
    zone.names["a.test"].addresses = {kOne};
    ServerLookup lookup(destination("sip:a.test"), tcp, {1, false});
    EXPECT_EQ(hops(zone, lookup), Hops{"TCP 192.0.2.1:5060"});
    for (const Question& question : zone.asked) EXPECT_NE(question.name, "_sip._udp.a.test");
}

TEST_F(ServerLookup_Rfc3263_4_1, SipsGoesByTlsOnly) {
    const auto list = [&](std::string_view uri) {
        ServerLookup lookup(destination(uri), with_tls(), {1, false});
        return hops(zone, lookup);
    };
    zone.names["a.test"].addresses = {kThree};
    EXPECT_EQ(list("sips:a.test"), Hops{"TLS 192.0.2.3:5061"});
    EXPECT_EQ(list("sips:a.test:5070"), Hops{"TLS 192.0.2.3:5070"});
    zone.names["a.test"].pointers = {{1, 0, "s", "SIP+D2U", "", "_sip._udp.a.test"},
                                     {2, 0, "s", "SIPS+D2T", "", "_sips._tcp.a.test"}};
    zone.names["_sip._udp.a.test"].services = {{1, 1, 5060, "one.test"}};
    zone.names["_sips._tcp.a.test"].services = {{1, 1, 5062, "two.test"}};
    EXPECT_EQ(list("sips:a.test"), (Hops{"TLS 192.0.2.2:5062", "TLS 192.0.2.3:5062"}));
    EXPECT_EQ(list("sip:a.test;transport=tls"), (Hops{"TLS 192.0.2.2:5062", "TLS 192.0.2.3:5062"}));
    // A SIP URI may go by either.
    EXPECT_EQ(list("sip:a.test"),
              (Hops{"UDP 192.0.2.1:5060", "TLS 192.0.2.2:5062", "TLS 192.0.2.3:5062"}));
}

TEST_F(ServerLookup_Rfc3263_4_2, WithoutSrvTheDomainItselfIsTheServer) {
    EXPECT_EQ(hops(zone, "sip:one.test"), Hops{"UDP 192.0.2.1:5060"});
    EXPECT_EQ(hops(zone, "sip:one.test;transport=tcp"), Hops{"TCP 192.0.2.1:5060"});
}

TEST_F(ServerLookup_Rfc3263_4_2, SrvRecordsWithoutAddressesArePassedOver) {
    zone.names["_sip._udp.a.test"].services = {
        {1, 0, 5060, "missing.test"}, {2, 0, 5060, "one.test"}, {3, 0, 0, "two.test"}};
    EXPECT_EQ(hops(zone, "sip:a.test"), Hops{"UDP 192.0.2.1:5060"});
}

TEST_F(ServerLookup_Rfc3263_4_2, TheRootAsTargetMeansThatTheServiceIsNotThere) {
    zone.names["a.test"].addresses = {kOne};
    zone.names["_sip._udp.a.test"].services = {{0, 0, 0, ""}};
    EXPECT_EQ(hops(zone, "sip:a.test"), Hops{});
    zone.names["_sip._tcp.a.test"].services = {{1, 1, 5060, "one.test"}};
    EXPECT_EQ(hops(zone, "sip:a.test"), Hops{"TCP 192.0.2.1:5060"});
}

TEST_F(ServerLookup_Rfc3263_4_2, EveryOneOfManySrvRecordsIsAHop) {
    for (uint8_t i = 1; i <= 30; ++i) {
        const std::string name = "s" + std::to_string(i) + ".test";
        zone.names[name].addresses = {IpAddress::v4(198, 51, 100, i)};
        zone.names["_sip._udp.a.test"].services.push_back({i, 0, 5060, name});
    }
    const Hops all = hops(zone, "sip:a.test");
    ASSERT_EQ(all.size(), 30U);
    EXPECT_EQ(all[8], "UDP 198.51.100.9:5060");
    EXPECT_EQ(all[29], "UDP 198.51.100.30:5060");
}

TEST_F(ServerLookup_Rfc3263_4_2, AddressesAreAskedForAsTheyAreNeeded) {
    for (uint8_t i = 1; i <= 30; ++i) {
        zone.names["_sip._udp.a.test"].services.push_back(
            {i, 0, 5060, "s" + std::to_string(i) + ".test"});
        zone.names["s" + std::to_string(i) + ".test"].addresses = {kOne};
    }
    ServerLookup lookup(destination("sip:a.test"), udp_and_tcp(), {1, false});
    zone.answer_all(lookup);
    Hop hop;
    EXPECT_EQ(lookup.next(Instant{}, nullptr, hop), Progress::Ready);
    EXPECT_LE(zone.asked.size(), 8U);
}

TEST_F(ServerLookup_Rfc3263_4_2, AHopIsGivenOutOnce) {
    zone.names["_sip._udp.a.test"].services = {{1, 0, 5060, "one.test"}, {2, 0, 5060, "one.test"}};
    EXPECT_EQ(hops(zone, "sip:a.test"), Hops{"UDP 192.0.2.1:5060"});
}

TEST_F(ServerLookup_Rfc3263_4_2, TheFirstHopDoesNotWaitForTheOthers) {
    zone.names["_sip._udp.a.test"].services = {{1, 0, 5060, "one.test"}, {2, 0, 5060, "two.test"}};
    ServerLookup lookup(destination("sip:a.test"), udp_and_tcp(), {1, false});
    Hop hop;
    while (const auto question = lookup.next_question()) {
        if (question->name != "two.test") lookup.answer(*question, zone.answer(*question));
    }
    EXPECT_EQ(lookup.next(Instant{}, nullptr, hop), Progress::Ready);
    EXPECT_EQ(lookup.next(Instant{}, nullptr, hop), Progress::Waiting);
    EXPECT_EQ(lookup.awaited(), (Question{RecordType::Address, "two.test"}));
    EXPECT_TRUE(lookup.has_more());
    lookup.answer({RecordType::Address, "two.test"}, {});
    EXPECT_EQ(lookup.next(Instant{}, nullptr, hop), Progress::Exhausted);
}

TEST_F(ServerLookup_Rfc3263_4_1, AFailureIsAsIfNothingWereThere) {
    ServerLookup lookup(destination("sip:one.test"), udp_and_tcp(), {1, false});
    Hop hop;
    while (const auto question = lookup.next_question()) {
        const bool is_address = question->type == RecordType::Address;
        lookup.answer(*question, is_address ? zone.answer(*question) : RecordSet{});
    }
    EXPECT_EQ(lookup.next(Instant{}, nullptr, hop), Progress::Ready);
    EXPECT_EQ(text_of(hop), "UDP 192.0.2.1:5060");
}

TEST_F(ServerLookup_Rfc3263_4_2, HopsThatAreHeldDownComeLastNotNever) {
    zone.names["_sip._udp.a.test"].services = {{1, 0, 5060, "one.test"}, {2, 0, 5060, "two.test"}};
    HopHealth health({1, 2});
    health.failed(Instant{}, {transport::Transport::Udp, {kOne, 5060}}, std::chrono::seconds(30));
    ServerLookup lookup(destination("sip:a.test"), udp_and_tcp(), {1, false});
    EXPECT_EQ(hops(zone, lookup, &health),
              (Hops{"UDP 192.0.2.2:5060", "UDP 192.0.2.3:5060", "UDP 192.0.2.1:5060"}));
}

TEST_F(ServerLookup_Rfc3263_4_2, AStableOrderFollowsFromTheDrawAlone) {
    zone.names["_sip._udp.a.test"].services = {{1, 5, 5060, "two.test"}, {1, 5, 5070, "two.test"}};
    const auto list = [&](uint64_t draw) {
        ServerLookup lookup(destination("sip:a.test"), udp_and_tcp(), {draw, true});
        return hops(zone, lookup);
    };
    const Hops first = list(7);
    std::reverse(zone.names["two.test"].addresses.begin(), zone.names["two.test"].addresses.end());
    auto& services = zone.names["_sip._udp.a.test"].services;
    std::reverse(services.begin(), services.end());
    EXPECT_EQ(list(7), first);
    std::set<std::string> starts;
    for (uint64_t draw = 0; draw < 50; ++draw) starts.insert(list(draw)[0]);
    EXPECT_EQ(starts.size(), 4U);
}

TEST_F(ServerLookup_Rfc3263_4_2, NamesAreComparedWithoutCaseAndFinalDot) {
    zone.names["_sip._udp.a.test"].services = {{1, 5, 5060, "ONE.test."}};
    EXPECT_EQ(hops(zone, "sip:A.Test."), Hops{"UDP 192.0.2.1:5060"});
}

}  // namespace
}  // namespace signalbox::resolver
