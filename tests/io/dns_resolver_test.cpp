// Covers RFC 3263 §4.2 (A and AAAA records of a name). Not covered: NAPTR and SRV (not looked up),
// DNS over TCP (c-ares' own).
#include "io/dns_resolver.h"

#include <gmock/gmock.h>

#include "tests/io/loopback.h"

namespace signalbox::io {
namespace {

/// A name server on loopback that answers A questions with 192.0.2.7 and AAAA questions with
/// nothing, or never answers.
class DnsResolver_Behaviour : public ::testing::Test {
 protected:
    void start() {
        server = open_or_fail(transport::Transport::Udp, kLoopback);
        settings.servers = local_endpoint(server.get()).to_string();
        resolver = std::make_unique<DnsResolver>(
            context, settings, counters, [](void* count) { ++*static_cast<int*>(count); }, &wakes);
    }
    void serve(bool answers) {
        char question[512];
        for (;;) {
            SocketAddress client{};
            socklen_t size = sizeof(client);
            const ssize_t length = ::recvfrom(server.get(), question, sizeof(question),
                                              MSG_DONTWAIT, &client.any, &size);
            if (length <= 0) return;
            ++questions;
            if (!answers) continue;
            std::string reply(question, static_cast<size_t>(length));
            const bool is_a = is_a_question(reply);
            reply[2] = '\x81';
            reply[3] = is_a || !names_missing ? '\x80' : '\x83';
            if (names_missing) {
                reply[3] = '\x83';
            } else if (is_a) {
                reply[7] = 1;
                // A pointer to the question's name, type A, class IN, TTL 60, four octets.
                reply += std::string("\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4\xc0\0\2\7", 16);
            }
            reply[10] = reply[11] = 0;
            ::sendto(server.get(), reply.data(), reply.size(), 0, &client.any, size);
        }
    }
    static bool is_a_question(const std::string& question) {
        size_t at = 12;
        while (question[at] != 0) at += static_cast<size_t>(question[at]) + 1;
        return question[at + 2] == 1;
    }
    bool run(bool answers, size_t count) {
        return run_until(context, [&] {
            serve(answers);
            return resolver->answers().size() >= count;
        });
    }

    asio::io_context context{1};
    DnsSettings settings;
    Counters counters;
    FileDescriptor server;
    std::unique_ptr<DnsResolver> resolver;
    Instant now = read_clocks().monotonic;  // as the reactor's own events tell it
    int wakes = 0;
    int questions = 0;
    bool names_missing = false;
};

TEST_F(DnsResolver_Behaviour, AnswersWithTheAddressesOfAName) {
    start();
    resolver->resolve(now, 7, "phone.example.org");
    EXPECT_TRUE(resolver->answers().empty());
    ASSERT_TRUE(run(true, 1));
    EXPECT_EQ(resolver->answers()[0].id, 7u);
    EXPECT_THAT(resolver->answers()[0].addresses,
                ::testing::ElementsAre(IpAddress::v4(192, 0, 2, 7)));
    EXPECT_GE(wakes, 1);
}

TEST_F(DnsResolver_Behaviour, SharesALookupAndRemembersItsAnswer) {
    start();
    resolver->resolve(now, 1, "phone.example.org");
    resolver->resolve(now, 2, "phone.example.org");
    ASSERT_TRUE(run(true, 2));
    const int asked = questions;
    resolver->resolve(now, 3, "phone.example.org");
    ASSERT_EQ(resolver->answers().size(), 3u);
    EXPECT_EQ(resolver->answers()[2].addresses.size(), 1u);
    EXPECT_EQ(questions, asked);
    EXPECT_EQ(counters.value(Counter::dns_lookups_total), 3u);
}

TEST_F(DnsResolver_Behaviour, KnowsTheNamesOfTheHostsFile) {
    start();
    resolver->resolve(now, 1, "localhost");
    ASSERT_TRUE(run(false, 1));
    EXPECT_THAT(resolver->answers()[0].addresses, ::testing::Contains(IpAddress::v4(127, 0, 0, 1)));
}

TEST_F(DnsResolver_Behaviour, AnswersWithNothingForANameThatDoesNotExistAndRemembersThat) {
    names_missing = true;
    start();
    resolver->resolve(now, 1, "missing.example.org");
    ASSERT_TRUE(run(true, 1));
    EXPECT_TRUE(resolver->answers()[0].addresses.empty());
    EXPECT_EQ(counters.value(Counter::dns_failures_total), 1u);
    resolver->resolve(now, 2, "missing.example.org");
    EXPECT_EQ(resolver->answers().size(), 2u);
}

TEST_F(DnsResolver_Behaviour, AServerThatNeverAnswersCostsTheBudgetAndNoMore) {
    start();
    resolver->resolve(now, 1, "phone.example.org");
    EXPECT_LE(resolver->next_deadline(), now + settings.budget);
    resolver->on_time(now + settings.budget - std::chrono::milliseconds(1));
    EXPECT_TRUE(resolver->answers().empty());
    resolver->on_time(now + settings.budget);
    ASSERT_EQ(resolver->answers().size(), 1u);
    EXPECT_TRUE(resolver->answers()[0].addresses.empty());
}

TEST_F(DnsResolver_Behaviour, BoundsTheNamesInFlight) {
    settings.queries_max = 2;
    start();
    resolver->resolve(now, 1, "one.example.org");
    resolver->resolve(now, 2, "two.example.org");
    EXPECT_TRUE(resolver->answers().empty());
    resolver->resolve(now, 3, "three.example.org");
    ASSERT_EQ(resolver->answers().size(), 1u);
    EXPECT_EQ(resolver->answers()[0].id, 3u);
    EXPECT_TRUE(resolver->answers()[0].addresses.empty());
}

TEST_F(DnsResolver_Behaviour, AnswersNamesThatAreNoNames) {
    start();
    resolver->resolve(now, 1, "");
    resolver->resolve(now, 2, std::string(300, 'x'));
    resolver->resolve(now, 3, "a..b");
    ASSERT_TRUE(run(true, 3));
    for (const DnsAnswer& answer : resolver->answers()) EXPECT_TRUE(answer.addresses.empty());
}

TEST_F(DnsResolver_Behaviour, IsIdleWithoutQuestions) {
    start();
    EXPECT_EQ(resolver->next_deadline(), kNever);
    resolver->resolve(now, 1, "phone.example.org");
    ASSERT_TRUE(run(true, 1));
    EXPECT_EQ(resolver->next_deadline(), kNever);
}

}  // namespace
}  // namespace signalbox::io
