// Which next hops failed a short while ago.
// Covers: RFC 3263 §4.3, RFC 3261 §21.5.4 (a hop that failed is left alone for a time).
#include "resolver/hop_health.h"

#include <gtest/gtest.h>

namespace signalbox::resolver {
namespace {

using std::chrono::seconds;
using transport::Transport;

Hop hop(uint16_t port) {
    return {Transport::Udp, {IpAddress::v4(192, 0, 2, 1), port}};
}
Instant at(int second) {
    return Instant{seconds(second)};
}

TEST(HopHealth_Behaviour, AFailureHoldsForItsTime) {
    HopHealth health({1, 2});
    EXPECT_FALSE(health.is_held_down(at(0), hop(5060)));
    health.failed(at(0), hop(5060), seconds(30));
    EXPECT_TRUE(health.is_held_down(at(29), hop(5060)));
    EXPECT_FALSE(health.is_held_down(at(30), hop(5060)));
    EXPECT_FALSE(health.is_held_down(at(1), hop(5061)));
    EXPECT_FALSE(health.is_held_down(at(1), {Transport::Tcp, {IpAddress::v4(192, 0, 2, 1), 5060}}));
}

TEST(HopHealth_Behaviour, AShorterTimeDoesNotShorten) {
    HopHealth health({1, 2});
    health.failed(at(0), hop(5060), seconds(300));
    health.failed(at(1), hop(5060), seconds(30));
    EXPECT_TRUE(health.is_held_down(at(299), hop(5060)));
}

TEST(HopHealth_Behaviour, ASuccessClears) {
    HopHealth health({1, 2});
    health.failed(at(0), hop(5060), seconds(30));
    EXPECT_TRUE(health.succeeded(at(1), hop(5060)));
    EXPECT_FALSE(health.succeeded(at(1), hop(5060)));
    EXPECT_FALSE(health.is_held_down(at(1), hop(5060)));
}

TEST(HopHealth_Behaviour, AFullTableForgetsWhatEndsFirst) {
    HopHealth health({1, 2});
    health.failed(at(0), hop(1), seconds(1));
    for (uint32_t port = 2; port < 60'000; ++port) {
        health.failed(at(0), hop(static_cast<uint16_t>(port)), seconds(10 + port / 100));
    }
    EXPECT_FALSE(health.is_held_down(at(0), hop(1)));
    EXPECT_TRUE(health.is_held_down(at(0), hop(59'999)));
}

}  // namespace
}  // namespace signalbox::resolver
