// Covers RFC 3261 §18.2.2 (the connection of the request, another to the same peer, a new one),
// §18.3 (framing), §18.4 (errors are told), RFC 5626 §3.5.1 (CRLF). Not covered: running out of
// descriptors (the system decides when).
#include "io/stream_set.h"

#include <gmock/gmock.h>

#include <deque>
#include <optional>

#include "tests/io/loopback.h"

namespace signalbox::io {
namespace {

using transport::Flow;
using transport::FlowError;
using transport::Transport;

std::string message(std::string_view name, std::string_view body = "") {
    return "OPTIONS sip:" + std::string(name) +
           "@example.test SIP/2.0\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" +
           std::string(body);
}

class StreamSet_Behaviour : public ::testing::Test, public StreamSink {
 protected:
    struct Received {
        Flow flow;
        std::string bytes;
    };

    StreamSet_Behaviour() { limits.connect_timeout = std::chrono::seconds(5); }

    /// The server, or a later run of it: nothing of an earlier one is waited for.
    void start() {
        streams.reset();
        context.emplace(1);
        streams = std::make_unique<StreamSet>(*context, uint8_t{3}, limits, counters, *this);
        FileDescriptor socket = open_or_fail(Transport::Tcp, kLoopback);
        server = local_endpoint(socket.get());
        streams->add_listener(2, server, std::move(socket));
    }
    Now begin_turn() override { return {now, {}}; }
    bool on_stream_message(const transport::Packet& packet) override {
        if (room == 0) return false;
        --room;
        received.push_back({packet.flow, std::string(packet.bytes)});
        return true;
    }
    void end_turn() override { streams->flush(); }
    Instant time() const override { return now; }

    template <class Condition>
    bool run(Condition&& holds) {
        return run_until(*context, holds);
    }
    /// Reads from a client until `size` octets came or the stream ended.
    std::string read(const FileDescriptor& client, size_t size) {
        std::string out;
        while (out.size() < size) {
            char buffer[4096];
            pollfd entry{client.get(), POLLIN, 0};
            if (!run([&entry] { return ::poll(&entry, 1, 0) == 1; })) break;
            const ssize_t count = ::recv(client.get(), buffer, sizeof(buffer), 0);
            if (count <= 0) break;
            out.append(buffer, static_cast<size_t>(count));
        }
        return out;
    }
    bool is_ended(const FileDescriptor& client) { return read(client, 1).empty(); }
    std::vector<uint64_t> failed() {
        std::vector<uint64_t> ids;
        for (const StreamOwner& owner : streams->failed_owners()) {
            EXPECT_EQ(owner.shard, 3);
            ids.push_back(owner.id);
        }
        return ids;
    }
    void pass(Duration time) {
        now += time;
        streams->on_time(now);
    }

