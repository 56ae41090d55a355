// All lookups of one shard: shared questions, one cache, bounded waits.
// Covers: RFC 3263 §4 (stages and their time), RFC 8767 §5, RFC 3261 §16.11 (the stable choice).
// Not covered: the order of hops (server_lookup_test), the cache's times (record_cache_test).
#include "resolver/resolver.h"

#include "tests/resolver/lookup_fixture.h"

namespace signalbox::resolver {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

struct ResolverTest : ::testing::Test {
    ResolverTest() {
        zone.names["_sip._udp.a.test"].services = {{1, 0, 5060, "one.test"},
                                                   {2, 0, 5060, "two.test"}};
        zone.names["one.test"].addresses = {IpAddress::v4(192, 0, 2, 1)};
        zone.names["two.test"].addresses = {IpAddress::v4(192, 0, 2, 2)};
    }
    LookupHandle begin(std::string_view uri, uint64_t owner = 1) {
        return resolver.begin(now, settings, destination(uri), udp_and_tcp(), 7, owner);
    }
    std::string next(LookupHandle handle) {
        Hop hop;
        switch (resolver.next(now, settings, handle, hop)) {
            case Progress::Ready:
                return text_of(hop);
            case Progress::Waiting:
                return "waiting";
            case Progress::Exhausted:
                break;
        }
        return "exhausted";
    }
    /// Answers what is asked, but for names that `hang`.
    void answer(const std::string& hangs = "") {
        while (!resolver.questions().empty()) {
            const Resolver::Asked asked = resolver.questions().front();
            resolver.questions().erase(resolver.questions().begin());
            if (!hangs.empty() && asked.question.name.find(hangs) != std::string::npos) {
                late = asked.id;
                continue;
            }
            resolver.answer(now, settings, asked.id, zone.answer(asked.question), owners);
        }
    }
    void fail_all() {
        while (!resolver.questions().empty()) {
            const Resolver::Asked asked = resolver.questions().front();
            resolver.questions().erase(resolver.questions().begin());
            resolver.answer(now, settings, asked.id, RecordSet{}, owners);
        }
    }
    void wait(Duration time) { now.monotonic += time; }

