// TLS and WebSocket connections of a shard over loopback sockets.
// Covers RFC 3261 §26.3.1, RFC 5922 §7.3 (servers are verified), RFC 5923 §8.2 (reuse for the same
// domain only), RFC 6455 §4, §7, RFC 7118 §4, §5, limits of handshakes, silence and sources. Not
// covered: what the codec and the engine say (their own tests).
#include <gmock/gmock.h>

#include <deque>

#include "io/stream_set.h"
#include "tests/io/loopback.h"
#include "tests/io/test_certificates.h"

namespace signalbox::io {
namespace {

using transport::Flow;
using transport::FlowError;
using transport::PeerDomain;
using transport::Transport;

const std::string kOptions =
    "OPTIONS sip:a@example.test SIP/2.0\r\nVia: SIP/2.0/TLS a;branch=z9hG4bK1\r\nMax-Forwards: "
    "70\r\n"
    "From: <sip:b@example.test>;tag=1\r\nTo: <sip:a@example.test>\r\nCall-ID: 1\r\n"
    "CSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n";
const std::string kUpgrade =
    "GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nOrigin: https://a.test\r\n"
    "Sec-WebSocket-Protocol: sip\r\nSec-WebSocket-Version: 13\r\n\r\n";

/// A masked frame of at most 65535 octets.
std::string masked(uint8_t opcode, std::string payload) {
    std::string out{static_cast<char>(0x80 | opcode), static_cast<char>(0xfe),
                    static_cast<char>(payload.size() >> 8),
                    static_cast<char>(payload.size() & 0xff)};
    if (payload.size() <= 125) {
        out = {static_cast<char>(0x80 | opcode), static_cast<char>(0x80 | payload.size())};
    }
    const std::string mask = "abcd";
    for (size_t i = 0; i < payload.size(); ++i)
        payload[i] = static_cast<char>(payload[i] ^ mask[i % 4]);
    return out + mask + payload;
}

class LayersTest : public ::testing::Test, public StreamSink {
 protected:
    LayersTest() {
        streams = std::make_unique<StreamSet>(context, uint8_t{3}, limits, counters, *this);
    }

    /// A listener of the transport; its number is the transport's.
    Endpoint listen(Transport transport, std::vector<std::string> origins = {}) {
        FileDescriptor socket = open_or_fail(transport, kLoopback);
        const Endpoint bound = local_endpoint(socket.get());
        streams->add_listener(static_cast<uint16_t>(transport), bound, std::move(socket), transport,
                              security("server", "example.test", std::move(origins)));
        return bound;
    }
    StreamSecurity security(const std::string& file, const std::string& domain,
                            std::vector<std::string> origins = {}) {
        const CertificateFiles files = certificates.issue(file, {.alternative = "DNS:" + domain});
        return {*TlsServer::make({{files}, ClientCertificate::Ask}, trust, clock()),
                *TlsClient::make({true, files}, trust, clock()), std::move(origins)};
    }
    static WallTime clock() { return read_clocks().wall; }
    Now begin_turn() override { return {now, {}}; }
    bool on_stream_message(const transport::Packet& packet) override {
        if (room == 0) return false;
        --room;
        flow = packet.flow;
        received.emplace_back(packet.bytes);
        return true;
    }
    void end_turn() override { streams->flush(); }
    template <class Condition>
    bool run(Condition&& holds) {
        return run_until(context, holds);
    }
    bool is_received(size_t count) {
        return run([this, count] { return received.size() == count; });
    }
    bool is_counted(Counter counter, uint64_t value = 1) {
        return run([&] { return counters.value(counter) == value; });
    }
    void pass(Duration time) {
        now += time;
        streams->on_time(now);
    }
    /// What has come from `socket` and not been read; empty at its end.
    std::string read_some(int fd) {
        pollfd entry{fd, POLLIN, 0};
        if (!run([&entry] { return ::poll(&entry, 1, 0) == 1; })) return {};
        std::string buffer(65536, '\0');
        const ssize_t count = ::recv(fd, buffer.data(), buffer.size(), 0);
        buffer.resize(static_cast<size_t>(std::max<ssize_t>(count, 0)));
        return buffer;
    }
    bool is_ended(const FileDescriptor& client) {
        for (int i = 0; i < 100; ++i) {
            if (read_some(client.get()).empty()) return true;
        }
        return false;
    }
    std::string read(const FileDescriptor& client, size_t size) {
        std::string out;
        while (out.size() < size) {
            const std::string more = read_some(client.get());
            if (more.empty()) break;
            out += more;
        }
        return out;
    }

