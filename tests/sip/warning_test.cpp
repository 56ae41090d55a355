// Covers RFC 3261 §20.43 (Warning).
#include <gtest/gtest.h>

#include "sip/header_values.h"
#include "tests/sip/support.h"

namespace signalbox::sip {
namespace {

TEST(Warning_Rfc3261_20_43, TakesCodeAgentAndText) {
    std::string_view rest;
    const auto first =
        parse_warning("307 example.test:5060 \"a, \\\"b\\\"\" , 301 [2001:db8::1] \"c\"", &rest);
    ASSERT_TRUE(first);
    EXPECT_EQ(first->code, 307);
    EXPECT_EQ(first->agent, "example.test:5060");
    EXPECT_EQ(first->text, "\"a, \\\"b\\\"\"");
    const auto second = parse_warning(rest, &rest);
    ASSERT_TRUE(second);
    EXPECT_EQ(second->agent, "[2001:db8::1]");
    EXPECT_EQ(rest, "");
}

TEST(Warning_Rfc3261_25_1, MalformedValuesAreRefused) {
    for (const char* text : {"", "307", "30 x \"a\"", "3070 x \"a\"", "099 x \"a\"", "307 x",
                             "307 x a", "307 \"a\"", "307 x \"a", "307 x \"a\" b"}) {
        EXPECT_FALSE(parse_warning(text)) << text;
    }
}

}  // namespace
}  // namespace signalbox::sip
