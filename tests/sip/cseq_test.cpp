// Covers RFC 3261 §20.16 and §8.1.1.5 (CSeq).
#include <gtest/gtest.h>

#include "sip/header_values.h"
#include "tests/sip/support.h"

namespace signalbox::sip {
namespace {

TEST(CSeq_Rfc3261_20_16, TakesNumberAndMethod) {
    const auto cseq = parse_cseq("4711 INVITE");
    ASSERT_TRUE(cseq);
    EXPECT_EQ(cseq->number, 4711U);
    EXPECT_EQ(cseq->method, Method::Invite);
    EXPECT_EQ(cseq->method_text, "INVITE");
    EXPECT_EQ(parse_cseq("1 NEWMETHOD")->method, Method::Extension);
    EXPECT_EQ(parse_cseq("1 NEWMETHOD")->method_text, "NEWMETHOD");
}

TEST(CSeq_Rfc3261_20_16, MayBeFolded) {
    const auto cseq = parse_cseq(" 0009\r\n  \t INVITE ");
    ASSERT_TRUE(cseq);
    EXPECT_EQ(cseq->number, 9U);
    EXPECT_EQ(cseq->method_text, "INVITE");
}

TEST(CSeq_Rfc3261_8_1_1_5, TheNumberIsBelow2To31) {
    EXPECT_EQ(parse_cseq("0 ACK")->number, 0U);
    EXPECT_EQ(parse_cseq("2147483647 ACK")->number, 0x7fffffffU);
    EXPECT_EQ(outcome(parse_cseq("2147483648 ACK")), "Malformed CSeq");
    EXPECT_EQ(outcome(parse_cseq("36893488147419103232 ACK")), "Malformed CSeq");
    EXPECT_EQ(outcome(parse_cseq("-1 ACK")), "Malformed CSeq");
}

TEST(CSeq_Rfc3261_25_1, MalformedValuesAreRefused) {
    for (const char* text : {"", "1", "1 ", "INVITE", "INVITE 1", "1INVITE", "1 IN VITE",
                             "1,INVITE", "1 INVITE;x", "1\r\nINVITE", "1 <INVITE>"}) {
        EXPECT_EQ(outcome(parse_cseq(text)), "Malformed CSeq") << text;
    }
}

}  // namespace
}  // namespace signalbox::sip
