// Which URIs mean us, and whom we trust.
// Covers: RFC 3261 §16.3 (our domain), §16.4 (a Route that names us), §16.5 (responsible for the
// domain). Not covered: what the proxy then does.
#include "ports/snapshot.h"

#include <gtest/gtest.h>

namespace signalbox::ports {
namespace {

transport::Listener listener(std::string_view bound,
                             transport::Transport transport = transport::Transport::Udp) {
    transport::Listener listener;
    listener.transport = transport;
    listener.bound = *Endpoint::parse(bound);
    return listener;
}

sip::Uri uri(std::string_view text) {
    const auto parsed = sip::parse_uri(text);
    EXPECT_TRUE(parsed) << text;
    return parsed.value_or(sip::Uri{});
}

/// One UDP listener on a fixed address and the default port; one domain.
Snapshot fixed() {
    Snapshot snapshot;
    snapshot.domains = {"example.test"};
    snapshot.listeners = {listener("192.0.2.1:5060")};
    return snapshot;
}

bool is_ours(const Snapshot& snapshot, std::string_view text) {
    return snapshot.tenant_of(uri(text)) == kDefaultTenant;
}
bool is_identity(const Snapshot& snapshot, std::string_view text) {
    return snapshot.tenant_of_identity(uri(text)) == kDefaultTenant;
}

TEST(Snapshot_Rfc3261_19_1_2, WithoutAPortThatOfTheTransportIsMeant) {
    Snapshot snapshot;
    snapshot.listeners = {listener("192.0.2.1:5061", transport::Transport::Tls),
                          listener("192.0.2.1:443", transport::Transport::Wss)};
    EXPECT_TRUE(is_ours(snapshot, "sips:alice@192.0.2.1"));
    EXPECT_TRUE(is_ours(snapshot, "sip:alice@192.0.2.1;transport=tls"));
    EXPECT_TRUE(is_ours(snapshot, "sips:alice@192.0.2.1;transport=ws"));
    EXPECT_FALSE(is_ours(snapshot, "sip:alice@192.0.2.1"));
    EXPECT_FALSE(is_ours(snapshot, "sip:alice@192.0.2.1;transport=ws"));
    EXPECT_FALSE(is_ours(snapshot, "sips:alice@192.0.2.1:5060"));
}

TEST(Snapshot_Rfc3261_16_5, ConfiguredDomainIsOursInAnyCase) {
    const Snapshot snapshot = fixed();
    EXPECT_TRUE(is_ours(snapshot, "sip:alice@example.test"));
    EXPECT_TRUE(is_ours(snapshot, "sip:alice@EXAMPLE.Test"));
    EXPECT_TRUE(is_ours(snapshot, "sips:alice@example.test"));
    EXPECT_TRUE(is_ours(snapshot, "sip:example.test"));
    EXPECT_FALSE(is_ours(snapshot, "sip:alice@example.org"));
    EXPECT_FALSE(is_ours(snapshot, "sip:alice@sub.example.test"));
}

TEST(Snapshot_Rfc3261_16_5, DomainWithAPortIsOursOnlyWithOurPort) {
    const Snapshot snapshot = fixed();
    EXPECT_TRUE(is_ours(snapshot, "sip:alice@example.test:5060"));
    EXPECT_FALSE(is_ours(snapshot, "sip:alice@example.test:5070"));
}

TEST(Snapshot_Rfc3261_16_5, AddressIsOursOnlyWithOurPort) {
    const Snapshot snapshot = fixed();
    EXPECT_TRUE(is_ours(snapshot, "sip:alice@192.0.2.1:5060"));
    EXPECT_TRUE(is_ours(snapshot, "sip:alice@192.0.2.1"));
    EXPECT_FALSE(is_ours(snapshot, "sip:alice@192.0.2.1:5070"));
    EXPECT_FALSE(is_ours(snapshot, "sip:alice@192.0.2.2"));
    EXPECT_FALSE(is_ours(snapshot, "sips:alice@192.0.2.1"));
}

TEST(Snapshot_Rfc3261_16_5, AddressWithoutPortIsForeignWhereWeListenElsewhere) {
    Snapshot snapshot = fixed();
    snapshot.listeners = {listener("192.0.2.1:5080")};
    EXPECT_FALSE(is_ours(snapshot, "sip:alice@192.0.2.1"));
    EXPECT_TRUE(is_ours(snapshot, "sip:alice@192.0.2.1:5080"));
}

TEST(Snapshot_Rfc3261_16_5, IdentityAtAnAddressNeedsNoPort) {
    Snapshot snapshot = fixed();
    snapshot.listeners = {listener("192.0.2.1:5080")};
    EXPECT_TRUE(is_identity(snapshot, "sip:alice@192.0.2.1"));
    EXPECT_TRUE(is_identity(snapshot, "sip:alice@192.0.2.1:5080"));
    EXPECT_TRUE(is_identity(snapshot, "sip:alice@example.test"));
    EXPECT_FALSE(is_identity(snapshot, "sip:alice@192.0.2.1:5070"));
    EXPECT_FALSE(is_identity(snapshot, "sip:alice@192.0.2.2"));
    EXPECT_FALSE(is_identity(snapshot, "sip:alice@example.org"));
}

TEST(Snapshot_Behaviour, WildcardMeansTheMachinesAddressesOfItsFamilyAndLoopback) {
    Snapshot snapshot;
    snapshot.own_addresses = {IpAddress::v4(192, 0, 2, 7), *IpAddress::parse("2001:db8::7")};
    snapshot.listeners = {listener("0.0.0.0:5060")};
    EXPECT_TRUE(is_ours(snapshot, "sip:a@192.0.2.7"));
    EXPECT_TRUE(is_ours(snapshot, "sip:a@127.0.0.1"));
    EXPECT_FALSE(is_ours(snapshot, "sip:a@192.0.2.8"));
    EXPECT_FALSE(is_ours(snapshot, "sip:a@[2001:db8::7]"));
    EXPECT_FALSE(is_ours(snapshot, "sip:a@[::1]"));
    snapshot.listeners = {listener("[::]:5060")};
    EXPECT_TRUE(is_ours(snapshot, "sip:a@[2001:db8::7]"));
    EXPECT_TRUE(is_ours(snapshot, "sip:a@[2001:DB8:0::7]"));
    EXPECT_TRUE(is_ours(snapshot, "sip:a@[::1]"));
    EXPECT_FALSE(is_ours(snapshot, "sip:a@192.0.2.7"));
}

TEST(Snapshot_Behaviour, FixedListenerDoesNotClaimTheMachinesOtherAddresses) {
    Snapshot snapshot = fixed();
    snapshot.own_addresses = {IpAddress::v4(192, 0, 2, 1), IpAddress::v4(192, 0, 2, 2)};
    EXPECT_FALSE(is_ours(snapshot, "sip:a@192.0.2.2"));
    EXPECT_FALSE(is_ours(snapshot, "sip:a@127.0.0.1"));
}

TEST(Snapshot_Behaviour, AdvertisedAddressIsOurs) {
    Snapshot snapshot = fixed();
    snapshot.listeners[0].advertise_host = "203.0.113.7";
    snapshot.listeners[0].advertise_port = 6060;
    EXPECT_TRUE(is_ours(snapshot, "sip:a@203.0.113.7:6060"));
    EXPECT_FALSE(is_ours(snapshot, "sip:a@203.0.113.7"));
    EXPECT_FALSE(is_ours(snapshot, "sip:a@203.0.113.7:5060"));
    EXPECT_TRUE(is_ours(snapshot, "sip:a@192.0.2.1:5060"));
    EXPECT_FALSE(is_ours(snapshot, "sip:a@192.0.2.1:6060"));
}

TEST(Snapshot_Behaviour, AdvertisedHostWithoutPortUsesTheListenersPort) {
    Snapshot snapshot = fixed();
    snapshot.listeners[0].advertise_host = "edge.example.org";
    EXPECT_TRUE(is_ours(snapshot, "sip:a@edge.example.org:5060"));
    EXPECT_TRUE(is_ours(snapshot, "sip:a@Edge.example.org"));
}

TEST(Snapshot_Behaviour, TelIsTheDefaultTenantsAndOtherSchemesAreForeign) {
    const Snapshot snapshot = fixed();
    EXPECT_TRUE(is_ours(snapshot, "tel:+15550100"));
    EXPECT_FALSE(is_identity(snapshot, "tel:+15550100"));
    EXPECT_FALSE(is_ours(snapshot, "mailto:alice@example.test"));
    EXPECT_FALSE(is_identity(snapshot, "mailto:alice@example.test"));
    EXPECT_FALSE(snapshot.is_own_address(uri("tel:+15550100")));
}

TEST(Snapshot_Rfc3261_16_4, RouteWithOurHostAndPortIsOurs) {
    const Snapshot snapshot = fixed();
    EXPECT_TRUE(snapshot.is_own_address(uri("sip:192.0.2.1:5060;lr")));
    EXPECT_TRUE(snapshot.is_own_address(uri("sip:192.0.2.1;lr")));
    EXPECT_TRUE(snapshot.is_own_address(uri("sip:token@192.0.2.1;lr")));
    EXPECT_TRUE(snapshot.is_own_address(uri("sip:example.test;lr")));
    EXPECT_FALSE(snapshot.is_own_address(uri("sip:192.0.2.1:5070;lr")));
    EXPECT_FALSE(snapshot.is_own_address(uri("sip:192.0.2.2;lr")));
    EXPECT_FALSE(snapshot.is_own_address(uri("sip:example.test:5070;lr")));
}

TEST(Snapshot_Behaviour, NothingIsOursWithoutListenersAndDomains) {
    const Snapshot snapshot;
    EXPECT_FALSE(is_ours(snapshot, "sip:a@127.0.0.1"));
    EXPECT_FALSE(is_identity(snapshot, "sip:a@127.0.0.1"));
}

transport::Flow path_to(std::string_view remote,
                        transport::Transport transport = transport::Transport::Udp,
                        uint16_t listener = 0) {
    transport::Flow flow;
    flow.transport = transport;
    flow.listener = listener;
    flow.remote = *Endpoint::parse(remote);
    return flow;
}

TEST(Snapshot_Behaviour, TrustsConfiguredNetworksOnly) {
    Snapshot snapshot;
    EXPECT_FALSE(snapshot.is_trusted(path_to("192.0.2.1:5060")));
    snapshot.trusted.push_back(*Network::parse("192.0.2.0/28"));
    snapshot.trusted.push_back(*Network::parse("2001:db8:1::/48"));
    EXPECT_TRUE(snapshot.is_trusted(path_to("192.0.2.0:5060")));
    EXPECT_TRUE(snapshot.is_trusted(path_to("192.0.2.15:1")));
    EXPECT_FALSE(snapshot.is_trusted(path_to("192.0.2.16:5060")));
    EXPECT_TRUE(snapshot.is_trusted(path_to("[2001:db8:1:ffff::1]:5060")));
    EXPECT_FALSE(snapshot.is_trusted(path_to("[2001:db8:2::1]:5060")));
}

TEST(PeerMatch_Rfc3325_2_3, EveryPartThatIsGivenMustBeRight) {
    Snapshot snapshot;
    for (const char* bound : {"192.0.2.1:5060", "10.0.0.1:5060"}) {
        transport::Listener listener;
        listener.transport = transport::Transport::Tcp;
        listener.bound = *Endpoint::parse(bound);
        snapshot.listeners.push_back(listener);
    }
    PeerMatch& peer = snapshot.trusted.emplace_back();
    peer.network = *Network::parse("10.0.0.0/24");
    peer.listener = *Endpoint::parse("10.0.0.1:5060");
    peer.transport = transport::Transport::Tcp;
    using transport::Transport;
    EXPECT_TRUE(snapshot.is_trusted(path_to("10.0.0.7:5060", Transport::Tcp, 1)));
    EXPECT_FALSE(snapshot.is_trusted(path_to("10.0.1.7:5060", Transport::Tcp, 1)));
    EXPECT_FALSE(snapshot.is_trusted(path_to("10.0.0.7:5060", Transport::Udp, 1)));
    EXPECT_FALSE(snapshot.is_trusted(path_to("10.0.0.7:5060", Transport::Tcp, 0)));
    EXPECT_FALSE(snapshot.is_trusted(path_to("10.0.0.7:5060", Transport::Tcp, 2)));
}

TEST(PeerMatch_Rfc3325_2_3, ARuleWithoutAnyPartTrustsNobody) {
    Snapshot snapshot;
    snapshot.trusted.emplace_back();
    EXPECT_FALSE(snapshot.is_trusted(path_to("192.0.2.1:5060")));
}

TEST(PeerMatch_Rfc3325_2_3, AnIdentityIsADomainWhoseCertificateWasShown) {
    Snapshot snapshot;
    snapshot.trusted = {*Network::parse("192.0.2.0/24")};
    snapshot.trusted.front().identity = "carrier.example.org";
    using transport::Transport;
    for (const auto transport : {Transport::Udp, Transport::Tcp, Transport::Tls})
        EXPECT_FALSE(snapshot.is_trusted(path_to("192.0.2.1:5060", transport)));
    transport::Flow flow = path_to("192.0.2.1:5061", Transport::Tls);
    flow.domain = transport::PeerDomain::of("Carrier.Example.org");
    EXPECT_TRUE(snapshot.is_trusted(flow));
    flow.domain = transport::PeerDomain::of("other.example.org");
    EXPECT_FALSE(snapshot.is_trusted(flow));
}

}  // namespace
}  // namespace signalbox::ports
