// Covers RFC 3261 §20.15 (Content-Type) and the media ranges of §20.1 (Accept).
#include <gtest/gtest.h>

#include "sip/header_values.h"
#include "tests/sip/support.h"

namespace signalbox::sip {
namespace {

TEST(MediaType_Rfc3261_20_15, TakesTypeSubtypeAndParameters) {
    const auto type = parse_media_type("multipart / mixed ; boundary=\"a b\";x=1 ");
    ASSERT_TRUE(type);
    EXPECT_EQ(type->type, "multipart");
    EXPECT_EQ(type->subtype, "mixed");
    EXPECT_EQ(type->params, "; boundary=\"a b\";x=1");
    EXPECT_EQ(parse_media_type("application/sdp")->params, "");
    EXPECT_EQ(parse_media_type("*/*")->subtype, "*");
}

TEST(MediaType_Rfc3261_25_1, MalformedValuesAreRefused) {
    for (const char* text : {"", "application", "application/", "/sdp", "a/b c", "a/b;", "a/b;c=\"",
                             "a/b, c/d", "a//b"}) {
        EXPECT_FALSE(parse_media_type(text)) << text;
    }
}

}  // namespace
}  // namespace signalbox::sip
