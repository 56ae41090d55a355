// What a TLS peer may do by the domain for which it has shown a certificate.
// Covers: RFC 5922 §7.5 (a proxy's peers), §7.6 (a registrar's clients). Not covered: whom a
// certificate speaks for (tls_engine_test), trust by network and listener (tests/ports).
#include <gtest/gtest.h>

#include "tests/core/core_harness.h"

namespace signalbox::core::testing {
namespace {

using transport::PeerDomain;
using transport::Transport;

ports::Snapshot trusting_a_domain() {
    ports::Snapshot snapshot = default_snapshot();
    ports::PeerMatch peer;
    peer.identity = "peer.test";
    snapshot.trusted = {peer};
    return snapshot;
}

struct PeerTest : ::testing::Test {
    World world{trusting_a_domain()};
    Phone& bob = world.registered("bob", "198.51.100.20:5060");
    Phone& peer = world.phone({"gw", "peer.test", "203.0.113.5:40000", Transport::Tcp, {}});

    /// Sends it over the peer's connection, which has proved to be of `domain`.
    void send_as(const std::string& domain, const RequestText& request) {
        transport::Flow flow = peer.flow();
        flow.domain = PeerDomain::of(domain);
        world.receive(flow, request.text());
    }
};

using PeerIdentity_Rfc5922_7_5 = PeerTest;
using PeerIdentity_Rfc5922_7_6 = PeerTest;

TEST_F(PeerIdentity_Rfc5922_7_5, ATrustedDomainNeedsNoCredentialsAndIsBelieved) {
    RequestText request = peer.make("MESSAGE", bob.aor());
    request.from = "<sip:bob@example.test>;tag=1";
    request.with("P-Asserted-Identity: <sip:gw@peer.test>");
    send_as("Peer.TEST", request);
    EXPECT_EQ(bob.expects("MESSAGE").message().header("P-Asserted-Identity"), "<sip:gw@peer.test>");
}

TEST_F(PeerIdentity_Rfc5922_7_5, AnotherDomainOrNoneIsAStranger) {
    for (const char* domain : {"other.test", "sub.peer.test", "test", ""}) {
        RequestText request = peer.make("MESSAGE", bob.aor());
        request.from = "<sip:bob@example.test>;tag=1";
        send_as(domain, request);
        peer.expect(407);
        EXPECT_TRUE(bob.is_silent()) << domain;
    }
}

TEST_F(PeerIdentity_Rfc5922_7_6, ACertificateAloneIsNoReasonToBindAnything) {
    send_as("other.test", bob.registration());
    peer.expect(401);
    send_as("example.test", bob.registration());
    peer.expect(401);
    send_as("peer.test", bob.registration());
    peer.expect(200);
}

}  // namespace
}  // namespace signalbox::core::testing
