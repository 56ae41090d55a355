// Covers: RFC 3263 §4 (the questions that it puts to DNS), RFC 1035 §4.2 (UDP, and TCP for what is
// truncated), RFC 8305 §3 (one type is silent); servers that hang, fail or babble. Not covered:
// remembering (record_cache_test).
#include "io/dns_resolver.h"

#include <gmock/gmock.h>

#include "tests/io/name_server.h"

namespace signalbox::io {
namespace {

using resolver::Outcome;
using resolver::RecordType;
using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::ElementsAre;

constexpr uint16_t kA = 1, kCname = 5, kAaaa = 28, kSrv = 33;
const std::string kSevenOctets("\xc0\0\2\7", 4);
const std::string kSixOctets("\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\6", 16);

class DnsResolverTest : public ::testing::Test {
 protected:
    void start() {
        settings.servers = server.address();
        resolver = std::make_unique<DnsResolver>(
            context, settings, counters, [](void* count) { ++*static_cast<int*>(count); }, &wakes);
    }
    void ask(uint64_t id, RecordType type, const std::string& name) {
        resolver->resolve(now, id, {type, name});
    }
    bool run(size_t count) {
        return run_until(context, [&] {
            server.serve();
            return resolver->answers().size() >= count;
        });
    }
    const resolver::RecordSet& records(size_t index = 0) {
        return resolver->answers().at(index).records;
    }
    void answer_addresses() {
        server.answer = [](const NameServer::Question& question) {
            DnsAnswerText answer;
            if (question.type == kA) answer.answers = {{kA, 60, kSevenOctets, {}}};
            return answer;
        };
    }

    void answer_both_families() {
        server.answer = [](const NameServer::Question& question) {
            DnsAnswerText answer;
            if (question.type == kA) answer.answers = {{kA, 60, kSevenOctets, {}}};
            if (question.type == kAaaa) answer.answers = {{kAaaa, 50, kSixOctets, {}}};
            return answer;
        };
    }
    /// Lets time pass for real: c-ares has a clock of its own.
    bool run_with_time(size_t count) {
        return run_until(context, [&] {
            server.serve();
            resolver->on_time(read_clocks().monotonic);
            return resolver->answers().size() >= count;
        });
    }

