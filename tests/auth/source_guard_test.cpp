// Who is left unanswered, for how long, and how many are remembered.
// Covers: RFC 3261 §26.3.2.4 (the concern). The rules are ours.
#include "auth/source_guard.h"

#include <gtest/gtest.h>

#include "tests/auth/auth_fixture.h"

namespace signalbox::auth {
namespace {

using std::chrono::seconds;

const IpAddress kSource = IpAddress::v4(198, 51, 100, 9);

struct SourceGuard_Behaviour : testing::Test {
    SourceGuard guard{{1, 2}, 8};
    ports::LimitSettings limits;

    SourceGuard_Behaviour() {
        limits.auth_failures_max = 3;
        limits.auth_failures_window = seconds(60);
        limits.auth_block_time = seconds(300);
    }
    bool fail(Duration when, const IpAddress& source = kSource) {
        return guard.failed(at(when), source, limits);
    }
    bool blocked(Duration when, const IpAddress& source = kSource) const {
        return guard.is_blocked(at(when), source);
    }
};

TEST_F(SourceGuard_Behaviour, BlocksAtTheLimitForTheBlockTime) {
    EXPECT_FALSE(fail(seconds(0)));
    EXPECT_FALSE(fail(seconds(1)));
    EXPECT_FALSE(blocked(seconds(1)));
    EXPECT_TRUE(fail(seconds(2)));
    EXPECT_TRUE(blocked(seconds(2)));
    EXPECT_TRUE(blocked(seconds(302) - Duration(1)));
    EXPECT_FALSE(blocked(seconds(302)));
}

TEST_F(SourceGuard_Behaviour, FailuresOfAnotherWindowDoNotCount) {
    fail(seconds(0));
    fail(seconds(1));
    EXPECT_FALSE(fail(seconds(60)));
    EXPECT_FALSE(fail(seconds(61)));
    EXPECT_TRUE(fail(seconds(62)));
}

TEST_F(SourceGuard_Behaviour, CountsAnewAfterABlock) {
    for (int i = 0; i < 3; ++i) fail(seconds(0));
    EXPECT_FALSE(fail(seconds(300)));
    EXPECT_FALSE(fail(seconds(300)));
    EXPECT_TRUE(fail(seconds(300)));
}

TEST_F(SourceGuard_Behaviour, TellsTheBeginningOfABlockOnce) {
    for (int i = 0; i < 3; ++i) fail(seconds(0));
    for (int i = 0; i < 10; ++i) EXPECT_FALSE(fail(seconds(1)));
    EXPECT_FALSE(blocked(seconds(300)));
}

TEST_F(SourceGuard_Behaviour, Ipv6SourcesCountByTheir64) {
    const auto v6 = [](std::string_view text) { return *IpAddress::parse(text); };
    fail(seconds(0), v6("2001:db8:0:1::1"));
    fail(seconds(0), v6("2001:db8:0:1:ffff::2"));
    EXPECT_TRUE(fail(seconds(0), v6("2001:db8:0:1::3")));
    EXPECT_TRUE(blocked(seconds(1), v6("2001:db8:0:1::4")));
    EXPECT_FALSE(blocked(seconds(1), v6("2001:db8:0:2::1")));
}

TEST_F(SourceGuard_Behaviour, Ipv4SourcesCountAlone) {
    for (int i = 0; i < 3; ++i) fail(seconds(0));
    EXPECT_FALSE(blocked(seconds(1), IpAddress::v4(198, 51, 100, 8)));
}

TEST_F(SourceGuard_Behaviour, LimitOfZeroBlocksNobody) {
    limits.auth_failures_max = 0;
    for (int i = 0; i < 100; ++i) EXPECT_FALSE(fail(seconds(0)));
    EXPECT_EQ(guard.size(), 0U);
}

TEST_F(SourceGuard_Behaviour, LimitOfOneBlocksAtOnce) {
    limits.auth_failures_max = 1;
    EXPECT_TRUE(fail(seconds(0)));
}

TEST_F(SourceGuard_Behaviour, BlockOfAnotherShardHoldsAndIsNotShortened) {
    guard.block(at(seconds(0)), kSource, at(seconds(100)).monotonic);
    EXPECT_TRUE(blocked(seconds(99)));
    guard.block(at(seconds(0)), kSource, at(seconds(50)).monotonic);
    EXPECT_TRUE(blocked(seconds(99)));
    EXPECT_FALSE(blocked(seconds(100)));
    EXPECT_EQ(guard.blocked_count(at(seconds(1))), 1U);
    EXPECT_EQ(guard.blocked_count(at(seconds(100))), 0U);
}

TEST_F(SourceGuard_Behaviour, RemembersNoMoreThanItsLimitAndForgetsTheFirst) {
    limits.auth_failures_max = 1;
    for (uint8_t i = 0; i < 9; ++i) fail(seconds(0), IpAddress::v4(192, 0, 2, i));
    EXPECT_EQ(guard.size(), 8U);
    EXPECT_FALSE(blocked(seconds(1), IpAddress::v4(192, 0, 2, 0)));
    EXPECT_TRUE(blocked(seconds(1), IpAddress::v4(192, 0, 2, 1)));
    EXPECT_TRUE(blocked(seconds(1), IpAddress::v4(192, 0, 2, 8)));
}

TEST_F(SourceGuard_Behaviour, ForgetsWhoseTimeIsOver) {
    for (uint8_t i = 0; i < 5; ++i) fail(seconds(0), IpAddress::v4(192, 0, 2, i));
    EXPECT_EQ(guard.size(), 5U);
    fail(seconds(60), IpAddress::v4(192, 0, 2, 100));
    EXPECT_EQ(guard.size(), 1U);
}

}  // namespace
}  // namespace signalbox::auth
