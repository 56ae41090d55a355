// Crowds of connections: who is read before whom, and how many in one turn.
// Covers that a crowd keeps nobody waiting, in calls and in memory. Not covered: what a crowd costs
// in time; bench/connections measures it.
#include <sys/eventfd.h>

#include <map>

#include "tests/io/layers_fixture.h"

namespace signalbox::io {
namespace {

using std::chrono::milliseconds;

/// What a turn may take (stream_turns.cpp).
constexpr size_t kReadsPerTurn = 64, kNewcomersPerTurn = 32, kHandshakesPerTurn = 4;

class StreamTurns_Behaviour : public Layers {
 protected:
    /// Of the longest turn so far.
    struct Most {
        size_t messages = 0;
        uint64_t handshakes = 0;
    };

    bool on_stream_message(const transport::Packet& packet) override {
        waits.push_back(packet.waited);
        ++messages_of[packet.flow.remote.port];
        return Layers::on_stream_message(packet);
    }
    void end_turn() override {
        Layers::end_turn();
        const uint64_t handshakes = counters.value(Counter::tls_handshakes_total);
        most.messages = std::max(most.messages, received.size() - received_before);
        most.handshakes = std::max(most.handshakes, handshakes - handshakes_before);
        received_before = received.size();
        handshakes_before = handshakes;
    }
    /// Connections that have brought a message each.
    std::vector<FileDescriptor> connect_phones(size_t count) {
        const Endpoint server = listen(Transport::Tcp);
        std::vector<FileDescriptor> phones;
        for (size_t i = 0; i < count; ++i) phones.push_back(connect_client(server));
        say(phones);
        EXPECT_TRUE(is_received(count));
        return phones;
    }
    void say(const std::vector<FileDescriptor>& phones) {
        for (const FileDescriptor& phone : phones) write_all(phone, kOptions);
    }
    /// TLS clients that have said their first words.
    std::vector<std::unique_ptr<End>> greet(size_t count) {
        const Endpoint server = listen(Transport::Tls);
        std::vector<std::unique_ptr<End>> clients;
        for (size_t i = 0; i < count; ++i) {
            clients.push_back(connect_tls(server));
            std::string hello;
            clients.back()->engine->begin(hello);
            write_all(clients.back()->socket, hello);
        }
        return clients;
    }
    /// Their last ones, all at once.
    void finish(const std::vector<std::unique_ptr<End>>& clients) {
        std::vector<std::string> last(clients.size());
        for (size_t i = 0; i < clients.size(); ++i) {
            const std::string wire = read_some(clients[i]->socket.get());
            clients[i]->engine->receive(wire, clients[i]->plain, last[i]);
            EXPECT_EQ(clients[i]->engine->state(), TlsEngine::State::Established);
        }
        for (size_t i = 0; i < clients.size(); ++i) write_all(clients[i]->socket, last[i]);
    }
    /// One handler of the reactor.
    void step() {
        context.restart();
        ASSERT_EQ(context.run_one_for(kPatience), 1u);
    }

