// Covers RFC 3261 §20.8 and §8.1.1.4 (Call-ID).
#include <gtest/gtest.h>

#include <string>

#include "sip/header_values.h"
#include "tests/sip/support.h"

namespace signalbox::sip {
namespace {

TEST(CallId_Rfc3261_20_8, IsOneWordOrTwoAroundAnAt) {
    EXPECT_EQ(*parse_call_id("f81d4fae-7dec"), "f81d4fae-7dec");
    EXPECT_EQ(*parse_call_id(" a@192.0.2.1 "), "a@192.0.2.1");
    EXPECT_EQ(*parse_call_id("a@[2001:db8::1]"), "a@[2001:db8::1]");
    const std::string every = "aZ9-.!%*_+`'~()<>:\\\"/[]?{}";
    EXPECT_EQ(*parse_call_id(every + "@" + every), every + "@" + every);
}

TEST(CallId_Rfc3261_25_1, MalformedValuesAreRefused) {
    using namespace std::string_literals;
    for (const std::string& text : {""s, "@"s, "a@"s, "@b"s, "a@b@c"s, "a b"s, "a,b"s, "a;b"s,
                                    "a\0b"s, "a\r\n b"s, "a\xc3\xbc"s, "a\x7f"s}) {
        EXPECT_EQ(outcome(parse_call_id(text)), "Malformed Call-ID") << text;
    }
}

}  // namespace
}  // namespace signalbox::sip
