// Covers RFC 3261 §18.1.1 (messages up to 65,535 octets), §18.2.1 (the address that a datagram came
// to). Not covered: ICMP errors, a full send buffer (the system decides when).
#include "io/udp_socket.h"

#include <gmock/gmock.h>

#include <string>

#include "io/reactor.h"
#include "tests/io/loopback.h"

namespace signalbox::io {
namespace {

using transport::Transport;

class UdpSocket_Behaviour : public ::testing::Test {
 protected:
    UdpSocket make(const Endpoint& bound) {
        FileDescriptor socket = open_or_fail(Transport::Udp, bound);
        const Endpoint actual{bound.address, local_endpoint(socket.get()).port};
        return UdpSocket(std::move(socket), actual);
    }
    /// What has arrived, once something has.
    std::vector<std::string> texts(const UdpSocket& socket) {
        std::vector<std::string> out;
        if (!wait_readable(socket.fd())) return out;
        const size_t count = receiver.receive(socket);
        for (size_t i = 0; i < count; ++i) {
            out.emplace_back(receiver.datagram(socket, i).bytes);
        }
        return out;
    }

    UdpReceiver receiver;
    Counters counters;
    std::vector<uint64_t> failed;
};

TEST_F(UdpSocket_Behaviour, SendsAllQueuedDatagramsInOneFlushAndInOrder) {
    UdpSocket a = make(kLoopback);
    UdpSocket b = make(kLoopback);
    for (const char* text : {"one", "two", "three"}) {
        a.send({}, b.bound(), text, 0, counters, failed);
    }
    EXPECT_EQ(counters.value(Counter::tx_packets_total), 0u);
    a.flush(counters, failed);

    EXPECT_THAT(texts(b), ::testing::ElementsAre("one", "two", "three"));
    EXPECT_EQ(counters.value(Counter::tx_packets_total), 3u);
    EXPECT_EQ(receiver.datagram(b, 0).remote, a.bound());
    EXPECT_EQ(receiver.datagram(b, 0).local, b.bound());
}

TEST_F(UdpSocket_Behaviour, TellsWhenADatagramArrived) {
    UdpSocket a = make(kLoopback);
    UdpSocket b = make(kLoopback);
    const WallTime before = read_clocks().wall;
    a.send({}, b.bound(), "one", 0, counters, failed);
    a.flush(counters, failed);
    ASSERT_EQ(texts(b).size(), 1u);
    const auto stamped = receiver.datagram(b, 0).stamped;
    ASSERT_TRUE(stamped.has_value());
    EXPECT_GE(*stamped, before - std::chrono::seconds(1));
    EXPECT_LE(*stamped, read_clocks().wall + std::chrono::seconds(1));
    EXPECT_EQ(receiver.datagram(b, 0).lost, 0u);
}

TEST_F(UdpSocket_Behaviour, TellsForEachDatagramOfABatchWhenItOrOneBeforeItArrived) {
    UdpSocket a = make(kLoopback);
    UdpSocket b = make(kLoopback);
    for (size_t i = 0; i < kDatagramBatch; ++i) a.send({}, b.bound(), "x", 0, counters, failed);
    a.flush(counters, failed);
    ASSERT_EQ(texts(b).size(), kDatagramBatch);
    WallTime last = receiver.datagram(b, 0).stamped.value_or(WallTime::max());
    for (size_t i = 0; i < kDatagramBatch; ++i) {
        const auto stamped = receiver.datagram(b, i).stamped;
        ASSERT_TRUE(stamped.has_value()) << i;
        EXPECT_GE(*stamped, last) << i;
        last = *stamped;
    }
}

TEST_F(UdpSocket_Behaviour, TellsHowManyDatagramsAFullBufferHasCost) {
    UdpSocket a = make(kLoopback);
    UdpSocket b = make(kLoopback);
    const int small = 1;  // the system makes it its least
    ASSERT_EQ(::setsockopt(b.fd(), SOL_SOCKET, SO_RCVBUF, &small, sizeof(small)), 0);
    const std::string text(1000, 'x');
    const auto send = [&](int count) {
        for (int i = 0; i < count; ++i) a.send({}, b.bound(), text, 0, counters, failed);
        a.flush(counters, failed);
    };
    send(50);
    const size_t kept = texts(b).size();
    ASSERT_LT(kept, 50u);
    send(1);
    ASSERT_EQ(texts(b).size(), 1u);
    EXPECT_EQ(receiver.datagram(b, 0).lost, 50 - kept);
}

TEST_F(UdpSocket_Behaviour, FlushesByItselfWhenABatchIsFull) {
    UdpSocket a = make(kLoopback);
    UdpSocket b = make(kLoopback);
    for (size_t i = 0; i <= kDatagramBatch; ++i) a.send({}, b.bound(), "x", 0, counters, failed);
    EXPECT_EQ(counters.value(Counter::tx_packets_total), kDatagramBatch);
    EXPECT_EQ(texts(b).size(), kDatagramBatch);
    a.flush(counters, failed);
    EXPECT_EQ(texts(b).size(), 1u);
}

TEST_F(UdpSocket_Behaviour, ReceivesAtMostOneBatchAtATime) {
    UdpSocket a = make(kLoopback);
    UdpSocket b = make(kLoopback);
    for (size_t i = 0; i < kDatagramBatch + 5; ++i) a.send({}, b.bound(), "x", 0, counters, failed);
    a.flush(counters, failed);
    EXPECT_EQ(texts(b).size(), kDatagramBatch);
    EXPECT_EQ(texts(b).size(), 5u);
}

TEST_F(UdpSocket_Behaviour, CarriesTheLargestDatagramWhole) {
    UdpSocket a = make(kLoopback);
    UdpSocket b = make(kLoopback);
    std::string large(65507, 'x');
    large.back() = 'y';
    a.send({}, b.bound(), large, 0, counters, failed);
    a.flush(counters, failed);
    EXPECT_THAT(texts(b), ::testing::ElementsAre(large));
}

TEST_F(UdpSocket_Behaviour, EmptyDatagramsArriveAsEmpty) {
    UdpSocket a = make(kLoopback);
    UdpSocket b = make(kLoopback);
    a.send({}, b.bound(), "", 0, counters, failed);
    a.flush(counters, failed);
    EXPECT_THAT(texts(b), ::testing::ElementsAre(""));
    EXPECT_EQ(receiver.datagram(b, 0).remote, a.bound());
}

TEST_F(UdpSocket_Behaviour, ReceivesNothingWhenNothingWaits) {
    UdpSocket a = make(kLoopback);
    EXPECT_EQ(receiver.receive(a), 0u);
}

TEST_F(UdpSocket_Behaviour, TellsTheOwnerOfADatagramThatTheSystemRefusesAndSendsTheRest) {
    UdpSocket a = make(kLoopback);
    UdpSocket b = make(kLoopback);
    const std::string too_large(65508, 'x');
    a.send({}, b.bound(), "before", 1, counters, failed);
    a.send({}, b.bound(), too_large, 2, counters, failed);
    a.send({}, b.bound(), "after", 3, counters, failed);
    a.flush(counters, failed);

    EXPECT_THAT(failed, ::testing::ElementsAre(2u));
    EXPECT_EQ(counters.value(Counter::tx_failed_total), 1u);
    EXPECT_THAT(texts(b), ::testing::ElementsAre("before", "after"));
}

TEST_F(UdpSocket_Behaviour, RefusesARemoteOfAnotherFamilyAndPortZero) {
    UdpSocket a = make(kLoopback);
    a.send({}, *Endpoint::parse("[::1]:5060"), "x", 7, counters, failed);
    a.send({}, {IpAddress::v4(127, 0, 0, 1), 0}, "x", 8, counters, failed);
    a.send({}, {}, "x", 0, counters, failed);
    EXPECT_THAT(failed, ::testing::ElementsAre(7u, 8u));
    EXPECT_EQ(counters.value(Counter::tx_failed_total), 3u);
}

TEST_F(UdpSocket_Behaviour, AWildcardSocketLearnsTheLocalAddressAndAnswersFromIt) {
    UdpSocket any = make({IpAddress::v4(0, 0, 0, 0), 0});
    UdpSocket client = make(kLoopback);
    const Endpoint second{IpAddress::v4(127, 0, 0, 2), any.bound().port};
    client.send({}, second, "question", 0, counters, failed);
    client.flush(counters, failed);
    ASSERT_THAT(texts(any), ::testing::ElementsAre("question"));
    const Datagram question = receiver.datagram(any, 0);
    EXPECT_EQ(question.local, second);

    const Endpoint local = question.local;
    const Endpoint remote = question.remote;
    any.send(local, remote, "answer", 0, counters, failed);
    any.flush(counters, failed);
    ASSERT_THAT(texts(client), ::testing::ElementsAre("answer"));
    EXPECT_EQ(receiver.datagram(client, 0).remote, second);
}

TEST_F(UdpSocket_Behaviour, AWildcardSocketLearnsTheLocalAddressOfEachDatagramOfABatch) {
    UdpSocket bound = make(kLoopback);
    UdpSocket any = make({IpAddress::v4(0, 0, 0, 0), 0});
    UdpSocket client = make(kLoopback);
    for (int round = 0; round < 2; ++round) {
        for (uint8_t host = 1; host <= 20; ++host) {
            client.send({}, {IpAddress::v4(127, 0, 0, host), any.bound().port}, "x", 0, counters,
                        failed);
        }
        client.flush(counters, failed);
        ASSERT_EQ(texts(any).size(), 20u);
        for (uint8_t host = 1; host <= 20; ++host) {
            EXPECT_EQ(receiver.datagram(any, host - 1u).local.address,
                      IpAddress::v4(127, 0, 0, host));
        }
        // A receiver goes from socket to socket.
        client.send({}, bound.bound(), "y", 0, counters, failed);
        client.flush(counters, failed);
        ASSERT_EQ(texts(bound).size(), 1u);
        EXPECT_EQ(receiver.datagram(bound, 0).local, bound.bound());
    }
}

TEST_F(UdpSocket_Behaviour, Ipv6WildcardSocketsDoTheSame) {
    ASSERT_TRUE(open_bound_socket(Transport::Udp, *Endpoint::parse("[::1]:0"), Sharing::Alone))
        << "This machine has no ::1, which this test needs: sysctl net.ipv6.conf.lo.disable_ipv6=0";
    UdpSocket any = make(*Endpoint::parse("[::]:0"));
    UdpSocket client = make(*Endpoint::parse("[::1]:0"));
    const Endpoint target{*IpAddress::parse("::1"), any.bound().port};
    client.send({}, target, "question", 0, counters, failed);
    client.flush(counters, failed);
    ASSERT_THAT(texts(any), ::testing::ElementsAre("question"));
    EXPECT_EQ(receiver.datagram(any, 0).local, target);
    const Endpoint remote = receiver.datagram(any, 0).remote;
    any.send(target, remote, "answer", 0, counters, failed);
    any.flush(counters, failed);
    ASSERT_THAT(texts(client), ::testing::ElementsAre("answer"));
    EXPECT_EQ(receiver.datagram(client, 0).remote, target);
}

TEST(BoundSocket_Behaviour, AnAddressThatIsTakenIsRefusedEvenToASocketThatWouldShare) {
    FileDescriptor first = open_or_fail(Transport::Udp, kLoopback);
    const Endpoint taken = local_endpoint(first.get());
    EXPECT_EQ(open_bound_socket(Transport::Udp, taken, Sharing::Alone).error(), EADDRINUSE);
    EXPECT_EQ(open_bound_socket(Transport::Udp, taken, Sharing::PerShard).error(), EADDRINUSE);
}

TEST(BoundSocket_Behaviour, ShardsShareAnAddress) {
    for (const Transport transport : {Transport::Udp, Transport::Tcp}) {
        FileDescriptor first = open_or_fail(transport, kLoopback, Sharing::PerShard);
        const Endpoint shared = local_endpoint(first.get());
        EXPECT_TRUE(open_bound_socket(transport, shared, Sharing::PerShard).has_value());
        EXPECT_EQ(open_bound_socket(transport, shared, Sharing::Alone).error(), EADDRINUSE);
    }
}

TEST(BoundSocket_Behaviour, AnAddressOfAnotherMachineIsRefused) {
    const Endpoint foreign = *Endpoint::parse("192.0.2.1:5060");
    EXPECT_EQ(open_bound_socket(Transport::Udp, foreign, Sharing::Alone).error(), EADDRNOTAVAIL);
    EXPECT_EQ(open_bound_socket(Transport::Udp, {}, Sharing::Alone).error(), EAFNOSUPPORT);
}

}  // namespace
}  // namespace signalbox::io
