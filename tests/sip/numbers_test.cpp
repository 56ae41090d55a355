// Covers RFC 3261 §20.14 (Content-Length), §20.19 (Expires), §20.22 (Max-Forwards), §20.23
// (Min-Expires), §25.1 (qvalue); RFC 5393 §5.3.1.
#include <gtest/gtest.h>

#include <string>

#include "sip/header_values.h"
#include "tests/sip/support.h"

namespace signalbox::sip {
namespace {

TEST(MaxForwards_Rfc3261_20_22, IsFrom0To255) {
    EXPECT_EQ(parse_max_forwards("0"), 0U);
    EXPECT_EQ(parse_max_forwards("255"), 255U);
    EXPECT_EQ(parse_max_forwards(" 0068 "), 68U);
    for (const char* text : {"", "256", "-1", "70 ;x", "a", "1 2", "4294967366", "7\r\n 0"}) {
        EXPECT_EQ(outcome(parse_max_forwards(text)), "Malformed Max-Forwards") << text;
    }
}

TEST(MaxBreadth_Rfc5393_5_3_1, IsAnyNumberOfDigits) {
    EXPECT_EQ(parse_max_breadth("0"), 0U);
    EXPECT_EQ(parse_max_breadth(" 060 "), 60U);
    EXPECT_EQ(parse_max_breadth("4294967296"), 0xffffffffU);
    for (const char* text : {"", "-1", "60;x", "many", "60, 60"}) {
        EXPECT_EQ(outcome(parse_max_breadth(text)), "Malformed Max-Breadth") << text;
    }
}

TEST(Expires_Rfc3261_20_19, SaturatesAtTheLargestNumber) {
    EXPECT_EQ(parse_expires("0"), 0U);
    EXPECT_EQ(parse_expires("3600"), 3600U);
    EXPECT_EQ(parse_expires("4294967295"), 0xffffffffU);
    EXPECT_EQ(parse_expires("4294967296"), 0xffffffffU);
    EXPECT_EQ(parse_expires("99999999999999999999999"), 0xffffffffU);
    for (const char* text : {"", "-1", "1.5", "1h", "Thu, 01 Jan 2026 00:00:00 GMT"}) {
        EXPECT_EQ(outcome(parse_expires(text)), "Malformed Expires") << text;
    }
}

TEST(ContentLength_Rfc3261_20_14, DoesNotOverflow) {
    EXPECT_EQ(parse_content_length("0"), 0U);
    EXPECT_EQ(parse_content_length("0150"), 150U);
    EXPECT_EQ(parse_content_length("4294967295"), 0xffffffffU);
    for (const char* text :
         {"", "-1", "+1", "4294967296", "18446744073709551616", "5, 5", "0x10"}) {
        EXPECT_EQ(outcome(parse_content_length(text)), "Malformed Content-Length") << text;
    }
}

TEST(Q_Rfc3261_25_1, IsFrom0To1InThousandths) {
    EXPECT_EQ(parse_q("0"), 0);
    EXPECT_EQ(parse_q("0."), 0);
    EXPECT_EQ(parse_q("0.5"), 500);
    EXPECT_EQ(parse_q("0.05"), 50);
    EXPECT_EQ(parse_q("0.999"), 999);
    EXPECT_EQ(parse_q("0.001"), 1);
    EXPECT_EQ(parse_q("1"), 1000);
    EXPECT_EQ(parse_q("1.000"), 1000);
    for (const char* text :
         {"", "2", ".5", "1.001", "1.1", "0.0001", "0,5", "0.a", "00.5", "-0", "1.0000"}) {
        EXPECT_EQ(outcome(parse_q(text)), "Malformed q value") << text;
    }
}

}  // namespace
}  // namespace signalbox::sip
