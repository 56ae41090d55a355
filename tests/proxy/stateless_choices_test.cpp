// The memory of the targets of requests that keep no transaction.
// Covers: RFC 3261 §16.11 (the same choice for a retransmission). Not covered: what the proxy does
// with it (stateless_choice_test of the core).
#include "proxy/stateless_choices.h"

#include <gtest/gtest.h>

namespace signalbox::proxy {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

using Table = StatelessTable<uint32_t, 65536>;

constexpr Instant kStart = Instant(std::chrono::hours(24 * 49) + seconds(61'000));

TEST(StatelessChoices_Rfc3261_16_11, AreKeptUntilTheirTimeIsOver) {
    Table choices;
    EXPECT_FALSE(choices.find(kStart, 7).has_value());
    EXPECT_TRUE(choices.note(kStart, 7, 99, kStart + seconds(32)));
    EXPECT_EQ(choices.find(kStart, 7), 99U);
    EXPECT_EQ(choices.find(kStart + milliseconds(31'999), 7), 99U);
    EXPECT_FALSE(choices.find(kStart + seconds(32), 7).has_value());
    EXPECT_FALSE(choices.find(kStart, 8).has_value());
}

TEST(StatelessChoices_Rfc3261_16_11, NoneGivesWayBeforeItsTime) {
    Table choices(4);  // one set
    for (uint32_t i = 1; i <= 4; ++i)
        EXPECT_TRUE(choices.note(kStart, i, i, kStart + seconds(i == 2 ? 32 : 217)));
    EXPECT_FALSE(choices.note(kStart + seconds(31), 5, 5, kStart + seconds(90)));
    EXPECT_FALSE(choices.find(kStart + seconds(31), 5).has_value());
    for (uint64_t i = 1; i <= 4; ++i) EXPECT_EQ(choices.find(kStart + seconds(31), i), i);
    EXPECT_TRUE(choices.note(kStart + seconds(32), 5, 5, kStart + seconds(90)));
    for (const uint64_t i : {1, 3, 4, 5}) EXPECT_EQ(choices.find(kStart + seconds(32), i), i);
}

TEST(StatelessTarget_Rfc3261_16_11, KeepsUriAndFlowOfWhatFits) {
    transport::Flow flow;
    flow.remote = *Endpoint::parse("198.51.100.20:5060");
    const std::string longest = "sip:" + std::string(179, 'a');
    const auto kept = StatelessTarget::of(longest, flow);
    ASSERT_TRUE(kept.has_value());
    EXPECT_EQ(kept->uri(), longest);
    EXPECT_EQ(kept->flow(), flow);
    EXPECT_FALSE(StatelessTarget::of(longest + "a", flow).has_value());
    EXPECT_FALSE(StatelessTarget::of("", flow).has_value());
}

}  // namespace
}  // namespace signalbox::proxy
