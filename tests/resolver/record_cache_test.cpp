// What is remembered of DNS.
// Covers: RFC 2308 §5 (negative answers), §7 (failures), RFC 8767 §5 (expired answers), RFC 1035
// §3.2.1 (TTL 0).
#include "resolver/record_cache.h"

#include <gtest/gtest.h>

namespace signalbox::resolver {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

const Question kQuestion{RecordType::Address, "a.test"};

RecordSet found(Duration ttl) {
    RecordSet records;
    records.outcome = Outcome::Found;
    records.ttl = ttl;
    records.addresses = {IpAddress::v4(192, 0, 2, 1)};
    return records;
}
RecordSet nothing(Duration ttl) {
    RecordSet records;
    records.outcome = Outcome::None;
    records.ttl = ttl;
    return records;
}

struct CacheTest : ::testing::Test {
    const RecordSet* find(Duration after) { return cache.find(start + after, kQuestion, is_stale); }

    RecordCache cache{100, {1, 2}};
    ResolverSettings settings;
    Instant start{hours(1)};
    bool is_stale = false;
};

using RecordCache_Rfc2308 = CacheTest;
using RecordCache_Rfc8767_5 = CacheTest;

TEST_F(RecordCache_Rfc2308, AnAnswerLivesForItsTime) {
    cache.store(start, kQuestion, found(seconds(60)), settings);
    ASSERT_NE(find(seconds(59)), nullptr);
    EXPECT_EQ(find(seconds(59))->addresses.size(), 1U);
    EXPECT_EQ(find(seconds(60)), nullptr);
    bool stale = false;
    EXPECT_EQ(cache.find(start, {RecordType::Srv, "a.test"}, stale), nullptr);
}

TEST_F(RecordCache_Rfc2308, TtlZeroIsForOnce) {
    cache.store(start, kQuestion, found({}), settings);
    EXPECT_EQ(find({}), nullptr);
}

TEST_F(RecordCache_Rfc2308, TimesAreBounded) {
    cache.store(start, kQuestion, found(hours(1000)), settings);
    EXPECT_EQ(find(hours(1)), nullptr);
    cache.store(start, kQuestion, nothing(hours(1000)), settings);
    ASSERT_NE(find(minutes(4)), nullptr);
    EXPECT_EQ(find(minutes(4))->outcome, Outcome::None);
    EXPECT_EQ(find(minutes(5)), nullptr);
}

TEST_F(RecordCache_Rfc2308, AFailureIsNotAskedAboutForAWhile) {
    cache.store(start, kQuestion, RecordSet{}, settings);
    ASSERT_NE(find(seconds(4)), nullptr);
    EXPECT_EQ(find(seconds(4))->outcome, Outcome::Failed);
    EXPECT_EQ(find(seconds(5)), nullptr);
}

TEST_F(RecordCache_Rfc8767_5, WhileTheServersFailAnExpiredAnswerIsUsed) {
    cache.store(start, kQuestion, found(seconds(60)), settings);
    EXPECT_EQ(find(seconds(70)), nullptr);
    ASSERT_NE(cache.last_known(start + seconds(70), kQuestion), nullptr);
    cache.store(start + seconds(70), kQuestion, RecordSet{}, settings);
    ASSERT_NE(find(seconds(99)), nullptr);
    EXPECT_TRUE(is_stale);
    EXPECT_EQ(find(seconds(99))->addresses.size(), 1U);
    // The servers are asked again from time to time.
    EXPECT_EQ(find(seconds(100)), nullptr);
}

TEST_F(RecordCache_Rfc8767_5, AnExpiredAnswerHasItsEnd) {
    cache.store(start, kQuestion, found(seconds(60)), settings);
    EXPECT_NE(cache.last_known(start + hours(23), kQuestion), nullptr);
    EXPECT_EQ(cache.last_known(start + hours(25), kQuestion), nullptr);
    settings.stale_max = {};
    cache.store(start, kQuestion, found(seconds(60)), settings);
    EXPECT_EQ(cache.last_known(start + seconds(61), kQuestion), nullptr);
}

TEST_F(RecordCache_Rfc8767_5, ThatThereAreNoAddressesIsNotUsedWhenExpired) {
    cache.store(start, kQuestion, nothing(seconds(60)), settings);
    EXPECT_EQ(cache.last_known(start + seconds(61), kQuestion), nullptr);
    const Question services{RecordType::Srv, "_sip._udp.a.test"};
    cache.store(start, services, nothing(seconds(60)), settings);
    EXPECT_NE(cache.last_known(start + seconds(61), services), nullptr);
}

TEST(RecordCache_Behaviour, IsBounded) {
    RecordCache cache(100, {1, 2});
    const ResolverSettings settings;
    for (int i = 0; i < 10'000; ++i) {
        cache.store(Instant{}, {RecordType::Address, std::to_string(i)}, found(seconds(60)),
                    settings);
        EXPECT_LE(cache.size(), 100U);
    }
    bool is_stale = false;
    EXPECT_NE(cache.find(Instant{}, {RecordType::Address, "9999"}, is_stale), nullptr);
}

}  // namespace
}  // namespace signalbox::resolver
