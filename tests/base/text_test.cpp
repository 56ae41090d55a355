// Covers: every function of base/text.h, with the limits of the numbers.
#include "base/text.h"

#include <gtest/gtest.h>

#include <string>

namespace signalbox::text {
namespace {

TEST(Text_Behaviour, ComparesWithoutRegardToAsciiCase) {
    EXPECT_TRUE(iequals("Via", "vIA"));
    EXPECT_TRUE(iequals("", ""));
    EXPECT_FALSE(iequals("via", "vi"));
    EXPECT_FALSE(iequals("via", "vix"));
    // '@' and '`', '[' and '{' differ by the case bit without being letters.
    EXPECT_FALSE(iequals("@", "`"));
    EXPECT_FALSE(iequals("[", "{"));
    EXPECT_FALSE(iequals("\xc4", "\xe4"));
}

TEST(Text_Behaviour, EqualTextsAreEqualAtEveryPlaceAndLength) {
    for (size_t size = 0; size <= 40; ++size) {
        const std::string text(size, 'a');
        EXPECT_TRUE(equals(text, std::string(size, 'a'))) << size;
        EXPECT_FALSE(equals(text, text + 'a')) << size;
        for (size_t at = 0; at < size; ++at) {
            std::string other = text;
            other[at] = 'b';
            EXPECT_FALSE(equals(text, other)) << size << ' ' << at;
            EXPECT_FALSE(iequals(text, other)) << size << ' ' << at;
            other[at] = 'A';
            EXPECT_FALSE(equals(text, other)) << size << ' ' << at;
            EXPECT_TRUE(iequals(text, other)) << size << ' ' << at;
        }
    }
}

TEST(Text_Behaviour, FindsAPrefixWithoutRegardToCase) {
    EXPECT_TRUE(istarts_with("SIP/2.0", "sip/"));
    EXPECT_TRUE(istarts_with("Z9HG4BKx", "z9hG4bK"));
    EXPECT_FALSE(istarts_with("sip:x", "sips:"));
    EXPECT_TRUE(istarts_with("sip", ""));
    EXPECT_FALSE(istarts_with("si", "sip"));
    EXPECT_FALSE(istarts_with("xip", "sip"));
}

TEST(Text_Behaviour, KnowsLettersAndDigits) {
    EXPECT_TRUE(is_digit('0') && is_digit('9'));
    EXPECT_FALSE(is_digit('/') || is_digit(':'));
    EXPECT_TRUE(is_alpha('a') && is_alpha('Z'));
    EXPECT_FALSE(is_alpha('@') || is_alpha('[') || is_alpha('`') || is_alpha('{'));
}

TEST(Text_Behaviour, TrimsBothEnds) {
    EXPECT_EQ(trim(" \t\r\n a b \n"), "a b");
    EXPECT_EQ(trim(" \t "), "");
    EXPECT_EQ(trim(""), "");
    EXPECT_EQ(trim("\va"), "\va");
}

TEST(Text_Behaviour, ReadsNumbersUpToTheirLimit) {
    EXPECT_EQ(to_u32("0"), 0u);
    EXPECT_EQ(to_u32("0042"), 42u);
    EXPECT_EQ(to_u32("4294967295"), 4294967295u);
    EXPECT_EQ(to_u32("4294967296"), std::nullopt);
    EXPECT_EQ(to_u32("42949672950"), std::nullopt);
    EXPECT_EQ(to_u32("0000000000000000000000001"), 1u);
    EXPECT_EQ(to_u64("18446744073709551615"), 18446744073709551615u);
    EXPECT_EQ(to_u64("18446744073709551616"), std::nullopt);
    EXPECT_EQ(to_u64(std::string(1000, '9')), std::nullopt);
}

TEST(Text_Behaviour, RefusesWhatIsNoNumber) {
    for (const char* const input : {"", "-1", "+1", " 1", "1 ", "1a", "0x1", "1.0"}) {
        EXPECT_EQ(to_u32(input), std::nullopt) << input;
        EXPECT_EQ(to_u64(input), std::nullopt) << input;
    }
}

TEST(Text_Behaviour, HexadecimalGoesThereAndBack) {
    std::string bytes;
    for (int i = 0; i < 256; ++i) bytes.push_back(static_cast<char>(i));
    const std::string hex = to_hex(bytes);
    EXPECT_EQ(hex.substr(0, 8), "00010203");
    EXPECT_EQ(hex.substr(508), "feff");
    EXPECT_EQ(from_hex(hex), bytes);
    EXPECT_EQ(from_hex("0aFf"), std::string("\x0a\xff"));
    EXPECT_EQ(from_hex(""), "");
}

TEST(Text_Behaviour, RefusesWhatIsNoHexadecimal) {
    EXPECT_EQ(from_hex("a"), std::nullopt);
    EXPECT_EQ(from_hex("ag"), std::nullopt);
    EXPECT_EQ(from_hex("g0"), std::nullopt);
    EXPECT_EQ(hex_digit('G'), -1);
    EXPECT_EQ(hex_digit('@'), -1);
    EXPECT_EQ(hex_digit('F'), 15);
    EXPECT_EQ(hex_digit('9'), 9);
}

TEST(Text_Behaviour, LowersAsciiOnly) {
    EXPECT_EQ(to_lower("AbZ-[\xc4"), "abz-[\xc4");
}

TEST(Text_Behaviour, AppendsNumbers) {
    std::string out = "x=";
    append_number(out, 0);
    out.push_back(' ');
    append_number(out, UINT64_MAX);
    EXPECT_EQ(out, "x=0 18446744073709551615");
}

TEST(Text_Behaviour, MeasuresTheEditsBetweenWords) {
    EXPECT_EQ(edit_distance("", ""), 0u);
    EXPECT_EQ(edit_distance("", "abc"), 3u);
    EXPECT_EQ(edit_distance("abc", ""), 3u);
    EXPECT_EQ(edit_distance("listen", "lisen"), 1u);
    EXPECT_EQ(edit_distance("expires_min", "expire_min"), 1u);
    EXPECT_EQ(edit_distance("kitten", "sitting"), 3u);
    EXPECT_EQ(edit_distance("ab", "ba"), 2u);
    EXPECT_EQ(edit_distance("same", "same"), 0u);
}

}  // namespace
}  // namespace signalbox::text
