// The simulated network and its time. Covers: order, loss, doubling, streams and their ends.
#include "sim/network.h"

#include <gtest/gtest.h>

namespace signalbox::sim {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class Listener final : public Host {
 public:
    void on_datagram(const Endpoint&, const Endpoint&, std::string_view bytes) override {
        got.emplace_back(bytes);
    }
    void on_stream_open(StreamId id, const Endpoint&, const Endpoint&, bool) override {
        stream = id;
    }
    void on_stream_bytes(StreamId, std::string_view bytes) override { text += bytes; }
    void on_stream_end(StreamId, StreamEnd why) override { end = why; }

    std::vector<std::string> got;
    std::string text;
    StreamId stream = 0;
    std::optional<StreamEnd> end;
};

class NetworkOfTwo : public testing::Test {
 protected:
    void SetUp() override {
        network.attach(a, one);
        network.attach(b, two);
    }
    void run(Duration duration) { queue.run_until(queue.now().monotonic + duration); }

    EventQueue queue;
    Trace trace{Trace::Detail::Nothing};
    Network network{queue, trace, Random({1, 2})};
    Endpoint a{IpAddress::v4(192, 0, 2, 1), 5060};
    Endpoint b{IpAddress::v4(192, 0, 2, 2), 5060};
    Listener one, two;
};

TEST(EventQueue_Behaviour, KeepsTheOrderOfOneMoment) {
    EventQueue queue;
    std::string order;
    queue.after(milliseconds(5), [&] { order += 'b'; });
    queue.after(milliseconds(5), [&] { order += 'c'; });
    queue.after(milliseconds(1), [&] {
        order += 'a';
        queue.after(milliseconds(4), [&] { order += 'd'; });
    });
    queue.run_until(queue.now().monotonic + milliseconds(5));
    EXPECT_EQ(order, "abcd");
}

TEST_F(NetworkOfTwo, LosesAndDoublesAboutAsManyAsTold) {
    NetworkFaults faults;
    faults.loss_permille = 300;
    network.set_faults(faults);
    for (int i = 0; i < 1000; ++i) network.send_datagram(a, b, "x");
    run(seconds(2));
    EXPECT_NEAR(static_cast<double>(two.got.size()), 700, 60);

    two.got.clear();
    faults.loss_permille = 0;
    faults.duplicate_permille = 1000;
    network.set_faults(faults);
    for (int i = 0; i < 100; ++i) network.send_datagram(a, b, "x");
    run(seconds(2));
    EXPECT_EQ(two.got.size(), 200U);
}

TEST_F(NetworkOfTwo, KeepsAStreamInOrderUntilItsOrderlyEnd) {
    NetworkFaults faults;
    faults.delay_max = milliseconds(100);
    network.set_faults(faults);
    const StreamId stream = network.connect(one, a, b);
    run(seconds(1));
    ASSERT_EQ(two.stream, stream);
    std::string sent;
    for (int i = 0; i < 50; ++i) {
        const std::string piece = std::to_string(i) + ' ';
        network.send_stream(stream, one, piece);
        sent += piece;
    }
    network.close_stream(stream, one);
    run(seconds(20));
    EXPECT_EQ(two.text, sent);
    EXPECT_EQ(two.end, StreamEnd::Closed);
}

TEST_F(NetworkOfTwo, RefusesAStreamToNobody) {
    network.detach(b);
    network.connect(one, a, b);
    run(seconds(1));
    EXPECT_EQ(one.end, StreamEnd::Refused);
}

TEST_F(NetworkOfTwo, TellsTheOtherSideOfAReset) {
    const StreamId stream = network.connect(one, a, b);
    run(seconds(1));
    network.reset_stream(stream, two);
    run(seconds(1));
    EXPECT_EQ(one.end, StreamEnd::Reset);
    EXPECT_FALSE(two.end.has_value());
}

}  // namespace
}  // namespace signalbox::sim
