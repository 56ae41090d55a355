// The phones' own message text. Covers: RFC 3261 §7, as far as the phones write and read it.
#include "sim/text_message.h"

#include <gtest/gtest.h>

namespace signalbox::sim {
namespace {

TEST(TextMessage_Rfc3261_7, ReadsCompactNamesFoldsAndLists) {
    const auto message = TextMessage::parse(
        "INVITE sip:bob@example.test SIP/2.0\r\n"
        "v: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK1, SIP/2.0/TCP 192.0.2.9;branch=z9hG4bK2\r\n"
        "f: \"A, B\" <sip:alice@example.test>;tag=one\r\n"
        "To: <sip:bob@example.test>\r\n"
        "i: call@example.test\r\n"
        "CSeq: 7\r\n  INVITE\r\n"
        "l: 2\r\n\r\nhi");
    ASSERT_TRUE(message.has_value());
    EXPECT_EQ(message->values("Via").size(), 2U);
    EXPECT_EQ(message->branch(), "z9hG4bK1");
    EXPECT_EQ(message->from_tag(), "one");
    EXPECT_EQ(message->to_tag(), "");
    EXPECT_EQ(message->cseq(), 7U);
    EXPECT_EQ(message->cseq_method(), "INVITE");
    EXPECT_EQ(message->body, "hi");
}

TEST(TextMessage_Rfc3261_7, RefusesWhatIsNoMessage) {
    EXPECT_FALSE(TextMessage::parse("").has_value());
    EXPECT_FALSE(TextMessage::parse("hello\r\n\r\n").has_value());
    EXPECT_FALSE(TextMessage::parse("SIP/2.0 99 Too Low\r\n\r\n").has_value());
    EXPECT_FALSE(
        TextMessage::parse("BYE sip:a@b SIP/2.0\r\nContent-Length: 5\r\n\r\nabc").has_value());
}

TEST(TextMessage_Rfc3261_8_2_6, CopiesWhatAResponseMustHave) {
    TextMessage request = TextMessage::request("OPTIONS", "sip:example.test");
    request.add("Via", "SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK1");
    request.add("To", "<sip:example.test>");
    request.add("Subject", "not copied");
    const TextMessage response = request.response(200, "OK", "two");
    EXPECT_EQ(response.to_tag(), "two");
    EXPECT_EQ(response.headers.size(), 2U);
    EXPECT_EQ(request.response(100, "Trying", "").to_tag(), "");
}

TEST(TextMessage_Rfc3261_19_1, FindsThePartsOfAUri) {
    EXPECT_EQ(uri_of("\"B\" <sip:bob@192.0.2.5:5070;transport=tcp>;expires=5"),
              "sip:bob@192.0.2.5:5070;transport=tcp");
    EXPECT_EQ(user_of("sip:bob@192.0.2.5:5070"), "bob");
    EXPECT_EQ(endpoint_of("sip:bob@192.0.2.5")->port, 5060);
    EXPECT_EQ(endpoint_of("sip:bob@192.0.2.5:5070;x")->port, 5070);
    EXPECT_FALSE(endpoint_of("sip:bob@example.test").has_value());
    EXPECT_TRUE(wants_tcp("sip:bob@192.0.2.5;Transport=TCP"));
    EXPECT_EQ(parameter("<sip:a@b;expires=1>;expires=5", "expires"), "5");
}

}  // namespace
}  // namespace signalbox::sim
