// TLS connections of a shard over loopback sockets.
// Covers RFC 3261 §26.3.1, RFC 5922 §7.3 (servers are verified), RFC 5923 §8.2 (reuse for the same
// domain only). Not covered: what the engine says (its own test), WebSocket over TLS
// (stream_web_socket_test.cpp), limits (stream_limits_test.cpp).
#include "tests/io/layers_fixture.h"

namespace signalbox::io {
namespace {

using StreamSet_Tls = Layers;
using StreamSet_Rfc5922_7_3 = Layers;
using StreamSet_Rfc5923_8_2 = Layers;

TEST_F(StreamSet_Tls, CarriesMessagesBothWays) {
    const auto client = connect_tls(listen(Transport::Tls));
    ASSERT_TRUE(client->agree());
    client->send(kOptions + kOptions + kOptions.substr(0, 50));
    ASSERT_TRUE(is_received(2));
    client->send(kOptions.substr(50) + "\r\n\r\n");
    ASSERT_TRUE(is_received(3));
    EXPECT_EQ(received[2], kOptions);
    EXPECT_EQ(flow.transport, Transport::Tls);
    EXPECT_FALSE(flow.domain) << "it showed no certificate";
    streams->send(now, flow, "answer", {1, 3});
    streams->flush();
    EXPECT_EQ(client->read(8), "\r\nanswer");
    EXPECT_EQ(counters.value(Counter::tls_handshakes_total), 1u);
}

TEST_F(StreamSet_Tls, AMessageOfManyRecordsIsPutTogether) {
    const auto client = connect_tls(listen(Transport::Tls));
    ASSERT_TRUE(client->agree());
    std::string large = kOptions;
    large.replace(large.find("h: 0"), 4, "h: 40000");
    large += std::string(40000, 'x');
    client->send(large);
    ASSERT_TRUE(is_received(1));
    EXPECT_EQ(received[0], large);
    streams->send(now, flow, large, {1, 3});
    streams->flush();
    EXPECT_EQ(client->read(large.size()), large);
}

TEST_F(StreamSet_Tls, AVerifiedClientIsNamedInItsFlow) {
    const CertificateFiles own = certificates.issue("own", {.alternative = "URI:sip:peer.test"});
    const auto client = connect_tls(listen(Transport::Tls), own);
    ASSERT_TRUE(client->agree());
    client->send(kOptions);
    ASSERT_TRUE(is_received(1));
    EXPECT_EQ(flow.domain, PeerDomain::of("peer.test"));
}

TEST_F(StreamSet_Tls, OfSeveralDomainsTheOneThatIsKnownNamesTheFlow) {
    limits.known = {PeerDomain::of("known.test")};
    streams->set_limits(limits);
    const CertificateFiles own =
        certificates.issue("own", {.alternative = "URI:sip:peer.test,DNS:Known.test"});
    const auto client = connect_tls(listen(Transport::Tls), own);
    ASSERT_TRUE(client->agree());
    client->send(kOptions);
    ASSERT_TRUE(is_received(1));
    EXPECT_EQ(flow.domain, PeerDomain::of("known.test"));
}

TEST_F(StreamSet_Tls, WhatIsNoTlsIsToldSoAndClosed) {
    const FileDescriptor client = connect_client(listen(Transport::Tls));
    write_all(client, kOptions);
    EXPECT_TRUE(is_ended(client));
    EXPECT_EQ(counters.value(Counter::tls_handshakes_failed_total), 1u);
    EXPECT_THAT(received, ::testing::IsEmpty());
    EXPECT_THAT(streams->closed(), ::testing::IsEmpty()) << "it was never a flow";
}

TEST_F(StreamSet_Tls, ABrokenRecordEndsTheConnection) {
    const auto client = connect_tls(listen(Transport::Tls));
    ASSERT_TRUE(client->agree());
    client->send(kOptions);
    ASSERT_TRUE(is_received(1));
    std::string record;
    client->engine->send(kOptions, record);
    record.back() ^= 1;
    write_all(client->socket, record);
    EXPECT_TRUE(is_ended(client->socket));
    EXPECT_EQ(counters.value(Counter::tls_errors_closed_total), 1u);
    EXPECT_EQ(received.size(), 1u);
    EXPECT_EQ(streams->closed().size(), 1u);
}

TEST_F(StreamSet_Tls, NewCertificatesServeNewHandshakesAndDropNobody) {
    const Endpoint server = listen(Transport::Tls);
    const auto before = connect_tls(server);
    ASSERT_TRUE(before->agree());
    streams->secure(static_cast<uint16_t>(Transport::Tls), security("new", "new.test"));
    const auto after = connect_tls(server, {}, "new.test");
    EXPECT_TRUE(after->agree());
    before->send(kOptions);
    EXPECT_TRUE(is_received(1));
}

TEST_F(StreamSet_Tls, AClosedConnectionSaysGoodbye) {
    const auto client = connect_tls(listen(Transport::Tls));
    ASSERT_TRUE(client->agree());
    client->send(kOptions);
    ASSERT_TRUE(is_received(1));
    streams->send(now, flow, "last", {0, 3});
    streams->close(flow, FlowError::Shutdown);
    EXPECT_EQ(client->read(4), "last");
    while (client->engine->state() == TlsEngine::State::Established && client->take()) {
    }
    EXPECT_EQ(client->engine->state(), TlsEngine::State::PeerClosed);
}

TEST_F(StreamSet_Tls, AFullShardStopsReadingAndLosesNothing) {
    const auto client = connect_tls(listen(Transport::Tls));
    ASSERT_TRUE(client->agree());
    room = 1;
    client->send(kOptions + kOptions + kOptions);
    ASSERT_TRUE(run([this] { return streams->has_held(); }));
    room = SIZE_MAX;
    streams->resume({now, {}});
    EXPECT_TRUE(is_received(3));
}

TEST_F(StreamSet_Rfc5922_7_3, OpensToTheDomainThatShowsItsCertificate) {
    listen(Transport::Tls);
    const FileDescriptor peer = open_or_fail(Transport::Tcp, kLoopback);
    streams->learn_domain("peer.test");
    const Flow to = flow_to(local_endpoint(peer.get()), "peer.test");
    streams->send(now, to, "hello ", {5, 3});
    streams->send(now, to, "again", {6, 3});
    const auto accepted = accept_tls(peer, "peer.test");
    ASSERT_TRUE(accepted->agree());
    EXPECT_EQ(accepted->read(11), "hello again");
    accepted->send(kOptions);
    ASSERT_TRUE(is_received(1));
    EXPECT_EQ(flow.domain, PeerDomain::of("peer.test"));
    EXPECT_THAT(failed(), ::testing::IsEmpty());
    EXPECT_TRUE(streams->is_flushed());
}

TEST_F(StreamSet_Rfc5922_7_3, ACertificateForAnotherDomainFailsTheMessage) {
    listen(Transport::Tls);
    const FileDescriptor peer = open_or_fail(Transport::Tcp, kLoopback);
    streams->learn_domain("peer.test");
    streams->send(now, flow_to(local_endpoint(peer.get()), "peer.test"), "secret", {5, 3});
    const auto accepted = accept_tls(peer, "evil.test");
    accepted->agree();
    ASSERT_TRUE(run([this] { return !streams->failed_owners().empty(); }));
    EXPECT_THAT(failed(), ::testing::ElementsAre(5u));
    EXPECT_EQ(accepted->read(6), "");
    EXPECT_EQ(counters.value(Counter::tls_server_certificates_refused_total), 1u);
    ASSERT_EQ(streams->notices().size(), 1u);
    EXPECT_EQ(streams->notices()[0].domain, "peer.test");
    EXPECT_THAT(streams->notices()[0].reason, ::testing::HasSubstr("peer.test"));
}

TEST_F(StreamSet_Rfc5922_7_3, ADomainThatNobodyLearntIsNotConnectedTo) {
    listen(Transport::Tls);
    const FileDescriptor peer = open_or_fail(Transport::Tcp, kLoopback);
    streams->send(now, flow_to(local_endpoint(peer.get()), "peer.test"), "x", {5, 3});
    EXPECT_THAT(failed(), ::testing::ElementsAre(5u));
    EXPECT_EQ(streams->size(), 0u);
}

TEST_F(StreamSet_Rfc5923_8_2, AConnectionServesItsOwnDomainOnly) {
    listen(Transport::Tls);
    const FileDescriptor peer = open_or_fail(Transport::Tcp, kLoopback);
    const Endpoint remote = local_endpoint(peer.get());
    for (const char* domain : {"one.test", "two.test"}) streams->learn_domain(domain);
    streams->send(now, flow_to(remote, "one.test"), "for one", {5, 3});
    const auto one = accept_tls(peer, "one.test");
    ASSERT_TRUE(one->agree());
    EXPECT_EQ(one->read(7), "for one");
    streams->send(now, flow_to(remote, "two.test"), "for two", {6, 3});
    const auto two = accept_tls(peer, "two.test");
    ASSERT_TRUE(two->agree());
    EXPECT_EQ(two->read(7), "for two");
    EXPECT_EQ(streams->size(), 2u);
}

}  // namespace
}  // namespace signalbox::io