    TestCertificates certificates;
    TrustStore trust = std::move(*TrustStore::load(certificates.authority_file()));
    asio::io_context context{1};
    StreamLimits limits;
    Counters counters;
    Instant now{std::chrono::hours(1)};
    size_t room = SIZE_MAX;
    Flow flow;
    std::deque<std::string> received;
    std::unique_ptr<StreamSet> streams;
};

/// The far end of a TLS connection, a blocking socket under an engine.
template <class Test>
struct TlsEnd {
    TlsEnd(Test& owner, FileDescriptor connected, std::unique_ptr<TlsEngine> made)
        : test(owner), socket(std::move(connected)), engine(std::move(made)) {}

    /// Until the handshake is over; true when it succeeded.
    bool agree() {
        std::string out;
        engine->begin(out);
        write_all(socket, out);
        while (engine->state() == TlsEngine::State::Handshaking && take()) {
        }
        return engine->state() == TlsEngine::State::Established;
    }
    bool take() {
        const std::string wire = test.read_some(socket.get());
        if (wire.empty()) return false;
        std::string out;
        engine->receive(wire, plain, out);
        write_all(socket, out);
        return true;
    }
    void send(std::string_view text) {
        std::string out;
        ASSERT_TRUE(engine->send(text, out));
        write_all(socket, out);
    }
    std::string read(size_t size) {
        while (plain.size() < size && take()) {
        }
        return std::exchange(plain, {});
    }

    Test& test;
    FileDescriptor socket;
    std::unique_ptr<TlsEngine> engine;
    std::string plain;
};

class Layers : public LayersTest {
 public:
    using LayersTest::read_some;
    using End = TlsEnd<Layers>;

