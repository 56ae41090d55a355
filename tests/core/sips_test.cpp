// SIPS: over TLS or not at all.
// Covers: RFC 3261 §26.2.2 (sips on every hop), §16.6 step 7, RFC 5922 §7.3 (the domain asked for
// is told). Not covered: Record-Route (request_forwarding_test), TLS itself (tests/io).
#include <gtest/gtest.h>

#include "tests/core/core_harness.h"

namespace signalbox::core::testing {
namespace {

ports::Snapshot trusting() {
    ports::Snapshot snapshot = default_snapshot();
    snapshot.trusted = {*Network::parse("198.51.100.10")};
    return snapshot;
}

struct SipsTest : ::testing::Test {
    World world{trusting()};
    Phone& alice = world.stranger();
    Phone& bob = world.registered("bob", "198.51.100.20:5060");

    Outgoing call(const std::string& uri) { return alice.send(alice.make("INVITE", uri)); }
};

using Sips_Rfc3261_26_2_2 = SipsTest;
using Sips_Rfc5922_7_3 = SipsTest;

TEST_F(Sips_Rfc3261_26_2_2, IsNotCarriedToAPhoneWithoutTls) {
    call("sips:bob@example.test").expect(100).expect(480);
    EXPECT_TRUE(bob.is_silent());
}

TEST_F(Sips_Rfc3261_26_2_2, LeavesForAnotherHostByTlsOrNotAtAll) {
    call("sips:any@203.0.113.5").expect(100).expect(500);
    RequestText routed = alice.make("INVITE", "sip:any@somewhere.test");
    routed.routes = {"<sips:203.0.113.5;lr>"};
    alice.send(routed).expect(100).expect(500);
}

TEST_F(Sips_Rfc5922_7_3, TheDomainAskedForIsToldBeforeItsServerIsConnectedTo) {
    call("sips:any@Elsewhere.test").expect(100);
    ASSERT_EQ(world.dns.size(), 1U);
    EXPECT_EQ(world.tls_domains, std::vector<std::string>{"Elsewhere.test"});
}

/// The same with a listener for TLS.
struct SipsRouteTest : ::testing::Test {
    static ports::Snapshot with_tls(ports::ProxyMode mode) {
        ports::Snapshot snapshot = trusting();
        snapshot.proxy.mode = mode;
        transport::Listener tls;
        tls.transport = transport::Transport::Tls;
        tls.bound = *Endpoint::parse("192.0.2.1:5061");
        snapshot.listeners.push_back(tls);
        return snapshot;
    }
};

using SipsRoute_Rfc3261_16_6 = SipsRouteTest;

TEST_F(SipsRoute_Rfc3261_16_6, ASipRouteOfASipsRequestIsReachedByTls) {
    for (const auto mode : {ports::ProxyMode::Stateful, ports::ProxyMode::Stateless}) {
        World world{with_tls(mode)};
        Phone& alice = world.stranger();
        Phone& next = world.stranger("next", "203.0.113.5:5061", transport::Transport::Tls);
        RequestText request = alice.make("MESSAGE", "sips:any@somewhere.test");
        request.routes = {"<sip:203.0.113.5;lr>"};
        alice.send(request);
        const Message got = next.expects("MESSAGE").message();
        EXPECT_EQ(got.uri(), "sips:any@somewhere.test");
        EXPECT_EQ(got.header("Route"), "<sip:203.0.113.5;lr>");
        EXPECT_EQ(got.header("Via").substr(0, 11), "SIP/2.0/TLS");
    }
}

TEST_F(SipsRoute_Rfc3261_16_6, TheNameOfASipRouteIsLookedUpForSips) {
    World world{with_tls(ports::ProxyMode::Stateful)};
    Phone& alice = world.stranger();
    RequestText request = alice.make("MESSAGE", "sips:any@somewhere.test");
    request.routes = {"<sip:next.test;lr>"};
    alice.send(request);
    world.zone["_sips._tcp.next.test"].services = {{10, 0, 5071, "one.next.test"}};
    world.zone["_sip._udp.next.test"].services = {{10, 0, 5072, "one.next.test"}};
    world.zone["one.next.test"].addresses = {IpAddress::v4(203, 0, 113, 5)};
    Phone& next = world.stranger("next", "203.0.113.5:5071", transport::Transport::Tls);
    world.answer_dns();
    next.expects("MESSAGE");
    EXPECT_EQ(world.tls_domains, std::vector<std::string>{"next.test"});
}

}  // namespace
}  // namespace signalbox::core::testing
