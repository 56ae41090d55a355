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

}  // namespace
}  // namespace signalbox::core::testing