    asio::io_context context{1};
    DnsSettings settings;
    Counters counters;
    NameServer server;
    std::unique_ptr<DnsResolver> resolver;
    Instant now = read_clocks().monotonic;  // as the reactor's own events tell it
    int wakes = 0;
};

using DnsResolver_Behaviour = DnsResolverTest;
using DnsResolver_Rfc1035_4_2 = DnsResolverTest;

TEST_F(DnsResolver_Behaviour, AnswersWithTheAddressesOfAName) {
    answer_addresses();
    start();
    ask(7, RecordType::Address, "phone.example.org");
    EXPECT_TRUE(resolver->answers().empty());
    ASSERT_TRUE(run(1));
    EXPECT_EQ(resolver->answers()[0].id, 7u);
    EXPECT_EQ(records().outcome, Outcome::Found);
    EXPECT_EQ(records().ttl, seconds(60));
    EXPECT_THAT(records().addresses, ElementsAre(IpAddress::v4(192, 0, 2, 7)));
    EXPECT_GE(wakes, 1);
}

TEST_F(DnsResolver_Behaviour, AsksForTheFamiliesThatAreOfUseOnly) {
    settings.only_family = Family::V4;
    answer_addresses();
    start();
    ask(1, RecordType::Address, "phone.example.org");
    ASSERT_TRUE(run(1));
    EXPECT_EQ(records().addresses.size(), 1U);
    EXPECT_EQ(server.udp_questions, 1);
}

using DnsResolver_Rfc8305_3 = DnsResolverTest;

TEST_F(DnsResolver_Rfc8305_3, BothFamiliesComeTogether) {
    answer_both_families();
    start();
    ask(1, RecordType::Address, "both.test");
    ASSERT_TRUE(run(1));
    EXPECT_THAT(records().addresses,
                ElementsAre(IpAddress::v4(192, 0, 2, 7), *IpAddress::parse("2001:db8::6")));
    EXPECT_EQ(records().ttl, seconds(50));
    EXPECT_EQ(counters.value(Counter::dns_questions_overdue_total), 0U);
}

TEST_F(DnsResolver_Rfc8305_3, AServerThatDropsOneTypeCostsTheResolutionDelay) {
    answer_both_families();
    for (const uint16_t silent : {kAaaa, kA}) {
        server.drops = [silent](const NameServer::Question& question) {
            return question.type == silent;
        };
        start();
        const Instant began = read_clocks().monotonic;
        now = began;
        ask(1, RecordType::Address, "half.test");
        ASSERT_TRUE(run_with_time(1));
        // c-ares gives up after 3.5 s.
        EXPECT_LT(read_clocks().monotonic - began, milliseconds(2500));
        EXPECT_EQ(records().outcome, Outcome::Found);
        EXPECT_EQ(records().addresses.size(), 1U);
        // It is asked for again soon.
        EXPECT_EQ(records().ttl, seconds(30));
    }
    EXPECT_EQ(counters.value(Counter::dns_questions_overdue_total), 2U);
}

TEST_F(DnsResolver_Rfc8305_3, ASilentTypeBesideOneThatIsNotThereIsWaitedFor) {
    server.drops = [](const NameServer::Question& question) { return question.type == kAaaa; };
    start();
    ask(1, RecordType::Address, "nothing.test");
    ASSERT_TRUE(run_until(context, [&] {
        server.serve();
        return server.udp_questions >= 2;
    }));
    // The answer to A has arrived when another lookup, asked behind it, is answered.
    server.drops = [](const NameServer::Question& question) {
        return question.type == kAaaa && question.name == "nothing.test";
    };
    ask(2, RecordType::Naptr, "other.test");
    ASSERT_TRUE(run(1));
    EXPECT_EQ(resolver->answers()[0].id, 2u);
    resolver->answers().clear();
    resolver->on_time(now + settings.budget);
    ASSERT_EQ(resolver->answers().size(), 1U);
    EXPECT_EQ(records().outcome, Outcome::Failed);
}

TEST_F(DnsResolver_Behaviour, FollowsAnAliasToItsAddresses) {
    server.answer = [](const NameServer::Question& question) {
        DnsAnswerText answer;
        answer.answers = {{kCname, 5, DnsText().name("real.test").text(), {}}};
        if (question.type == kA) answer.answers.push_back({kA, 60, kSevenOctets, "real.test"});
        return answer;
    };
    start();
    ask(1, RecordType::Address, "alias.test");
    ASSERT_TRUE(run(1));
    EXPECT_THAT(records().addresses, ElementsAre(IpAddress::v4(192, 0, 2, 7)));
}

TEST_F(DnsResolver_Behaviour, KnowsTheNamesOfTheHostsFile) {
    server.hangs = true;
    start();
    ask(1, RecordType::Address, "localhost");
    ASSERT_TRUE(run(1));
    EXPECT_THAT(records().addresses, ::testing::Contains(IpAddress::v4(127, 0, 0, 1)));
}

TEST_F(DnsResolver_Behaviour, AnswersWithSrvRecords) {
    server.answer = [](const NameServer::Question& question) {
        EXPECT_EQ(question.name, "_sip._udp.example.org");
        DnsAnswerText answer;
        for (uint16_t i = 1; i <= 12; ++i) {
            answer.answers.push_back({kSrv, 60, srv_data(i, 0, 5060, "s.test"), {}});
        }
        return answer;
    };
    start();
    ask(1, RecordType::Srv, "_sip._udp.example.org");
    ASSERT_TRUE(run(1));
    EXPECT_EQ(records().services.size(), 12U);
    EXPECT_EQ(records().services[11].priority, 12);
}

TEST_F(DnsResolver_Rfc1035_4_2, ATruncatedAnswerIsFetchedOverTcp) {
    server.truncates = true;
    server.answer = [](const NameServer::Question&) {
        DnsAnswerText answer;
        for (uint16_t i = 1; i <= 30; ++i) {
            const std::string name = std::string(50, 'x') + ".test";
            answer.answers.push_back({kSrv, 60, srv_data(i, 0, 5060, name), {}});
        }
        return answer;
    };
    start();
    ask(1, RecordType::Srv, "_sip._udp.example.org");
    ASSERT_TRUE(run(1));
    EXPECT_EQ(records().services.size(), 30U);
    EXPECT_EQ(server.tcp_questions, 1);
}

TEST_F(DnsResolver_Behaviour, ANameThatDoesNotExistIsNone) {
    server.answer = [](const NameServer::Question&) {
        DnsAnswerText answer;
        answer.rcode = 3;
        return answer;
    };
    start();
    ask(1, RecordType::Address, "missing.test");
    ask(2, RecordType::Srv, "_sip._udp.missing.test");
    ask(3, RecordType::Naptr, "missing.test");
    ASSERT_TRUE(run(3));
    for (size_t i = 0; i < 3; ++i) EXPECT_EQ(records(i).outcome, Outcome::None);
    EXPECT_EQ(counters.value(Counter::dns_server_failures_total), 0U);
}

TEST_F(DnsResolver_Behaviour, TheMachinesOwnDomainsAreNotAppended) {
    std::vector<std::string> names;
    server.answer = [&names](const NameServer::Question& question) {
        names.push_back(question.name);
        DnsAnswerText answer;
        answer.rcode = 3;
        return answer;
    };
    start();
    ask(1, RecordType::Address, "single");
    ASSERT_TRUE(run(1));
    for (const std::string& name : names) EXPECT_EQ(name, "single");
}

TEST_F(DnsResolver_Behaviour, AServerThatFailsIsNoAnswer) {
    server.answer = [](const NameServer::Question&) {
        DnsAnswerText answer;
        answer.rcode = 2;
        return answer;
    };
    start();
    ask(1, RecordType::Srv, "_sip._udp.example.org");
    ASSERT_TRUE(run(1));
    EXPECT_EQ(records().outcome, Outcome::Failed);
    EXPECT_EQ(counters.value(Counter::dns_server_failures_total), 1U);
}

TEST_F(DnsResolver_Behaviour, ARecordThatCannotBeReadIsNoAnswer) {
    server.answer = [](const NameServer::Question&) {
        DnsAnswerText answer;
        answer.answers = {{kSrv, 60, "abc", {}}};
        return answer;
    };
    start();
    ask(1, RecordType::Srv, "_sip._udp.example.org");
    ASSERT_TRUE(run(1));
    EXPECT_EQ(records().outcome, Outcome::Failed);
    EXPECT_EQ(counters.value(Counter::dns_malformed_answers_total), 1U);
}

TEST_F(DnsResolver_Behaviour, NoiseBeforeTheAnswerDoesNoHarm) {
    server.babbles = true;
    answer_addresses();
    start();
    ask(1, RecordType::Address, "phone.example.org");
    ASSERT_TRUE(run(1));
    EXPECT_EQ(records().addresses.size(), 1U);
}

TEST_F(DnsResolver_Behaviour, AServerThatNeverAnswersCostsTheBudgetAndNoMore) {
    server.hangs = true;
    start();
    ask(1, RecordType::Address, "phone.example.org");
    ask(2, RecordType::Naptr, "example.org");
    EXPECT_LE(resolver->next_deadline(), now + settings.budget);
    resolver->on_time(now + milliseconds(10));
    EXPECT_TRUE(resolver->answers().empty());
    resolver->on_time(now + settings.budget);
    ASSERT_EQ(resolver->answers().size(), 2u);
    for (size_t i = 0; i < 2; ++i) EXPECT_EQ(records(i).outcome, Outcome::Failed);
}

TEST_F(DnsResolver_Behaviour, BoundsTheQuestionsInFlight) {
    server.hangs = true;
    settings.queries_max = 2;
    start();
    ask(1, RecordType::Address, "one.example.org");
    ask(2, RecordType::Srv, "two.example.org");
    EXPECT_TRUE(resolver->answers().empty());
    ask(3, RecordType::Address, "three.example.org");
    ASSERT_EQ(resolver->answers().size(), 1u);
    EXPECT_EQ(resolver->answers()[0].id, 3u);
    EXPECT_EQ(records().outcome, Outcome::Failed);
}

TEST_F(DnsResolver_Behaviour, AnswersNamesThatAreNoNames) {
    start();
    ask(1, RecordType::Address, "");
    ask(2, RecordType::Address, std::string(300, 'x'));
    ask(3, RecordType::Address, "a..b");
    ask(4, RecordType::Srv, "_sip._udp.a..b");
    ask(5, RecordType::Naptr, std::string(70, 'x') + ".test");
    ASSERT_TRUE(run(5));
    for (const DnsAnswer& answer : resolver->answers()) {
        EXPECT_NE(answer.records.outcome, Outcome::Found);
    }
}

TEST_F(DnsResolver_Behaviour, IsIdleWithoutQuestions) {
    start();
    EXPECT_EQ(resolver->next_deadline(), kNever);
    ask(1, RecordType::Address, "phone.example.org");
    ASSERT_TRUE(run(1));
    EXPECT_EQ(resolver->next_deadline(), kNever);
}

}  // namespace
}  // namespace signalbox::io