    std::vector<Duration> waits;
    std::map<uint16_t, size_t> messages_of;  // by the phone's port
    Most most;
    size_t received_before = 0;
    uint64_t handshakes_before = 0;
};

TEST_F(StreamTurns_Behaviour, WhoIsReadyBehindACrowdDoesNotWaitForIt) {
    // Several times as many as the reactor hands out at a time.
    const std::vector<FileDescriptor> phones = connect_phones(400);
    Descriptor other(context, ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    size_t received_first = SIZE_MAX;
    other.async_wait(descriptor_base::wait_read, [&](const boost::system::error_code&) {
        received_first = received.size() - phones.size();
    });
    say(phones);
    ASSERT_EQ(::eventfd_write(other.native_handle(), 1), 0);
    ASSERT_TRUE(run([&] { return received_first != SIZE_MAX; }));
    EXPECT_LE(received_first, kReadsPerTurn);
    EXPECT_TRUE(is_received(2 * phones.size()));
}

TEST_F(StreamTurns_Behaviour, WhoHasTalkedBeforeDoesNotWaitUntilACrowdIsIn) {
    constexpr size_t kCrowd = 400;
    const Endpoint server = listen(Transport::Tcp);
    const FileDescriptor phone = connect_client(server);
    const uint16_t port = local_endpoint(phone.get()).port;
    write_all(phone, kOptions);
    ASSERT_TRUE(is_received(1));
    std::vector<FileDescriptor> crowd;
    for (size_t i = 0; i < kCrowd; ++i) {
        crowd.push_back(connect_client(server));
        write_all(crowd.back(), kOptions);
    }
    ASSERT_TRUE(run([&] { return counters.value(Counter::stream_accepted_total) >= 100; }));
    write_all(phone, kOptions);
    ASSERT_TRUE(run([&] { return messages_of[port] == 2; }));
    EXPECT_LT(counters.value(Counter::stream_accepted_total), kCrowd);
    EXPECT_TRUE(is_received(kCrowd + 2));
}

TEST_F(StreamTurns_Behaviour, ATurnReadsSoManyConnectionsAndNoMore) {
    const std::vector<FileDescriptor> phones = connect_phones(200);
    EXPECT_LE(most.messages, kNewcomersPerTurn);
    most = {};
    say(phones);
    ASSERT_TRUE(is_received(2 * phones.size()));
    EXPECT_LE(most.messages, kReadsPerTurn);
    EXPECT_GT(most.messages, 1u) << "a turn costs something: several share one";
}

TEST_F(StreamTurns_Behaviour, ATurnTakesFewHandshakes) {
    const auto clients = greet(20);
    finish(clients);
    ASSERT_TRUE(is_counted(Counter::tls_handshakes_total, clients.size()));
    EXPECT_LE(most.handshakes, kHandshakesPerTurn);
}

TEST_F(StreamTurns_Behaviour, AMessageGoesBeforeTheHandshakesThatWait) {
    const std::vector<FileDescriptor> phones = connect_phones(1);
    const auto clients = greet(20);
    finish(clients);
    say(phones);
    ASSERT_TRUE(is_received(2));
    EXPECT_LE(counters.value(Counter::tls_handshakes_total), kHandshakesPerTurn);
    EXPECT_TRUE(is_counted(Counter::tls_handshakes_total, clients.size()));
}

TEST_F(StreamTurns_Behaviour, AConnectionThatWeOpenDoesNotWaitForThoseOfOthers) {
    const auto clients = greet(20);
    const FileDescriptor peer = open_or_fail(Transport::Tcp, kLoopback);
    streams->learn_domain("peer.test");
    streams->send(now, flow_to(local_endpoint(peer.get()), "peer.test"), kOptions, {});
    const auto accepted = accept_tls(peer, "peer.test");
    const std::string hello = read_some(accepted->socket.get());
    std::string answer;
    accepted->engine->receive(hello, accepted->plain, answer);
    finish(clients);
    write_all(accepted->socket, answer);
    ASSERT_TRUE(run([this] { return counters.value(Counter::tls_handshakes_total) > 0; }));
    EXPECT_EQ(counters.value(Counter::tls_handshakes_total), kHandshakesPerTurn + 1);
    EXPECT_EQ(accepted->read(kOptions.size()), kOptions);
}

TEST_F(StreamTurns_Behaviour, WhileManyHandshakesWaitNoneIsAccepted) {
    limits.handshakes_waiting_max = 8;
    streams->set_limits(limits);
    const auto clients = greet(100);
    ASSERT_TRUE(is_counted(Counter::stream_accepts_put_off_total));
    EXPECT_LT(counters.value(Counter::stream_accepted_total), clients.size());
    finish(clients);
    EXPECT_TRUE(is_counted(Counter::tls_handshakes_total, clients.size()));
}

TEST_F(StreamTurns_Behaviour, TheTimeInTheLineIsTimeThatAMessageHasWaited) {
    const std::vector<FileDescriptor> phones = connect_phones(1);
    say(phones);
    step();  // it stands in line
    now += milliseconds(50);
    ASSERT_TRUE(is_received(2));
    EXPECT_EQ(waits.back(), milliseconds(50));
}

/// Nobody is refused because many phones come back at once.
TEST_F(StreamTurns_Behaviour, ANewcomersFirstMessageHasNotWaited) {
    const FileDescriptor phone = connect_client(listen(Transport::Tcp));
    ASSERT_TRUE(is_counted(Counter::stream_accepted_total));
    write_all(phone, kOptions);
    step();
    now += milliseconds(50);
    ASSERT_TRUE(is_received(1));
    EXPECT_EQ(waits.back(), Duration{});
}

TEST_F(StreamTurns_Behaviour, TheTimesOfManyConnectionsAreLookedAtInParts) {
    limits.swept_per_turn = 2;
    streams->set_limits(limits);
    const Endpoint server = listen(Transport::Tcp);
    const std::array<FileDescriptor, 3> silent{connect_client(server), connect_client(server),
                                               connect_client(server)};
    ASSERT_TRUE(is_counted(Counter::stream_accepted_total, silent.size()));
    pass(limits.first_message_timeout);
    EXPECT_EQ(streams->size(), 1u);
    EXPECT_EQ(streams->next_deadline(), now) << "the rest comes at once";
    pass({});
    EXPECT_EQ(streams->size(), 0u);
    EXPECT_EQ(streams->next_deadline(), kNever);
}

}  // namespace
}  // namespace signalbox::io
