// Covers RFC 3261 §7.3.3 and §20 (names and compact forms).
#include "sip/header_id.h"

#include <gtest/gtest.h>

#include <string>

#include "base/text.h"

namespace signalbox::sip {
namespace {

TEST(HeaderId_Rfc3261_20, EveryNameIsFoundInAnyCase) {
    for (int i = 0; i < static_cast<int>(HeaderId::Other); ++i) {
        const auto id = static_cast<HeaderId>(i);
        const std::string name(header_name(id));
        std::string upper = name;
        for (char& c : upper) c = text::is_alpha(c) ? static_cast<char>(c & ~0x20) : c;
        EXPECT_EQ(parse_header_name(name), id) << name;
        EXPECT_EQ(parse_header_name(upper), id) << upper;
        EXPECT_EQ(parse_header_name(text::to_lower(name)), id) << name;
    }
}

TEST(HeaderId_Rfc3261_7_3_3, CompactFormsAreKnownInBothCases) {
    const struct {
        char compact;
        HeaderId id;
    } forms[] = {{'c', HeaderId::ContentType},
                 {'e', HeaderId::ContentEncoding},
                 {'f', HeaderId::From},
                 {'i', HeaderId::CallId},
                 {'k', HeaderId::Supported},
                 {'l', HeaderId::ContentLength},
                 {'m', HeaderId::Contact},
                 {'o', HeaderId::Event},
                 {'r', HeaderId::ReferTo},
                 {'s', HeaderId::Subject},
                 {'t', HeaderId::To},
                 {'v', HeaderId::Via},
                 {'x', HeaderId::SessionExpires}};
    for (const auto& form : forms) {
        const char lower = form.compact;
        const char upper = static_cast<char>(lower - 32);
        EXPECT_EQ(parse_header_name({&lower, 1}), form.id) << lower;
        EXPECT_EQ(parse_header_name({&upper, 1}), form.id) << upper;
    }
    for (const char* name : {"z", "a", "-", "1", "{", "@", "["}) {
        EXPECT_EQ(parse_header_name(name), HeaderId::Other) << name;
    }
}

TEST(HeaderId_Rfc3261_20, OtherNamesAreOther) {
    for (const char* name :
         {"", "X-Custom", "Vi", "Vias", "Call_ID", "Call\rID", "Session-Expire", "Content-Lengths",
          "Content-Lengtg", "WWW-Authenticatf", "A-Header-Name-Longer-Than-Any"}) {
        EXPECT_EQ(parse_header_name(name), HeaderId::Other) << name;
    }
    EXPECT_EQ(header_name(HeaderId::Other), "");
}

TEST(HeaderId_Rfc3261_20, ANameWithOneLetterChangedIsNotTaken) {
    for (int i = 0; i < static_cast<int>(HeaderId::Other); ++i) {
        const std::string name(header_name(static_cast<HeaderId>(i)));
        for (size_t at = 0; at < name.size(); ++at) {
            std::string other = name;
            other[at] = '~';
            EXPECT_EQ(parse_header_name(other), HeaderId::Other) << other;
        }
    }
}

}  // namespace
}  // namespace signalbox::sip
