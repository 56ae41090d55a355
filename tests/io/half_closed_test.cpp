// Connections whose peer has said that he sends no more, and still reads.
// Covers: RFC 3261 §18.2.2 (a response goes over the connection of its request while that is open,
// and by another one when its peer does not take it).
// Not covered: TLS and WebSocket, which have a close of their own (stream_layers_test).
#include <gmock/gmock.h>

#include <deque>

#include "io/stream_set.h"
#include "tests/io/loopback.h"

namespace signalbox::io {
namespace {

using transport::Flow;
using transport::FlowError;
using transport::Transport;

/// A valid request: what brings none is closed as soon as it ends.
std::string request(std::string_view method) {
    return std::string(method) +
           " sip:bob@example.test SIP/2.0\r\n"
           "Via: SIP/2.0/TCP 192.0.2.10:5060;branch=z9hG4bK1\r\n"
           "Max-Forwards: 70\r\n"
           "From: <sip:alice@example.test>;tag=1\r\n"
           "To: <sip:bob@example.test>\r\n"
           "Call-ID: 1\r\n"
           "CSeq: 1 " +
           std::string(method) +
           "\r\n"
           "Contact: <sip:alice@192.0.2.10>\r\n"
           "Content-Length: 0\r\n\r\n";
}

const std::string kRinging = "SIP/2.0 180 Ringing\r\n\r\n";
const std::string kBusy = "SIP/2.0 486 Busy Here\r\n\r\n";

class HalfClosed_Rfc3261_18_2_2 : public ::testing::Test, public StreamSink {
 protected:
    HalfClosed_Rfc3261_18_2_2() {
        FileDescriptor socket = open_or_fail(Transport::Tcp, kLoopback);
        server = local_endpoint(socket.get());
        streams.add_listener(2, server, std::move(socket));
        client = connect_client(server);
    }
    Now begin_turn() override { return {now, {}}; }
    bool on_stream_message(const transport::Packet& packet) override {
        flow = packet.flow;
        ++received;
        return true;
    }
    void end_turn() override { streams.flush(); }
    Instant time() const override { return now; }

    /// The client sends requests of these methods and then shuts his direction down.
    void sends_and_ends(const std::vector<std::string>& methods) {
        for (const std::string& method : methods) write_all(client, request(method));
        ASSERT_TRUE(run_until(context, [&] { return received == methods.size(); }));
        ::shutdown(client.get(), SHUT_WR);
        ASSERT_TRUE(run_until(context, [this] { return !streams.closed().empty(); }));
    }
    void send(const std::string& message, uint64_t owner = 0) {
        streams.send(now, flow, message, {owner, 0});
        streams.flush();
    }
    /// All that the client can read now until the end of the stream or `size` octets.
    std::string read(size_t size) {
        std::string text;
        char buffer[4096];
        while (text.size() < size && wait_readable(client.get())) {
            const ssize_t count = ::recv(client.get(), buffer, sizeof(buffer), 0);
            if (count <= 0) break;
            text.append(buffer, static_cast<size_t>(count));
        }
        return text;
    }
    void pass(Duration time) {
        now += time;
        streams.on_time(now);
        streams.flush();
    }
    /// When the peer's system has all that was written; a busy machine may tell it late.
    bool ends() {
        return run_until(context, [this] {
            if (streams.size() != 0) pass(std::chrono::seconds(1));
            return streams.size() == 0 &&
                   counters.value(Counter::stream_half_closed_expired_total) == 0;
        });
    }
    /// The client has closed both ways, and listens there for what it is still told.
    FileDescriptor closes_and_listens(const std::vector<std::string>& methods) {
        for (const std::string& method : methods) write_all(client, request(method));
        EXPECT_TRUE(run_until(context, [&] { return received == methods.size(); }));
        client.reset();
        EXPECT_TRUE(run_until(context, [this] { return !streams.closed().empty(); }));
        FileDescriptor listening = open_or_fail(Transport::Tcp, kLoopback);
        flow.remote = local_endpoint(listening.get());
        return listening;
    }
    /// What comes there by the next connection.
    std::string accepted(const FileDescriptor& listening, size_t size) {
        pollfd entry{listening.get(), POLLIN, 0};
        if (!run_until(context, [&entry] { return ::poll(&entry, 1, 0) == 1; })) return {};
        client = FileDescriptor(::accept4(listening.get(), nullptr, nullptr, SOCK_CLOEXEC));
        std::string text;
        const bool is_whole = run_until(context, [&] {
            char buffer[4096];
            const ssize_t count = ::recv(client.get(), buffer, sizeof(buffer), MSG_DONTWAIT);
            if (count > 0) text.append(buffer, static_cast<size_t>(count));
            return text.size() >= size;
        });
        return is_whole ? text : "only " + text;
    }