    std::optional<asio::io_context> context;
    StreamLimits limits;
    Counters counters;
    Instant now{std::chrono::hours(1)};
    Endpoint server;
    size_t room = SIZE_MAX;
    std::deque<Received> received;
    std::unique_ptr<StreamSet> streams;
};

TEST_F(StreamSet_Behaviour, FramesPipelinedMessagesAndNamesTheirFlow) {
    start();
    const FileDescriptor client = connect_client(server);
    write_all(client, message("a") + message("b", "body"));
    ASSERT_TRUE(run([this] { return received.size() == 2; }));
    EXPECT_EQ(received[0].bytes, message("a"));
    EXPECT_EQ(received[1].bytes, message("b", "body"));
    const Flow& flow = received[0].flow;
    EXPECT_EQ(flow.transport, Transport::Tcp);
    EXPECT_EQ(flow.shard, 3);
    EXPECT_EQ(flow.listener, 2);
    EXPECT_EQ(flow.local, server);
    EXPECT_EQ(flow.remote, local_endpoint(client.get()));
    EXPECT_EQ(counters.value(Counter::stream_accepted_total), 1u);
}

TEST_F(StreamSet_Behaviour, PutsTogetherAMessageThatArrivesInPieces) {
    start();
    const FileDescriptor client = connect_client(server);
    const std::string whole = message("a", std::string(40000, 'x')) + message("b");
    for (size_t at = 0; at < whole.size(); at += 1000) {
        write_all(client, std::string_view(whole).substr(at, 1000));
        context->restart();
        context->poll();
    }
    ASSERT_TRUE(run([this] { return received.size() == 2; }));
    EXPECT_EQ(received[0].bytes + received[1].bytes, whole);
}

TEST_F(StreamSet_Behaviour, AnswersAPingWithAPong) {
    start();
    const FileDescriptor client = connect_client(server);
    write_all(client, "\r\n\r\n");
    EXPECT_EQ(read(client, 2), "\r\n");
    EXPECT_EQ(counters.value(Counter::rx_keepalives_total), 1u);
}

TEST_F(StreamSet_Behaviour, SendsBackOverTheConnectionOfTheRequest) {
    start();
    const FileDescriptor client = connect_client(server);
    write_all(client, message("a"));
    ASSERT_TRUE(run([this] { return received.size() == 1; }));
    streams->send(now, received[0].flow, "answer", {1, 3});
    streams->send(now, received[0].flow, "second", {2, 3});
    streams->flush();
    EXPECT_EQ(read(client, 12), "answersecond");
    EXPECT_TRUE(streams->is_flushed());
    EXPECT_TRUE(streams->failed_owners().empty());
}

TEST_F(StreamSet_Behaviour, FindsAConnectionByItsRemoteWhenNoneIsNamedOrTheNamedOneIsGone) {
    start();
    const FileDescriptor client = connect_client(server);
    write_all(client, message("a"));
    ASSERT_TRUE(run([this] { return received.size() == 1; }));
    Flow flow = received[0].flow;
    flow.connection = Flow::kNoConnection;
    streams->send(now, flow, "one", {0, 3});
    flow.connection = received[0].flow.connection;
    flow.generation = received[0].flow.generation + 1;
    streams->send(now, flow, "two", {0, 3});
    streams->flush();
    EXPECT_EQ(read(client, 6), "onetwo");
    EXPECT_EQ(streams->size(), 1u);
}

TEST_F(StreamSet_Behaviour, OpensAConnectionWhenThereIsNoneAndUsesItAgain) {
    start();
    FileDescriptor peer = open_or_fail(Transport::Tcp, kLoopback);
    Flow flow{Transport::Tcp, 3, 2, Flow::kNoConnection, 0, {}, local_endpoint(peer.get())};
    streams->send(now, flow, "hello ", {5, 3});
    streams->send(now, flow, "again", {6, 3});
    streams->flush();
    ASSERT_TRUE(run([this] { return counters.value(Counter::stream_opened_total) == 1; }));
    ASSERT_TRUE(wait_readable(peer.get()));
    FileDescriptor accepted(::accept4(peer.get(), nullptr, nullptr, SOCK_CLOEXEC));
    EXPECT_EQ(read(accepted, 11), "hello again");

    write_all(accepted, message("back"));
    ASSERT_TRUE(run([this] { return received.size() == 1; }));
    EXPECT_EQ(received[0].flow.local, remote_endpoint(accepted.get()));
    EXPECT_EQ(received[0].flow.local.address, server.address);
    EXPECT_EQ(streams->size(), 1u);
    EXPECT_TRUE(streams->failed_owners().empty());
}

using StreamSet_Rfc3261_18_2_2 = StreamSet_Behaviour;

TEST_F(StreamSet_Rfc3261_18_2_2, AResponseWhoseConnectionIsGoneGoesByANewOneToThePortOfSentBy) {
    start();
    FileDescriptor client = connect_client(server);
    write_all(client, message("a"));
    ASSERT_TRUE(run([this] { return received.size() == 1; }));
    client.reset();
    ASSERT_TRUE(run([this] { return streams->size() == 0; }));
    const FileDescriptor sent_by = open_or_fail(Transport::Tcp, kLoopback);
    Flow back = received[0].flow;  // it still names the connection that was
    back.remote.port = local_endpoint(sent_by.get()).port;
    streams->send(now, back, "answer", {5, 3});
    streams->flush();
    ASSERT_TRUE(run([this] { return counters.value(Counter::stream_opened_total) == 1; }));
    ASSERT_TRUE(wait_readable(sent_by.get()));
    const FileDescriptor accepted(::accept4(sent_by.get(), nullptr, nullptr, SOCK_CLOEXEC));
    EXPECT_EQ(read(accepted, 6), "answer");
}

TEST_F(StreamSet_Behaviour, TellsTheOwnersWhenAConnectionCannotBeOpened) {
    start();
    FileDescriptor unused = open_or_fail(Transport::Tcp, kLoopback);
    const Endpoint nobody = local_endpoint(unused.get());
    unused.reset();
    Flow flow{Transport::Tcp, 3, 2, Flow::kNoConnection, 0, {}, nobody};
    streams->send(now, flow, "x", {5, 3});
    streams->send(now, flow, "y", {6, 3});
    streams->send(now, flow, "z", {0, 3});
    streams->flush();
    ASSERT_TRUE(run([this] { return !streams->failed_owners().empty(); }));
    EXPECT_THAT(failed(), ::testing::ElementsAre(5u, 6u));
    EXPECT_TRUE(streams->closed().empty()) << "it was never a flow";
    EXPECT_EQ(streams->size(), 0u);
}

TEST_F(StreamSet_Behaviour, GivesUpAConnectWhenItsTimeIsUp) {
    start();
    // A listener whose backlog is full answers no SYN: the connect hangs.
    FileDescriptor deaf(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    SocketAddress address{};
    const socklen_t size = to_socket_address(kLoopback, address);
    ASSERT_EQ(::bind(deaf.get(), &address.any, size), 0);
    ASSERT_EQ(::listen(deaf.get(), 0), 0);
    const Endpoint remote = local_endpoint(deaf.get());
    const FileDescriptor filler = connect_client(remote);

    Flow flow{Transport::Tcp, 3, 2, Flow::kNoConnection, 0, {}, remote};
    streams->send(now, flow, "x", {9, 3});
    streams->flush();
    EXPECT_LE(streams->next_deadline(), now + limits.connect_timeout);
    pass(limits.connect_timeout - std::chrono::milliseconds(1));
    EXPECT_TRUE(streams->failed_owners().empty());
    pass(std::chrono::milliseconds(1));
    EXPECT_THAT(failed(), ::testing::ElementsAre(9u));
}

TEST_F(StreamSet_Behaviour, RefusesAnOpenWithoutPortOrFamilyAtOnce) {
    start();
    streams->send(now, {Transport::Tcp, 3, 2, Flow::kNoConnection, 0, {}, {}}, "x", {4, 3});
    streams->send(now, {Transport::Tcp, 3, 2, Flow::kNoConnection, 0, {}, kLoopback}, "x", {5, 3});
    EXPECT_THAT(failed(), ::testing::ElementsAre(4u, 5u));
    EXPECT_EQ(counters.value(Counter::tx_failed_total), 2u);
}

TEST_F(StreamSet_Behaviour, ReportsAStreamThatThePeerClosed) {
    start();
    FileDescriptor client = connect_client(server);
    write_all(client, message("a"));
    ASSERT_TRUE(run([this] { return received.size() == 1; }));
    client.reset();
    ASSERT_TRUE(run([this] { return !streams->closed().empty(); }));
    EXPECT_EQ(streams->closed()[0].flow, received[0].flow);
    EXPECT_EQ(streams->closed()[0].why, FlowError::ClosedByPeer);
    EXPECT_EQ(streams->size(), 0u);
    EXPECT_EQ(counters.value(Counter::stream_closed_total), 1u);
}

TEST_F(StreamSet_Behaviour, ClosesAPeerThatReadsTooSlowlyAndTellsTheOwners) {
    limits.output_bytes_max = 1000;
    start();
    const FileDescriptor client = connect_client(server);
    write_all(client, message("a"));
    ASSERT_TRUE(run([this] { return received.size() == 1; }));
    streams->send(now, received[0].flow, std::string(1000, 'x'), {1, 3});
    EXPECT_TRUE(streams->failed_owners().empty());
    streams->send(now, received[0].flow, "y", {2, 3});
    EXPECT_THAT(failed(), ::testing::ElementsAre(2u, 1u));
    ASSERT_EQ(streams->closed().size(), 1u);
    EXPECT_EQ(streams->closed()[0].why, FlowError::Overflow);
    EXPECT_EQ(counters.value(Counter::stream_output_full_closed_total), 1u);
}

TEST_F(StreamSet_Behaviour, GoesOnWritingWhenASlowPeerReadsAgain) {
    limits.output_bytes_max = 64 * 1024 * 1024;
    start();
    const FileDescriptor client = connect_client(server);
    write_all(client, message("a"));
    ASSERT_TRUE(run([this] { return received.size() == 1; }));
    std::string sent;
    for (int i = 0; i < 200; ++i) {
        const std::string part(60000, static_cast<char>('a' + i % 26));
        sent += part;
        streams->send(now, received[0].flow, part, {static_cast<uint64_t>(i + 1), 3});
    }
    streams->flush();
    EXPECT_FALSE(streams->is_flushed());
    EXPECT_EQ(read(client, sent.size()), sent);
    EXPECT_TRUE(streams->is_flushed());
    EXPECT_TRUE(streams->failed_owners().empty());
}

TEST_F(StreamSet_Behaviour, ClosesIdleStreams) {
    limits.first_message_timeout = limits.idle_timeout * 2;
    start();
    const FileDescriptor client = connect_client(server);
    ASSERT_TRUE(run([this] { return streams->size() == 1; }));
    pass(limits.idle_timeout - std::chrono::seconds(1));
    EXPECT_EQ(streams->size(), 1u);
    pass(std::chrono::seconds(1));
    EXPECT_EQ(streams->size(), 0u);
    ASSERT_EQ(streams->closed().size(), 1u);
    EXPECT_EQ(streams->closed()[0].why, FlowError::IdleTimeout);
    EXPECT_EQ(counters.value(Counter::stream_idle_closed_total), 1u);
    EXPECT_EQ(streams->next_deadline(), kNever);
}

TEST_F(StreamSet_Behaviour, ClosesAStreamWhoseMessageNeverBecomesWhole) {
    start();
    const FileDescriptor client = connect_client(server);
    write_all(client, "OPTIONS sip:a@example.test SIP/2.0\r\nX:");
    ASSERT_TRUE(run([this] { return streams->size() == 1; }));
    context->restart();
    ASSERT_TRUE(run([this] { return streams->next_deadline() != kNever; }));
    context->restart();
    context->run_for(std::chrono::milliseconds(20));
    pass(limits.message_timeout - std::chrono::seconds(1));
    write_all(client, "y");
    context->restart();
    context->run_for(std::chrono::milliseconds(20));
    EXPECT_EQ(streams->size(), 1u);
    pass(std::chrono::seconds(1));
    EXPECT_EQ(streams->size(), 0u);
}

TEST_F(StreamSet_Behaviour, RefusesConnectionsOverTheLimit) {
    limits.connections_max = 1;
    start();
    const FileDescriptor first = connect_client(server);
    ASSERT_TRUE(run([this] { return streams->size() == 1; }));
    const FileDescriptor second = connect_client(server);
    EXPECT_TRUE(is_ended(second));
    EXPECT_EQ(counters.value(Counter::stream_refused_limit_total), 1u);
    streams->send(
        now, {Transport::Tcp, 3, 2, Flow::kNoConnection, 0, {}, *Endpoint::parse("127.0.0.1:9")},
        "x", {8, 3});
    EXPECT_THAT(failed(), ::testing::ElementsAre(8u));
    EXPECT_EQ(streams->size(), 1u);
}

TEST_F(StreamSet_Behaviour, HandsOverTheHeadersOfALostFramingSendsTheAnswerAndCloses) {
    start();
    const FileDescriptor client = connect_client(server);
    const std::string broken = "OPTIONS sip:a@example.test SIP/2.0\r\nContent-Length: many\r\n\r\n";
    write_all(client, broken + "and what follows");
    ASSERT_TRUE(run([this] { return received.size() == 1; }));
    EXPECT_EQ(received[0].bytes, broken);
    EXPECT_EQ(counters.value(Counter::stream_framing_errors_total), 1u);
    streams->send(now, received[0].flow, "400", {0, 3});
    streams->flush();
    EXPECT_EQ(read(client, 100), "400");
    write_all(client, message("ignored"));
    pass(limits.drain_timeout);
    EXPECT_EQ(streams->size(), 0u);
    EXPECT_EQ(received.size(), 1u);
    ASSERT_EQ(streams->closed().size(), 1u);
    EXPECT_EQ(streams->closed()[0].why, FlowError::Framing);
}

TEST_F(StreamSet_Behaviour, ClosesAStreamWhoseHeadersNeverEnd) {
    start();
    const FileDescriptor client = connect_client(server);
    write_all(client, "OPTIONS sip:a@example.test SIP/2.0\r\nX: " + std::string(70000, 'x'));
    EXPECT_TRUE(is_ended(client));
    EXPECT_TRUE(received.empty());
    EXPECT_EQ(counters.value(Counter::stream_framing_errors_total), 1u);
}

TEST_F(StreamSet_Behaviour, KeepsAMessageThatHasNoRoomAndReadsNoFurther) {
    start();
    room = 1;
    const FileDescriptor client = connect_client(server);
    write_all(client, message("a") + message("b") + message("c"));
    ASSERT_TRUE(run([this] { return streams->has_held(); }));
    EXPECT_EQ(received.size(), 1u);
    streams->resume({now, {}});
    EXPECT_TRUE(streams->has_held());
    EXPECT_EQ(received.size(), 1u);

    room = 5;
    streams->resume({now, {}});
    EXPECT_FALSE(streams->has_held());
    ASSERT_EQ(received.size(), 3u);
    EXPECT_EQ(received[2].bytes, message("c"));
    write_all(client, message("d"));
    EXPECT_TRUE(run([this] { return received.size() == 4; }));
}

TEST_F(StreamSet_Behaviour, AConnectionOfAnEarlierRunIsNobodysInThisOne) {
    start();
    const FileDescriptor before = connect_client(server);
    write_all(before, message("a"));
    ASSERT_TRUE(run([this] { return received.size() == 1; }));
    start();
    // Another phone behind the same router has its number.
    const FileDescriptor after = connect_client(server);
    write_all(after, message("b"));
    ASSERT_TRUE(run([this] { return received.size() == 2; }));
    ASSERT_EQ(received[0].flow.connection, received[1].flow.connection);
    streams->send(now, transport::only_by_connection(received[0].flow), message("x"), {7, 3});
    EXPECT_THAT(streams->failed_owners(), ::testing::SizeIs(1));
}

TEST_F(StreamSet_Behaviour, CloseEndsTheNamedConnectionOnly) {
    start();
    const FileDescriptor client = connect_client(server);
    write_all(client, message("a"));
    ASSERT_TRUE(run([this] { return received.size() == 1; }));
    Flow stale = received[0].flow;
    ++stale.generation;
    streams->close(stale, FlowError::Shutdown);
    EXPECT_EQ(streams->size(), 1u);
    streams->send(now, received[0].flow, "last words", {0, 3});
    streams->close(received[0].flow, FlowError::Shutdown);
    EXPECT_EQ(streams->size(), 0u);
    EXPECT_EQ(read(client, 100), "last words");
}

}  // namespace
}  // namespace signalbox::io
