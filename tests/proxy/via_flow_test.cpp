// The way back that our Via carries for the response to a request without a transaction.
// Covers: RFC 3261 §16.11, §18.2.2, RFC 3581 §4 (the flow as a token). Not covered: its use
// (stateless_way_back_test of the core).
#include "proxy/via_flow.h"

#include <gtest/gtest.h>

namespace signalbox::proxy {
namespace {

using transport::Flow;
using transport::Transport;

constexpr WallTime kNow = WallTime(std::chrono::seconds(1'700'000'000));

crypto::TokenKey key_of(uint8_t id) {
    crypto::TokenKey key;
    key.id = id;
    key.secret.fill(id);
    key.not_after = kNow + std::chrono::hours(1);
    return key;
}

sip::Via via_of(std::string_view text) {
    return *sip::parse_via(text);
}

struct ViaFlowTest : ::testing::Test {
    ViaFlowTest() {
        listeners[0].bound = *Endpoint::parse("192.0.2.1:5060");
        listeners[1].bound = *Endpoint::parse("192.0.2.1:5070");
        listeners[2].transport = Transport::Tcp;
        listeners[2].bound = *Endpoint::parse("[2001:db8::1]:5060");
    }
    static Flow datagrams() {
        Flow flow;
        flow.shard = 3;
        flow.listener = 1;
        flow.local = *Endpoint::parse("192.0.2.1:5070");
        flow.remote = *Endpoint::parse("198.51.100.10:40000");
        return flow;
    }
    static Flow stream() {
        Flow flow;
        flow.transport = Transport::Tcp;
        flow.shard = 3;
        flow.listener = 2;
        flow.local = *Endpoint::parse("[2001:db8::1]:5060");
        flow.remote = *Endpoint::parse("[2001:db8::7]:5060");
        flow.connection = 0x12345678;
        flow.generation = 0x9abcdef0;
        return flow;
    }
    std::optional<Flow> open(std::string_view token, std::string_view next) {
        const std::string own = "SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1;flow=" + std::string(token);
        return open_via_flow(via_of(own), via_of(next), keys, kNow, listeners);
    }

    static constexpr std::string_view kNext = "SIP/2.0/UDP 10.0.0.7:5062;branch=z9hG4bKclient";
    std::array<transport::Listener, 3> listeners;
    crypto::TokenKey first = key_of(1);
    crypto::TokenKeys keys{std::span<const crypto::TokenKey>(&first, 1)};
};

using ViaFlow_Rfc3261_16_11 = ViaFlowTest;

TEST_F(ViaFlow_Rfc3261_16_11, LeadsBackToTheFlowOfTheRequest) {
    for (const Flow& flow : {datagrams(), stream()}) {
        const ViaFlowText token = seal_via_flow(via_of(kNext), flow, 1, keys);
        EXPECT_EQ(token.size, transport::is_reliable(flow.transport) ? 109U : 58U);
        EXPECT_EQ(open(token.view(), kNext), flow);
    }
}

TEST_F(ViaFlow_Rfc3261_16_11, BelongsToItsNextVia) {
    const ViaFlowText token = seal_via_flow(via_of(kNext), datagrams(), 1, keys);
    const auto leads_back = [&](std::string_view next) {
        return open(token.view(), next) == datagrams();
    };
    EXPECT_FALSE(leads_back("SIP/2.0/UDP 10.0.0.8:5062;branch=z9hG4bKclient"));
    EXPECT_FALSE(leads_back("SIP/2.0/UDP 10.0.0.7:5063;branch=z9hG4bKclient"));
    EXPECT_FALSE(leads_back("SIP/2.0/UDP 10.0.0.7:5062;branch=z9hG4bKclienu"));
    EXPECT_FALSE(leads_back("SIP/2.0/UDP 10.0.0.7:5062"));
    EXPECT_TRUE(
        leads_back("SIP/2.0/UDP 10.0.0.7:5062;branch=z9hG4bKclient;received=203.0.113.1"
                   ";rport=9;maddr=203.0.113.2"))
        << "what decides nothing";
}

TEST_F(ViaFlow_Rfc3261_16_11, CannotBeForged) {
    const ViaFlowText token = seal_via_flow(via_of(kNext), datagrams(), 1, keys);
    for (size_t i = 0; i < token.size; ++i) {
        std::string forged(token.view());
        forged[i] = forged[i] == 'a' ? 'b' : 'a';
        EXPECT_FALSE(open(forged, kNext).has_value()) << i;
    }
    EXPECT_FALSE(open("", kNext).has_value());
    const sip::Via none = via_of("SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1;flow");
    EXPECT_FALSE(open_via_flow(none, via_of(kNext), keys, kNow, listeners).has_value());
}

TEST_F(ViaFlow_Rfc3261_16_11, OutlivesItsKeyBeingCurrentButNotItsListener) {
    const ViaFlowText token = seal_via_flow(via_of(kNext), datagrams(), 1, keys);
    const std::array<crypto::TokenKey, 2> rotated{key_of(2), key_of(1)};
    keys = crypto::TokenKeys(rotated);
    EXPECT_EQ(open(token.view(), kNext), datagrams());
    std::swap(listeners[0], listeners[1]);
    EXPECT_EQ(open(token.view(), kNext)->listener, 0);
    listeners[0].bound.port = 5080;
    EXPECT_FALSE(open(token.view(), kNext).has_value());
}

TEST_F(ViaFlow_Rfc3261_16_11, AStreamThatWeOpenedHasAPortOfItsOwn) {
    Flow opened = stream();
    opened.local.port = 51234;
    const ViaFlowText token = seal_via_flow(via_of(kNext), opened, 1, keys);
    EXPECT_EQ(open(token.view(), kNext), opened);
}

}  // namespace
}  // namespace signalbox::proxy
