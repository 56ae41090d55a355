// Covers: RFC 4648 §6, without padding and in lower case; one text per value, so that §12's stray
// bits hide nothing.
#include "crypto/base32.h"

#include <gtest/gtest.h>

#include <array>
#include <set>
#include <string>

#include "base/text.h"

namespace signalbox::crypto {
namespace {

std::string encode(std::string_view bytes) {
    std::string text;
    append_base32(text, bytes);
    return text;
}

std::optional<std::string> decode(std::string_view text, size_t room = 200) {
    std::string bytes(room, '\0');
    const auto size = base32_decode(text, bytes.data(), room);
    if (!size) return std::nullopt;
    bytes.resize(*size);
    return bytes;
}

TEST(Base32_Rfc4648_6, MatchesKnownValues) {
    EXPECT_EQ(encode(""), "");
    EXPECT_EQ(encode("f"), "my");
    EXPECT_EQ(encode("fo"), "mzxq");
    EXPECT_EQ(encode("foo"), "mzxw6");
    EXPECT_EQ(encode("foob"), "mzxw6yq");
    EXPECT_EQ(encode("fooba"), "mzxw6ytb");
    EXPECT_EQ(encode("foobar"), "mzxw6ytboi");
}

TEST(Base32_Rfc4648_6, EveryOctetAndLengthGoesThereAndBack) {
    std::string bytes;
    for (int i = 0; i < 256; ++i) {
        const std::string text = encode(bytes);
        EXPECT_EQ(text.size(), base32_size(bytes.size()));
        EXPECT_EQ(decode(text, bytes.size()), bytes);
        bytes.push_back(static_cast<char>(i * 37));
    }
}

TEST(Base32_Behaviour, IsReadInEitherCase) {
    EXPECT_EQ(decode("MZXW6YTBOI"), "foobar");
    EXPECT_EQ(decode("mZxW6yTbOi"), "foobar");
}

TEST(Base32_Behaviour, RefusesForeignCharacters) {
    for (const char* const text :
         {"m1", "m0", "m8", "m9", "m=", "my======", "m ", "m\n", "m@", "m`", "m[", "m{", "m\xe1"}) {
        EXPECT_FALSE(decode(text)) << text;
    }
    EXPECT_FALSE(decode(std::string_view("m\0", 2)));
}

TEST(Base32_Behaviour, TakesNoForeignCharacterAtAnyPlaceOfAnyGroup) {
    const std::string_view alphabet = "abcdefghijklmnopqrstuvwxyz234567ABCDEFGHIJKLMNOPQRSTUVWXYZ";
    for (int octet = 0; octet < 256; ++octet) {
        // Two groups at once, then one, then characters.
        for (size_t place = 0; place < 25; ++place) {
            for (const char other : {'a', 'z', '7', 'Q'}) {
                std::string text(26, other);
                text.back() = 'a';
                text[place] = static_cast<char>(octet);
                const auto bytes = decode(text);
                EXPECT_EQ(bytes.has_value(), alphabet.find(text[place]) != std::string_view::npos)
                    << octet << " at " << place;
                if (bytes) {
                    EXPECT_EQ(encode(*bytes), text::to_lower(text));
                }
            }
        }
    }
}

TEST(Base32_Behaviour, RefusesLengthsThatNothingEncodesTo) {
    for (const char* const text : {"a", "aaa", "aaaaaa", "aaaaaaaaa", "aaaaaaaaaaa"}) {
        EXPECT_FALSE(decode(text)) << text;
    }
}

TEST(Base32_Behaviour, RefusesStrayBitsSoThatOneValueHasOneText) {
    EXPECT_EQ(decode("my"), "f");
    EXPECT_FALSE(decode("mz"));
    EXPECT_FALSE(decode("m3"));
    EXPECT_FALSE(decode("mzxr"));
    EXPECT_FALSE(decode("mzxw7"));
    EXPECT_FALSE(decode("mzxw6yr"));
    std::set<std::string> values;
    int texts = 0;
    for (const char a : std::string_view("abcdefghijklmnopqrstuvwxyz234567")) {
        for (const char b : std::string_view("abcdefghijklmnopqrstuvwxyz234567")) {
            const auto value = decode(std::string{a, b});
            if (!value) continue;
            ++texts;
            values.insert(*value);
        }
    }
    EXPECT_EQ(texts, 256);
    EXPECT_EQ(values.size(), 256u);
}

TEST(Base32_Behaviour, RefusesMoreThanItHasRoomFor) {
    EXPECT_EQ(decode("mzxw6ytboi", 6), "foobar");
    EXPECT_FALSE(decode("mzxw6ytboi", 5));
    EXPECT_FALSE(decode("my", 0));
    EXPECT_EQ(decode("", 0), "");
}

}  // namespace
}  // namespace signalbox::crypto
