// Messages between shards as bytes.
// Covers: each message both ways, and bytes that are none. Not covered: who asks what
// (shards_test).
#include "proxy/shard_message.h"

#include <gtest/gtest.h>

#include "tests/proxy/support.h"

namespace signalbox::proxy {
namespace {

template <class T>
T again(const T& message, std::string& bytes) {
    bytes.clear();
    encode(ShardMessage(message), bytes);
    const auto decoded = decode_shard_message(bytes);
    CHECK(decoded.has_value() && std::holds_alternative<T>(*decoded));
    return std::get<T>(*decoded);
}

TEST(ShardMessage_Behaviour, ACredentialQuestionComesBack) {
    CredentialQuestion question;
    question.id = 0x123456789abcdef0;
    question.tenant = 7;
    question.method = "INVITE";
    question.request_uri = "sip:b@example.test";
    question.credentials = "Digest x";
    question.is_any_user = true;
    question.identity = "alice";
    question.preferred = "sales";
    question.source = *IpAddress::parse("2001:db8::9");
    std::string bytes;
    const CredentialQuestion copy = again(question, bytes);
    EXPECT_EQ(copy.id, question.id);
    EXPECT_EQ(copy.tenant, 7U);
    EXPECT_EQ(copy.method, "INVITE");
    EXPECT_EQ(copy.request_uri, question.request_uri);
    EXPECT_EQ(copy.credentials, "Digest x");
    EXPECT_TRUE(copy.is_any_user);
    EXPECT_EQ(copy.identity, "alice");
    EXPECT_EQ(copy.preferred, "sales");
    EXPECT_EQ(copy.source, question.source);
}

TEST(ShardMessage_Behaviour, ACredentialAnswerComesBack) {
    std::string bytes;
    for (const auto verdict :
         {CredentialVerdict::Accepted, CredentialVerdict::NotThisIdentity, CredentialVerdict::Wrong,
          CredentialVerdict::Stale, CredentialVerdict::Malformed, CredentialVerdict::Unanswered}) {
        const CredentialAnswer copy = again(CredentialAnswer{5, verdict, "alice", true}, bytes);
        EXPECT_TRUE(copy.may_prefer);
        EXPECT_EQ(copy.id, 5U);
        EXPECT_EQ(copy.verdict, verdict);
        EXPECT_EQ(copy.user, "alice");
    }
}

TEST(ShardMessage_Behaviour, AStatelessRequestComesBack) {
    StatelessRequest request;
    request.tenant = 7;
    request.aor = "bob";
    request.loop_hash = 0x123456789abcdef0;
    request.flow = testing::flow("198.51.100.10:5060", transport::Transport::Tcp);
    request.bytes = "INVITE sip:bob@example.test SIP/2.0\r\n\r\n";
    std::string bytes;
    for (const bool needs_state : {false, true}) {
        request.needs_state = needs_state;
        const StatelessRequest copy = again(request, bytes);
        EXPECT_EQ(copy.tenant, 7U);
        EXPECT_EQ(copy.aor, "bob");
        EXPECT_EQ(copy.loop_hash, request.loop_hash);
        EXPECT_EQ(copy.flow, request.flow);
        EXPECT_EQ(copy.bytes, request.bytes);
        EXPECT_EQ(copy.needs_state, needs_state);
    }
}

TEST(ShardMessage_Behaviour, LocationsComeBackWithTheirFlows) {
    std::string bytes;
    const LocationQuestion question = again(LocationQuestion{6, 1, "bob"}, bytes);
    EXPECT_EQ(question.id, 6U);
    EXPECT_EQ(question.aor, "bob");
    LocationAnswer answer;
    answer.id = 6;
    answer.exists = true;
    answer.targets.push_back({"sip:b@198.51.100.1", 300, true,
                              testing::flow("198.51.100.1:40000", transport::Transport::Tcp)});
    answer.targets.push_back(
        {"sip:b@198.51.100.2", 1000, false, {}, "<sip:edge.test;lr>", 77, true});
    const LocationAnswer copy = again(answer, bytes);
    EXPECT_TRUE(copy.exists);
    ASSERT_EQ(copy.targets.size(), 2U);
    EXPECT_EQ(copy.targets[0].uri, "sip:b@198.51.100.1");
    EXPECT_EQ(copy.targets[0].q, 300);
    EXPECT_TRUE(copy.targets[0].has_flow);
    EXPECT_EQ(copy.targets[0].flow, answer.targets[0].flow);
    EXPECT_FALSE(copy.targets[1].has_flow);
    EXPECT_EQ(copy.targets[1].path, "<sip:edge.test;lr>");
    EXPECT_EQ(copy.targets[1].instance, 77U);
    EXPECT_TRUE(copy.targets[1].is_other_flow);
    EXPECT_FALSE(copy.targets[0].is_other_flow);
    EXPECT_FALSE(again(LocationAnswer{}, bytes).exists);
}

TEST(ShardMessage_Behaviour, ABlockComesBack) {
    std::string bytes;
    const SourceBlocked copy =
        again(SourceBlocked{IpAddress::v4(203, 0, 113, 1), Instant(std::chrono::hours(3))}, bytes);
    EXPECT_EQ(copy.address, IpAddress::v4(203, 0, 113, 1));
    EXPECT_EQ(copy.until, Instant(std::chrono::hours(3)));
}

TEST(ShardMessage_Behaviour, AMoveComesBack) {
    const FlowMoved move{7, "bob", testing::flow("203.0.113.1:40000"),
                         testing::flow("203.0.113.1:40001", transport::Transport::Tcp)};
    std::string bytes;
    const FlowMoved copy = again(move, bytes);
    EXPECT_EQ(copy.tenant, 7U);
    EXPECT_EQ(copy.aor, "bob");
    EXPECT_EQ(copy.from, move.from);
    EXPECT_EQ(copy.to, move.to);
}

TEST(ShardMessage_Behaviour, NewsOfANextHopComeBack) {
    std::string bytes;
    const HopNews copy =
        again(HopNews{transport::Transport::Tcp, *Endpoint::parse("203.0.113.1:5061"),
                      Instant(std::chrono::hours(3))},
              bytes);
    EXPECT_EQ(copy.transport, transport::Transport::Tcp);
    EXPECT_EQ(copy.remote, *Endpoint::parse("203.0.113.1:5061"));
    EXPECT_EQ(copy.until, Instant(std::chrono::hours(3)));
}

TEST(ShardMessage_Behaviour, ACutMessageIsNone) {
    LocationAnswer answer;
    answer.targets.push_back({"sip:b@198.51.100.1", 300, true, testing::flow()});
    std::string bytes;
    encode(ShardMessage(answer), bytes);
    for (size_t size = 0; size < bytes.size(); ++size)
        EXPECT_FALSE(decode_shard_message(std::string_view(bytes).substr(0, size))) << size;
    EXPECT_FALSE(decode_shard_message(std::string(100, '\xff')));
}

}  // namespace
}  // namespace signalbox::proxy
