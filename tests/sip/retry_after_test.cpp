// Covers RFC 3261 §20.33 (Retry-After) and §20.38 (Timestamp).
#include <gtest/gtest.h>

#include "sip/header_values.h"
#include "tests/sip/support.h"

namespace signalbox::sip {
namespace {

TEST(RetryAfter_Rfc3261_20_33, TakesSecondsCommentAndDuration) {
    const auto value = parse_retry_after("120 (I'm (really) in a \\) meeting);x=1;duration=3600");
    ASSERT_TRUE(value);
    EXPECT_EQ(value->seconds, 120U);
    EXPECT_EQ(value->comment, "(I'm (really) in a \\) meeting)");
    EXPECT_EQ(value->duration, 3600U);
    EXPECT_EQ(parse_retry_after("0")->seconds, 0U);
    EXPECT_EQ(parse_retry_after("5")->duration, std::nullopt);
    EXPECT_EQ(parse_retry_after("4294967296")->seconds, 0xffffffffU);
}

TEST(RetryAfter_Rfc3261_25_1, MalformedValuesAreRefused) {
    for (const char* text : {"", "-1", "x", "5 (a", "5 (a))", "5 a", "5;", "5;duration",
                             "5;duration=x", "(a) 5", "5 (\\"}) {
        EXPECT_EQ(outcome(parse_retry_after(text)), "Malformed Retry-After") << text;
    }
}

TEST(Timestamp_Rfc3261_20_38, TakesValueAndDelay) {
    EXPECT_EQ(parse_timestamp("54")->value, "54");
    EXPECT_EQ(parse_timestamp("54")->delay, std::nullopt);
    EXPECT_EQ(parse_timestamp("54.20 .5")->value, "54.20");
    EXPECT_EQ(parse_timestamp("54. 0.25")->delay, "0.25");
    for (const char* text : {"", ".5", "a", "5 a", "5 6 7", "5.5.5", "-5"}) {
        EXPECT_FALSE(parse_timestamp(text)) << text;
    }
}

}  // namespace
}  // namespace signalbox::sip
