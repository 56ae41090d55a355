// WebSocket connections of a shard over loopback sockets, in the clear and over TLS.
// Covers RFC 6455 §4, §7, RFC 7118 §4, §5. Not covered: what the codec says (its own test), limits
// (stream_limits_test.cpp).
#include "tests/io/layers_fixture.h"

namespace signalbox::io {
namespace {

using StreamSet_Rfc7118_5 = Layers;
using StreamSet_Rfc7118_6 = Layers;
using StreamSet_Rfc6455_4 = Layers;

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

TEST_F(StreamSet_Rfc7118_6, PingsOfBothKindsAreAnswered) {
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

}  // namespace
}  // namespace signalbox::io
