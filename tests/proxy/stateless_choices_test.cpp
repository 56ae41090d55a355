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

TEST(StatelessChoices_Rfc3261_16_11, AnAnsweredOneGivesItsPlaceBackSooner) {
    Table choices(4);
    for (uint32_t i = 1; i <= 4; ++i) choices.note(kStart, i, i, kStart + seconds(217));
    choices.shorten(kStart + seconds(5), 2, kStart + seconds(37));
    choices.shorten(kStart + seconds(6), 2, kStart + seconds(38));
    choices.shorten(kStart + seconds(6), 9, kStart);
    EXPECT_EQ(choices.find(kStart + seconds(36), 2), 2U);
    EXPECT_FALSE(choices.note(kStart + seconds(36), 5, 5, kStart + seconds(90)));
    EXPECT_TRUE(choices.note(kStart + seconds(37), 5, 5, kStart + seconds(90)));
}

TEST(StatelessChoices_Rfc3261_16_11, RequestsToOnePhoneShareItAndItLastsAsLongAsTheLast) {
    const auto target = [](std::string_view address) {
        transport::Flow flow;
        flow.remote = *Endpoint::parse(address);
        return *StatelessTarget::of("sip:bob@198.51.100.20", flow);
    };
    const StatelessTarget one = target("198.51.100.20:5060"), other = target("198.51.100.21:5060");
    StatelessChoices choices({1, 2}, 64, 4);
    const auto note = [&](uint64_t request, const StatelessTarget& to, int from, int until) {
        return choices.note(kStart + seconds(from), request, to, kStart + seconds(until));
    };
    for (uint64_t i = 1; i <= 3; ++i) EXPECT_TRUE(note(i, one, 0, 32));
    EXPECT_TRUE(note(4, one, 1, 217));
    EXPECT_EQ(choices.find(kStart + seconds(200), 4), one);
    EXPECT_FALSE(choices.find(kStart + seconds(200), 1).has_value());
    EXPECT_TRUE(note(5, other, 2, 217)) << "the same URI elsewhere is another phone";
    EXPECT_EQ(choices.find(kStart + seconds(9), 5), other);
    EXPECT_EQ(choices.find(kStart + seconds(9), 4), one);
    EXPECT_TRUE(note(6, target("198.51.100.22:5060"), 3, 217));
    EXPECT_TRUE(note(7, target("198.51.100.23:5060"), 3, 217));
    EXPECT_FALSE(note(8, target("198.51.100.24:5060"), 3, 217));
    EXPECT_FALSE(choices.find(kStart + seconds(9), 8).has_value());
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