    Zone zone;
    Counters counters;
    ResolverSettings settings;
    Resolver resolver{
        {.lookups_max = 1000, .questions_max = 8, .cache_max = 100}, {1, 2}, counters};
    Now now{Instant{seconds(1000)}, {}};
    std::vector<uint64_t> owners;
    uint64_t late = 0;  // the last question that hangs
};

using Resolver_Rfc3263_4 = ResolverTest;
using Resolver_Rfc8767_5 = ResolverTest;
using Resolver_Rfc3261_16_11 = ResolverTest;

TEST_F(Resolver_Rfc3263_4, TellsItsOwnersWhenALookupMayGoOn) {
    const LookupHandle lookup = begin("sip:a.test", 42);
    EXPECT_EQ(next(lookup), "waiting");
    answer();
    EXPECT_FALSE(owners.empty());
    for (const uint64_t owner : owners) EXPECT_EQ(owner, 42U);
    EXPECT_EQ(next(lookup), "UDP 192.0.2.1:5060");
    EXPECT_TRUE(resolver.has_more(lookup));
    EXPECT_EQ(next(lookup), "UDP 192.0.2.2:5060");
    EXPECT_FALSE(resolver.has_more(lookup));
    EXPECT_EQ(next(lookup), "exhausted");
    resolver.end(lookup);
    EXPECT_EQ(resolver.lookup_count(), 0U);
}

TEST_F(Resolver_Rfc3263_4, LookupsShareAQuestionAndItsAnswer) {
    const LookupHandle first = begin("sip:a.test", 1);
    const LookupHandle second = begin("sip:a.test", 2);
    EXPECT_EQ(resolver.questions().size(), 1U);
    answer();
    EXPECT_EQ(next(first), next(second));
    const size_t asked = zone.asked.size();
    EXPECT_EQ(next(begin("sip:a.test", 3)), "UDP 192.0.2.1:5060");
    answer();
    EXPECT_EQ(zone.asked.size(), asked);
    EXPECT_GT(counters.value(Counter::dns_cache_hits_total), 0U);
}

TEST_F(Resolver_Rfc3263_4, TtlZeroIsUsedOnceAndAskedForAgain) {
    zone.ttl = {};
    const LookupHandle lookup = begin("sip:a.test");
    answer();
    EXPECT_EQ(next(lookup), "UDP 192.0.2.1:5060");
    EXPECT_EQ(next(begin("sip:a.test")), "waiting");
}

TEST_F(Resolver_Rfc3263_4, QuestionsInFlightAreBounded) {
    for (int i = 0; i < 8; ++i) begin("sip:hang" + std::to_string(i) + ".test");
    EXPECT_EQ(resolver.questions().size(), 8U);
    EXPECT_EQ(next(begin("sip:more.test")), "exhausted");
    EXPECT_GT(counters.value(Counter::dns_questions_refused_total), 0U);
    // A question that is in flight may be shared still.
    EXPECT_EQ(next(begin("sip:hang3.test")), "waiting");
    // The driver lost them: their places come free.
    wait(4 * settings.lookup_max + milliseconds(1));
    EXPECT_EQ(next(begin("sip:later.test")), "waiting");
}

TEST_F(Resolver_Rfc3263_4, LookupsAreBounded) {
    for (uint64_t i = 0; i < 1000; ++i) EXPECT_TRUE(begin("sip:a.test", i));
    EXPECT_FALSE(begin("sip:a.test"));
    EXPECT_EQ(counters.value(Counter::dns_lookups_refused_total), 1U);
}

TEST_F(Resolver_Rfc3263_4, EachStageHasItsShareOfTheTime) {
    settings.lookup_max = seconds(3);
    const LookupHandle lookup = begin("sip:a.test");
    const Instant start = now.monotonic;
    EXPECT_EQ(next(lookup), "waiting");
    EXPECT_EQ(resolver.wait_until(settings, lookup), start + seconds(1));
    resolver.stop_waiting(now, settings, lookup);
    EXPECT_EQ(next(lookup), "waiting");
    EXPECT_EQ(resolver.wait_until(settings, lookup), start + seconds(2));
    resolver.stop_waiting(now, settings, lookup);
    resolver.stop_waiting(now, settings, lookup);
    EXPECT_EQ(next(lookup), "waiting");
    EXPECT_EQ(resolver.wait_until(settings, lookup), start + seconds(3));
    resolver.stop_waiting(now, settings, lookup);
    EXPECT_EQ(next(lookup), "exhausted");
}

TEST_F(Resolver_Rfc3263_4, AMissingHopIsNotWaitedForLongWhileAnotherIsKnown) {
    const LookupHandle lookup = begin("sip:a.test");
    answer("one.test");
    EXPECT_EQ(next(lookup), "waiting");
    EXPECT_EQ(resolver.wait_until(settings, lookup), now.monotonic + milliseconds(500));
    resolver.stop_waiting(now, settings, lookup);
    EXPECT_EQ(next(lookup), "UDP 192.0.2.2:5060");
    // What is late is a hop all the same when it comes.
    EXPECT_EQ(next(lookup), "waiting");
    resolver.answer(now, settings, late, zone.answer({RecordType::Address, "one.test"}), owners);
    EXPECT_EQ(next(lookup), "UDP 192.0.2.1:5060");
    EXPECT_EQ(next(lookup), "exhausted");
}

TEST_F(Resolver_Rfc3263_4, ALateAnswerFeedsTheCacheOnly) {
    const LookupHandle lookup = begin("sip:one.test:5060");
    resolver.end(lookup);
    answer();
    EXPECT_TRUE(owners.empty());
    EXPECT_EQ(next(begin("sip:one.test:5060")), "UDP 192.0.2.1:5060");
}

TEST_F(Resolver_Rfc3263_4, AnAnswerToNothingIsDropped) {
    resolver.answer(now, settings, 77, RecordSet{}, owners);
    EXPECT_EQ(counters.value(Counter::stale_handles_dropped_total), 1U);
}

TEST_F(Resolver_Rfc8767_5, AnExpiredAnswerIsUsedWhileTheServersFail) {
    zone.ttl = seconds(10);
    const LookupHandle first = begin("sip:one.test:5060");
    answer();
    EXPECT_EQ(next(first), "UDP 192.0.2.1:5060");
    wait(minutes(10));
    const LookupHandle second = begin("sip:one.test:5060");
    EXPECT_EQ(next(second), "waiting");
    fail_all();
    EXPECT_EQ(next(second), "UDP 192.0.2.1:5060");
    // Nobody waits for the dead servers again for a while.
    EXPECT_EQ(next(begin("sip:one.test:5060")), "UDP 192.0.2.1:5060");
    EXPECT_EQ(counters.value(Counter::dns_stale_answers_total), 2U);
}

TEST_F(Resolver_Rfc8767_5, AnExpiredAnswerIsUsedWhenNoneComesInTime) {
    zone.ttl = seconds(10);
    begin("sip:one.test:5060");
    answer();
    wait(minutes(10));
    const LookupHandle lookup = begin("sip:one.test:5060");
    EXPECT_EQ(next(lookup), "waiting");
    EXPECT_EQ(resolver.wait_until(settings, lookup), now.monotonic + milliseconds(500));
    resolver.stop_waiting(now, settings, lookup);
    EXPECT_EQ(next(lookup), "UDP 192.0.2.1:5060");
    EXPECT_EQ(next(begin("sip:one.test:5060")), "UDP 192.0.2.1:5060");
}

TEST_F(Resolver_Rfc3261_16_11, TheStableChoiceKnowsWhatTheCacheKnows) {
    const auto pick = [&](uint64_t draw) {
        return resolver.pick(now, destination("sip:a.test"), udp_and_tcp(), draw);
    };
    EXPECT_FALSE(pick(1));
    begin("sip:a.test");
    answer();
    ASSERT_TRUE(pick(1));
    EXPECT_EQ(text_of(*pick(1)), "UDP 192.0.2.1:5060");
    resolver.health().failed(now.monotonic, *pick(1), seconds(30));
    EXPECT_EQ(text_of(*pick(1)), "UDP 192.0.2.2:5060") << "not the one that is held down";
    resolver.health().failed(now.monotonic, *pick(1), seconds(30));
    EXPECT_EQ(text_of(*pick(1)), "UDP 192.0.2.1:5060") << "where all are, the first";
}

}  // namespace
}  // namespace signalbox::resolver
