// Responses that the server makes itself.
// Covers: RFC 3261 §8.2.6, §8.2.7 (stateless), §17.1.1.3 (their ACK), §22.3 (challenges). Not
// covered: the builder (response_builder_test).
#include "proxy/local_reply.h"

#include <gtest/gtest.h>

#include "tests/proxy/support.h"

namespace signalbox::proxy {
namespace {

using testing::Read;
using testing::request_text;

struct LocalReplyTest : ::testing::Test {
    Counters counters;
    LocalReply reply{{1, 2}, counters};
    transport::Transmits out;

    std::string sent() {
        CHECK(out.list().size() == 1);
        return std::string(out.bytes(out.list()[0]));
    }
    void send(const Read& read, const Rejection& rejection) {
        out.clear();
        reply.send_stateless(read->message, read->flow, read->snapshot, rejection, out);
    }
};

using LocalReply_Rfc3261_8_2_7 = LocalReplyTest;

TEST_F(LocalReply_Rfc3261_8_2_7, AnswersFromTheRequestWithItsReasonAndHeaders) {
    const Read read(request_text("INVITE sip:b@example.test", {}), testing::snapshot(),
                    testing::flow("203.0.113.9:40000"));
    Rejection rejection{420, "No such thing", {}};
    rejection.headers[0] = {"Unsupported", "a, b"};
    send(read, rejection);
    const std::string text = sent();
    EXPECT_EQ(text.substr(0, text.find("\r\n")), "SIP/2.0 420 No such thing");
    EXPECT_NE(text.find("Unsupported: a, b\r\n"), std::string::npos);
    EXPECT_NE(text.find(";branch=z9hG4bKone;received=203.0.113.9\r\n"), std::string::npos);
    EXPECT_EQ(out.list()[0].flow.remote, *Endpoint::parse("203.0.113.9:40000"));
    EXPECT_EQ(counters.value(Counter::requests_refused_total), 1U);
}

TEST_F(LocalReply_Rfc3261_8_2_7, TheToTagIsTheSameForARetransmissionAndItsAck) {
    const std::string text = request_text("INVITE sip:b@example.test", {});
    const std::string tag(reply.to_tag(*Read(text)).view());
    EXPECT_EQ(reply.to_tag(*Read(text)).view(), tag);
    EXPECT_TRUE(reply.is_ack_to_stateless(*Read(request_text("ACK sip:b@example.test", {}, tag))));
    EXPECT_FALSE(
        reply.is_ack_to_stateless(*Read(request_text("ACK sip:b@example.test", {}, "b1"))));
    EXPECT_FALSE(reply.is_ack_to_stateless(*Read(request_text("ACK sip:b@example.test", {}))));
    std::string other = request_text("ACK sip:b@example.test", {}, tag);
    other.replace(other.find("call-1"), 6, "call-2");
    EXPECT_FALSE(reply.is_ack_to_stateless(*Read(other)));
    const LocalReply stranger{{3, 4}, counters};
    EXPECT_NE(stranger.to_tag(*Read(text)).view(), tag);
}

TEST_F(LocalReply_Rfc3261_8_2_7, AnAckIsNeverAnswered) {
    send(Read(request_text("ACK sip:b@example.test", {}, "b1")), {400, {}, {}});
    EXPECT_TRUE(out.list().empty());
}

TEST_F(LocalReply_Rfc3261_8_2_7, AChallengeNamesTheRealmAndTheNonce) {
    const Read read(request_text("INVITE sip:b@example.test", {}));
    for (const int status : {401, 407}) {
        const std::string text(reply.render_challenge(*read, status, "n0nce", true));
        EXPECT_NE(text.find(status == 401 ? "\r\nWWW-Authenticate: Digest"
                                          : "\r\nProxy-Authenticate: Digest"),
                  std::string::npos);
        EXPECT_NE(text.find("realm=\"example.test\""), std::string::npos);
        EXPECT_NE(text.find("nonce=\"n0nce\""), std::string::npos);
        EXPECT_NE(text.find("stale=true"), std::string::npos);
    }
}

TEST_F(LocalReply_Rfc3261_8_2_7, A100HasNoToTag) {
    const Read read(request_text("INVITE sip:b@example.test", {"Timestamp: 5"}));
    const std::string text(reply.render(read->message, read->flow, read->snapshot, 100));
    EXPECT_NE(text.find("To: <sip:bob@example.test>\r\n"), std::string::npos);
    EXPECT_NE(text.find("Timestamp: 5\r\n"), std::string::npos);
}

}  // namespace
}  // namespace signalbox::proxy
