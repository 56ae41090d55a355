// What bounds the streams of a shard against peers that are slow, silent or many.
// Covers the limits of handshakes, messages, silence and sources. Not covered: the limits of a
// plain stream's buffers (stream_set_test.cpp).
#include "tests/io/layers_fixture.h"

namespace signalbox::io {
namespace {

using StreamSet_Limits = Layers;

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
    // The connection stands in line, then it is its turn.
    for (int i = 0; i < 2; ++i) {
        context.restart();
        ASSERT_EQ(context.run_one_for(kPatience), 1u);
    }
    pass(limits.message_timeout - std::chrono::seconds(1));
    EXPECT_EQ(streams->size(), 1u);
    pass(std::chrono::seconds(2));
    EXPECT_EQ(streams->size(), 0u);
}

/// A frame that is not the last of its message.
std::string unfinished(uint8_t opcode, std::string payload) {
    std::string frame = masked(opcode, std::move(payload));
    frame[0] = static_cast<char>(frame[0] & 0x7f);
    return frame;
}

TEST_F(StreamSet_Limits, AMessageThatNeverEndsHasOneTimeForAllItsFrames) {
    for (const Transport transport : {Transport::Ws, Transport::Wss}) {
        received.clear();
        const bool is_secure = transport == Transport::Wss;
        const Endpoint server = listen(transport);
        const FileDescriptor plain = is_secure ? FileDescriptor() : connect_client(server);
        const auto secured = is_secure ? connect_tls(server) : nullptr;
        ASSERT_TRUE(!is_secure || secured->agree());
        const std::string pong = "\x8a\x01p";
        std::string seen;
        // The pong says that all of it was taken.
        const auto is_taken = [&](const std::string& text) {
            if (is_secure) secured->send(text + masked(9, "p"));
            if (!is_secure) write_all(plain, text + masked(9, "p"));
            for (seen.clear(); !seen.ends_with(pong);) {
                const std::string more = is_secure ? secured->read(1) : read_some(plain.get());
                if (more.empty()) return false;
                seen += more;
            }
            return true;
        };
        ASSERT_TRUE(is_taken(kUpgrade + masked(1, kOptions)));
        ASSERT_TRUE(is_taken(unfinished(1, "O")));
        for (int second = 0; second < 29; ++second) {
            pass(std::chrono::seconds(1));
            ASSERT_TRUE(is_taken(unfinished(0, "P"))) << second;
        }
        EXPECT_EQ(streams->size(), 1u);
        pass(std::chrono::seconds(2));
        EXPECT_EQ(streams->size(), 0u);
    }
}

TEST_F(StreamSet_Limits, EachWholeMessageBeginsTheTimeAnew) {
    const FileDescriptor client = connect_client(listen(Transport::Ws));
    const std::string whole = masked(1, kOptions);
    write_all(client, kUpgrade + whole + whole.substr(0, 9));
    ASSERT_TRUE(is_received(1));
    for (size_t count = 2; count < 5; ++count) {
        pass(limits.message_timeout - std::chrono::seconds(1));
        write_all(client, whole.substr(9) + whole.substr(0, 9));
        ASSERT_TRUE(is_received(count));
        EXPECT_EQ(streams->size(), 1u);
    }
    pass(limits.message_timeout + std::chrono::seconds(1));
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