    asio::io_context context{1};
    StreamLimits limits;
    Counters counters;
    Instant now{std::chrono::hours(1)};
    StreamSet streams{context, uint8_t{0}, limits, counters, *this};
    Endpoint server;
    FileDescriptor client;
    Flow flow;
    size_t received = 0;
};

TEST_F(HalfClosed_Rfc3261_18_2_2, TheAnswersStillArriveAndThenTheConnectionEnds) {
    sends_and_ends({"INVITE"});
    EXPECT_EQ(counters.value(Counter::stream_half_closed_total), 1U);
    send(kRinging);
    EXPECT_EQ(read(kRinging.size()), kRinging);
    EXPECT_EQ(streams.size(), 1U);
    send(kBusy);
    EXPECT_EQ(read(1000), kBusy);
    EXPECT_TRUE(ends());
    EXPECT_EQ(counters.value(Counter::stream_answers_sent_again_total), 0U);
}

TEST_F(HalfClosed_Rfc3261_18_2_2, EachRequestGetsItsAnswer) {
    sends_and_ends({"MESSAGE", "OPTIONS"});
    send(kBusy);
    EXPECT_EQ(streams.size(), 1U);
    send(kBusy);
    EXPECT_EQ(read(1000), kBusy + kBusy);
    EXPECT_TRUE(ends());
    EXPECT_EQ(counters.value(Counter::stream_answers_sent_again_total), 0U);
}

TEST_F(HalfClosed_Rfc3261_18_2_2, TheFlowIsReportedOnceAndAtOnce) {
    sends_and_ends({"INVITE"});
    ASSERT_EQ(streams.closed().size(), 1U);
    EXPECT_EQ(streams.closed()[0].flow, flow);
    EXPECT_EQ(streams.closed()[0].why, FlowError::ClosedByPeer);
    send(kBusy);
    EXPECT_EQ(streams.closed().size(), 1U);
}

TEST_F(HalfClosed_Rfc3261_18_2_2, WhoIsOwedNothingIsClosed) {
    write_all(client, request("OPTIONS"));
    ASSERT_TRUE(run_until(context, [this] { return received == 1; }));
    send(kBusy);
    write_all(client, request("ACK") + kBusy);
    ASSERT_TRUE(run_until(context, [this] { return received == 3; }));
    ::shutdown(client.get(), SHUT_WR);
    ASSERT_TRUE(run_until(context, [this] { return streams.size() == 0; }));
    EXPECT_EQ(counters.value(Counter::stream_half_closed_total), 0U);
}

TEST_F(HalfClosed_Rfc3261_18_2_2, NoRequestOfOursGoesThere) {
    sends_and_ends({"INVITE"});
    send(request("NOTIFY"), 7);
    // Another connection to the peer is tried; nobody listens there.
    ASSERT_TRUE(run_until(context, [this] { return !streams.failed_owners().empty(); }));
    EXPECT_EQ(streams.failed_owners()[0].id, 7U);
    send(kBusy);
    EXPECT_EQ(read(1000), kBusy);
}

TEST_F(HalfClosed_Rfc3261_18_2_2, ItDoesNotStayForEver) {
    sends_and_ends({"INVITE"});
    pass(limits.half_closed_timeout - std::chrono::seconds(1));
    send(kRinging);
    pass(limits.half_closed_timeout - std::chrono::seconds(1));
    EXPECT_EQ(streams.size(), 1U);
    pass(std::chrono::seconds(1));
    EXPECT_EQ(streams.size(), 0U);
    EXPECT_EQ(counters.value(Counter::stream_half_closed_expired_total), 1U);
}

TEST_F(HalfClosed_Rfc3261_18_2_2, AWriteThatFailsEndsIt) {
    sends_and_ends({"INVITE"});
    client.reset();
    ASSERT_TRUE(run_until(context, [this] {
        send(kRinging, 7);
        return streams.size() == 0 || !streams.failed_owners().empty();
    }));
}

TEST_F(HalfClosed_Rfc3261_18_2_2, WhatAPeerRefusesWhoClosedBothWaysGoesByANewConnection) {
    const FileDescriptor listening = closes_and_listens({"MESSAGE"});
    send(kBusy, 7);
    ASSERT_TRUE(run_until(context, [this] {
        pass(std::chrono::milliseconds(1000));
        return counters.value(Counter::stream_answers_sent_again_total) == 1;
    }));
    EXPECT_EQ(accepted(listening, kBusy.size()), kBusy);
    EXPECT_TRUE(streams.failed_owners().empty());
    EXPECT_EQ(counters.value(Counter::stream_half_closed_expired_total), 0U);
}

TEST_F(HalfClosed_Rfc3261_18_2_2, EachOfSeveralAnswersGoesOnceMore) {
    const FileDescriptor listening = closes_and_listens({"INVITE", "MESSAGE"});
    send(kRinging, 7);
    send(kBusy, 8);
    send(kBusy, 9);
    const std::string expected = kRinging + kBusy + kBusy;
    ASSERT_TRUE(run_until(context, [this] {
        pass(std::chrono::milliseconds(1000));
        return counters.value(Counter::stream_answers_sent_again_total) != 0;
    }));
    EXPECT_EQ(accepted(listening, expected.size()), expected);
    EXPECT_TRUE(streams.failed_owners().empty());
}

TEST_F(HalfClosed_Rfc3261_18_2_2, WhatWasWrittenBeforeTheCloseWasSeenIsNotSentAgain) {
    write_all(client, request("MESSAGE"));
    ASSERT_TRUE(run_until(context, [this] { return received == 1; }));
    client.reset();
    send(kBusy, 7);
    ASSERT_TRUE(run_until(context, [this] { return streams.size() == 0; }));
    pass(std::chrono::seconds(10));
    EXPECT_EQ(counters.value(Counter::stream_answers_sent_again_total), 0U);
}

TEST_F(HalfClosed_Rfc3261_18_2_2, ASecondTryThatFailsIsTheLast) {
    FileDescriptor listening = closes_and_listens({"MESSAGE"});
    listening.reset();
    send(kBusy, 7);
    ASSERT_TRUE(run_until(context, [this] {
        pass(std::chrono::milliseconds(1000));
        return !streams.failed_owners().empty();
    }));
    pass(std::chrono::seconds(10));
    EXPECT_EQ(streams.failed_owners().size(), 1U);
    EXPECT_EQ(counters.value(Counter::stream_answers_sent_again_total), 1U);
    EXPECT_EQ(streams.size(), 0U);
}

}  // namespace
}  // namespace signalbox::io