 protected:
    std::unique_ptr<End> connect_tls(const Endpoint& server, const CertificateFiles& own = {},
                                     std::string_view domain = "example.test") {
        auto client = *TlsClient::make({true, own}, trust, clock());
        return std::make_unique<End>(
            *this, connect_client(server),
            std::make_unique<TlsEngine>(client, domain, kLoopback.address));
    }
    /// A peer that listens: what we open arrives there.
    std::unique_ptr<End> accept_tls(const FileDescriptor& peer, const std::string& domain) {
        EXPECT_TRUE(run([&peer] {
            pollfd entry{peer.get(), POLLIN, 0};
            return ::poll(&entry, 1, 0) == 1;
        }));
        FileDescriptor accepted(::accept4(peer.get(), nullptr, nullptr, SOCK_CLOEXEC));
        return std::make_unique<End>(*this, std::move(accepted),
                                     std::make_unique<TlsEngine>(security("peer", domain).server));
    }
    Flow flow_to(const Endpoint& remote, std::string_view domain) {
        Flow made{
            Transport::Tls, 3, static_cast<uint16_t>(Transport::Tls), Flow::kNoConnection, 0, {},
            remote};
        if (!domain.empty()) made.domain = PeerDomain::of(domain);
        return made;
    }
    std::vector<uint64_t> failed() {
        std::vector<uint64_t> ids;
        for (const StreamOwner& owner : streams->failed_owners()) ids.push_back(owner.id);
        return ids;
    }
};

using StreamSet_Tls = Layers;
using StreamSet_Rfc5922_7_3 = Layers;
using StreamSet_Rfc5923_8_2 = Layers;
using StreamSet_Rfc7118_5 = Layers;
using StreamSet_Rfc6455_4 = Layers;
using StreamSet_Limits = Layers;

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

TEST_F(StreamSet_Rfc7118_5, AMessageIsAFrameInBothDirections) {
    const FileDescriptor client = connect_client(listen(Transport::Ws));
    const std::string without_length = kOptions.substr(0, kOptions.find("Content-")) + "\r\n";
    write_all(client, kUpgrade + masked(1, without_length) + masked(2, kOptions));
    ASSERT_TRUE(is_received(2));
    EXPECT_EQ(received[0], without_length);
    EXPECT_EQ(received[1], kOptions);
    EXPECT_EQ(flow.transport, Transport::Ws);
    streams->send(now, flow, "text", {1, 3});
    streams->send(now, flow, "\xff", {2, 3});
    streams->flush();
    const std::string expected = "\x81\x04text\x82\x01\xff";
    std::string seen;
    while (!seen.ends_with(expected)) {
        const std::string more = read_some(client.get());
        ASSERT_NE(more, "");
        seen += more;
    }
    EXPECT_TRUE(seen.starts_with("HTTP/1.1 101 "));
    EXPECT_EQ(counters.value(Counter::websocket_handshakes_total), 1u);
}

TEST_F(StreamSet_Rfc7118_5, PingsOfBothKindsAreAnswered) {
    const FileDescriptor client = connect_client(listen(Transport::Ws));
    write_all(client, kUpgrade + masked(1, "\r\n\r\n") + masked(9, "p"));
    const std::string expected = "\x81\x02\r\n\x8a\x01p";
    std::string seen;
    while (!seen.ends_with(expected)) {
        const std::string more = read_some(client.get());
        ASSERT_NE(more, "") << seen;
        seen += more;
    }
    EXPECT_EQ(counters.value(Counter::rx_keepalives_total), 1u);
    EXPECT_THAT(received, ::testing::IsEmpty());
}

TEST_F(StreamSet_Rfc7118_5, NoConnectionIsEverOpenedToAClient) {
    listen(Transport::Ws);
    const FileDescriptor peer = open_or_fail(Transport::Tcp, kLoopback);
    Flow to = flow_to(local_endpoint(peer.get()), "");
    for (const Transport transport : {Transport::Ws, Transport::Wss}) {
        to.transport = transport;
        to.listener = static_cast<uint16_t>(transport);
        streams->send(now, to, "x", {5, 3});
    }
    EXPECT_THAT(failed(), ::testing::ElementsAre(5u, 5u));
    EXPECT_EQ(streams->size(), 0u);
}

TEST_F(StreamSet_Rfc7118_5, OverTlsItIsWss) {
    const auto client = connect_tls(listen(Transport::Wss));
    ASSERT_TRUE(client->agree());
    client->send(kUpgrade);
    ASSERT_TRUE(client->read(12).starts_with("HTTP/1.1 101"));
    client->send(masked(1, kOptions));
    ASSERT_TRUE(is_received(1));
    EXPECT_EQ(flow.transport, Transport::Wss);
    streams->send(now, flow, "text", {1, 3});
    streams->flush();
    EXPECT_EQ(client->read(6), "\x81\x04text");
}

TEST_F(StreamSet_Rfc7118_5, AFullShardHoldsAFrameAndWhatStandsBehindIt) {
    const FileDescriptor client = connect_client(listen(Transport::Ws));
    room = 1;
    const std::string large = std::string(5000, 'x');
    write_all(client, kUpgrade + masked(1, "aa") + masked(1, large) + masked(1, "cc"));
    ASSERT_TRUE(run([this] { return streams->has_held(); }));
    room = SIZE_MAX;
    streams->resume({now, {}});
    ASSERT_TRUE(is_received(3));
    EXPECT_THAT(received, ::testing::ElementsAre("aa", large, "cc"));
}

TEST_F(StreamSet_Rfc6455_4, WrongRequestsAreAnsweredAndClosed) {
    const Endpoint server = listen(Transport::Ws, {"https://b.test"});
    std::string no_websocket = kUpgrade;
    no_websocket.erase(no_websocket.find("Upgrade: websocket\r\n"), 20);
    const std::pair<std::string, std::string> cases[] = {
        {kUpgrade, "HTTP/1.1 403 "},
        {no_websocket, "HTTP/1.1 426 "},
        {"GET / HTTP/1.1\r\n\r\n", "HTTP/1.1 400 "},
        {"\x16\x03\x01 TLS on the wrong port", "HTTP/1.1 400 "},
        {"GET /" + std::string(9000, 'x'), "HTTP/1.1 400 "},
    };
    for (const auto& [request, answer] : cases) {
        const FileDescriptor client = connect_client(server);
        write_all(client, request);
        EXPECT_EQ(read(client, answer.size()).substr(0, answer.size()), answer);
        EXPECT_TRUE(is_ended(client));
    }
    EXPECT_EQ(counters.value(Counter::websocket_handshakes_refused_total), 5u);
}

TEST_F(StreamSet_Rfc6455_4, ABrokenFrameIsAnsweredWithItsReason) {
    const FileDescriptor client = connect_client(listen(Transport::Ws));
    write_all(client, kUpgrade + "\x81\x05Hello");
    std::string seen;
    for (std::string more = read_some(client.get()); !more.empty();
         more = read_some(client.get())) {
        seen += more;
    }
    EXPECT_TRUE(seen.ends_with("\x88\x02\x03\xea")) << "1002";
    EXPECT_EQ(counters.value(Counter::websocket_errors_closed_total), 1u);
}

TEST_F(StreamSet_Rfc6455_4, ACloseIsAnsweredAndEndsTheFlow) {
    const FileDescriptor client = connect_client(listen(Transport::Ws));
    write_all(client, kUpgrade + masked(1, kOptions) + masked(8, "\x03\xe8"));
    ASSERT_TRUE(is_received(1));
    std::string seen;
    for (std::string more = read_some(client.get()); !more.empty();
         more = read_some(client.get())) {
        seen += more;
    }
    EXPECT_TRUE(seen.ends_with("\x88\x02\x03\xe8")) << "1000";
    ::shutdown(client.get(), SHUT_WR);
    EXPECT_TRUE(run([this] { return streams->closed().size() == 1; }));
    EXPECT_EQ(counters.value(Counter::websocket_errors_closed_total), 0u);
}

TEST_F(StreamSet_Limits, AHandshakeThatTakesTooLongIsClosed) {
    limits.handshake_timeout = std::chrono::seconds(5);
    streams->set_limits(limits);
    const FileDescriptor silent = connect_client(listen(Transport::Tls));
    const FileDescriptor slow = connect_client(listen(Transport::Ws));
    write_all(slow, kUpgrade.substr(0, 30));
    ASSERT_TRUE(is_counted(Counter::stream_accepted_total, 2));
    context.restart();
    context.poll();
    pass(std::chrono::milliseconds(4900));
    write_all(slow, kUpgrade.substr(30, 10));
    context.restart();
    context.poll();
    EXPECT_EQ(streams->size(), 2u);
    pass(std::chrono::milliseconds(1100));
    EXPECT_EQ(streams->size(), 0u);
    EXPECT_EQ(counters.value(Counter::stream_handshake_timeouts_total), 2u);
}

TEST_F(StreamSet_Limits, ARecordThatNeverEndsIsClosed) {
    const auto client = connect_tls(listen(Transport::Tls));
    ASSERT_TRUE(client->agree());
    client->send(kOptions);
    ASSERT_TRUE(is_received(1));
    std::string record;
    client->engine->send(kOptions, record);
    write_all(client->socket, record.substr(0, 10));
    context.restart();
    context.run_one_for(std::chrono::seconds(5));
    pass(limits.message_timeout - std::chrono::seconds(1));
    EXPECT_EQ(streams->size(), 1u);
    pass(std::chrono::seconds(2));
    EXPECT_EQ(streams->size(), 0u);
}

TEST_F(StreamSet_Limits, WhoNeverSaysAnythingValidIsClosed) {
    const Endpoint server = listen(Transport::Tcp);
    const FileDescriptor silent = connect_client(server), pinging = connect_client(server),
                         babbling = connect_client(server), speaking = connect_client(server);
    write_all(pinging, "\r\n\r\n");
    write_all(babbling, "FOO sip:a SIP/2.0\r\nContent-Length: 0\r\n\r\n");
    write_all(speaking, kOptions);
    ASSERT_TRUE(is_received(2));
    ASSERT_TRUE(is_counted(Counter::rx_keepalives_total));
    ASSERT_TRUE(is_counted(Counter::stream_accepted_total, 4));
    pass(limits.first_message_timeout - std::chrono::seconds(1));
    EXPECT_EQ(streams->size(), 4u);
    pass(std::chrono::seconds(2));
    EXPECT_EQ(streams->size(), 1u);
    EXPECT_EQ(counters.value(Counter::stream_silent_closed_total), 3u);
}

TEST_F(StreamSet_Limits, ASourceHasSoManyConnectionsAndNoMore) {
    limits.connections_per_source = 2;
    streams->set_limits(limits);
    const Endpoint server = listen(Transport::Tcp);
    FileDescriptor first = connect_client(server);
    const FileDescriptor second = connect_client(server), third = connect_client(server);
    ASSERT_TRUE(is_counted(Counter::stream_refused_source_total));
    EXPECT_TRUE(is_ended(third));
    EXPECT_EQ(streams->size(), 2u);
    first.reset();
    ASSERT_TRUE(run([this] { return streams->size() == 1; }));
    const FileDescriptor fourth = connect_client(server);
    EXPECT_TRUE(is_counted(Counter::stream_accepted_total, 3));
}

TEST_F(StreamSet_Limits, TrustedNetworksAreNeitherCountedNorHurried) {
    limits.connections_per_source = 1;
    limits.exempt = {*Network::parse("127.0.0.0/8")};
    streams->set_limits(limits);
    const Endpoint server = listen(Transport::Tcp);
    const FileDescriptor first = connect_client(server), second = connect_client(server);
    ASSERT_TRUE(is_counted(Counter::stream_accepted_total, 2));
    pass(limits.first_message_timeout * 2);
    EXPECT_EQ(streams->size(), 2u);
}

TEST(SourceConnections_Behaviour, AnIpv6NetworkOf64BitsIsOneSource) {
    SourceConnections sources;
    EXPECT_TRUE(sources.add(*IpAddress::parse("2001:db8::1"), 1));
    EXPECT_FALSE(sources.add(*IpAddress::parse("2001:db8::ffff:1"), 1));
    EXPECT_TRUE(sources.add(*IpAddress::parse("2001:db8:0:1::1"), 1));
    EXPECT_TRUE(sources.add(*IpAddress::parse("192.0.2.1"), 1));
    EXPECT_TRUE(sources.add(*IpAddress::parse("192.0.2.2"), 1));
    sources.remove(*IpAddress::parse("2001:db8::2"));
    EXPECT_TRUE(sources.add(*IpAddress::parse("2001:db8::3"), 1));
}

}  // namespace
}  // namespace signalbox::io
