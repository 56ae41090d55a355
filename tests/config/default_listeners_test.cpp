// Where the server listens by default. Covers: RFC 3261 §18.2.1 (UDP and TCP at the same address
// and port).
#include "config/default_listeners.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace signalbox::config {
namespace {

using transport::Transport;

TEST(ListenerRules_Rfc3261_18_2_1, ByDefaultUdpAndTcpShareEachAddress) {
    const auto listeners = default_listeners();
    size_t datagrams = 0;
    for (const transport::Listener& udp : listeners) {
        if (udp.transport != Transport::Udp) continue;
        ++datagrams;
        EXPECT_EQ(std::count_if(listeners.begin(), listeners.end(),
                                [&](const transport::Listener& other) {
                                    return other.transport == Transport::Tcp &&
                                           other.bound == udp.bound;
                                }),
                  1)
            << udp.bound.to_string();
    }
    EXPECT_GE(datagrams, 1U);
}

}  // namespace
}  // namespace signalbox::config
