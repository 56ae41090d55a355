// Requests on a stream whose body is larger than the server takes.
// Covers: RFC 3261 §21.4.11 (413), §18.3 (a body that is shorter than it says). Not covered: that
// the stream then ends (stream_set_test of io).
#include <gtest/gtest.h>

#include "tests/core/core_harness.h"

namespace signalbox::core::testing {
namespace {

using transport::Transport;

struct LargeBodyTest : ::testing::Test {
    World world;
    Phone& by_tcp =
        world.phone({"alice", "elsewhere.test", "198.51.100.10:40001", Transport::Tcp, {}});
    Phone& by_udp = world.stranger();

    /// What a stream hands over of a message that it cannot take: the header fields.
    static std::string head(Phone& phone, size_t body_bytes) {
        std::string text = phone.make("MESSAGE", "sip:bob@example.test").text();
        const std::string field = "Content-Length: 0\r\n";
        const size_t at = text.find(field);
        EXPECT_NE(at, std::string::npos);
        return text.replace(at, field.size(),
                            "Content-Length: " + std::to_string(body_bytes) + "\r\n");
    }
};

using LargeBody_Rfc3261_21_4_11 = LargeBodyTest;
using LargeBody_Rfc3261_18_3 = LargeBodyTest;

TEST_F(LargeBody_Rfc3261_21_4_11, OnAStreamItIsRefusedWith413) {
    for (const size_t bytes : {size_t{65535}, size_t{70000}, size_t{4'000'000'000}}) {
        by_tcp.send_text(head(by_tcp, bytes));
        EXPECT_EQ(by_tcp.expect(413).text().substr(0, 36), "SIP/2.0 413 Request Entity Too Large");
    }
    EXPECT_EQ(world.count(Counter::rx_too_large_requests_total), 3U);
}

TEST_F(LargeBody_Rfc3261_18_3, ADatagramThatIsShorterThanItSaysIsMalformed) {
    by_udp.send_text(head(by_udp, 70000));
    by_udp.expect(400);
    EXPECT_EQ(world.count(Counter::rx_too_large_requests_total), 0U);
}

}  // namespace
}  // namespace signalbox::core::testing
