// Covers RFC 3261 §7.3.1 (parameters and comma lists) and §25.1 (token, quoted-string).
#include "sip/params.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace signalbox::sip {
namespace {

/// "name=value" for each parameter, joined by '|'; "!" at the end when the walk stopped at
/// something malformed.
std::string walk(std::string_view text, char separator = ';') {
    ParamWalker walker(text, separator);
    std::string out;
    while (const auto param = walker.next()) {
        if (!out.empty()) out += '|';
        out += param->name;
        if (param->value) out += "=" + std::string(*param->value);
    }
    return walker.ok() ? out : out + "!";
}

TEST(ParamWalker_Rfc3261_7_3_1, WalksNamesAndValues) {
    EXPECT_EQ(walk(""), "");
    EXPECT_EQ(walk(";a"), "a");
    EXPECT_EQ(walk(";a=1;b;c=\"x;y\""), "a=1|b|c=\"x;y\"");
    EXPECT_EQ(walk(" ; a = 1\r\n ;\tb "), "a=1|b");
    EXPECT_EQ(walk(";a="), "a=");
    EXPECT_EQ(walk(";host=[2001:db8::1]:5060"), "host=[2001:db8::1]:5060");
    EXPECT_EQ(walk(";branch=abc=="), "branch=abc==");
}

TEST(ParamWalker_Rfc3261_7_3_1, StopsAtWhatIsMalformed) {
    EXPECT_EQ(walk("a=1"), "!");
    EXPECT_EQ(walk(";"), "!");
    EXPECT_EQ(walk(";a;;b"), "a!");
    EXPECT_EQ(walk(";a;"), "a!");
    EXPECT_EQ(walk(";=1"), "!");
    EXPECT_EQ(walk(";a=\"x"), "!");
    EXPECT_EQ(walk(";a=1 2"), "!");
    EXPECT_EQ(walk(";a=\"x\"y"), "!");
    EXPECT_EQ(walk(";a\r\nb"), "!");
    EXPECT_EQ(walk(";a,b"), "!");
}

TEST(ParamWalker_Rfc3261_20_7, WalksCommaListsOfCredentials) {
    EXPECT_EQ(walk("a=1, b=\"x,y\",c=2", ','), "a=1|b=\"x,y\"|c=2");
    EXPECT_EQ(walk("a=1,", ','), "!");
    EXPECT_EQ(walk("a=1,,b=2", ','), "a=1!");
    EXPECT_EQ(walk(",a=1", ','), "!");
    EXPECT_EQ(walk("a=1 b=2", ','), "!");
}

TEST(FindParam_Rfc3261_7_3_1, NamesAreComparedWithoutCase) {
    const auto param = find_param(";lr;Transport=UDP;ttl=5", "transport");
    ASSERT_TRUE(param);
    EXPECT_EQ(param->value, "UDP");
    EXPECT_FALSE(find_param(";lr;transport=udp", "l"));
    EXPECT_FALSE(find_param("", "lr"));
}

std::vector<std::string> split(std::string_view value) {
    ListWalker walker(value);
    std::vector<std::string> out;
    while (const auto item = walker.next()) out.emplace_back(*item);
    return out;
}

using List = std::vector<std::string>;

TEST(ListWalker_Rfc3261_7_3_1, SplitsAtTopLevelCommasOnly) {
    EXPECT_EQ(split("a, b ,c"), (List{"a", "b", "c"}));
    EXPECT_EQ(split("<sip:a,b@x>, \"c, d\" <sip:e>"), (List{"<sip:a,b@x>", "\"c, d\" <sip:e>"}));
    EXPECT_EQ(split(R"("a\", b", c)"), (List{R"("a\", b")", "c"}));
    EXPECT_EQ(split("\"<\", a"), (List{"\"<\"", "a"}));
    EXPECT_EQ(split("<a\">, b"), (List{"<a\">", "b"}));
    EXPECT_EQ(split("a,\r\n b"), (List{"a", "b"}));
}

TEST(ListWalker_Rfc3261_7_3_1, SkipsEmptyValues) {
    EXPECT_EQ(split(""), List{});
    EXPECT_EQ(split(" , ,,"), List{});
    EXPECT_EQ(split(",a,,b,"), (List{"a", "b"}));
}

TEST(ListWalker_Behaviour, WhatIsUnbalancedIsOneValue) {
    EXPECT_EQ(split("\"a, b"), List{"\"a, b"});
    EXPECT_EQ(split("<a, b"), List{"<a, b"});
    EXPECT_EQ(split("\"a\\"), List{"\"a\\"});
}

TEST(Unquote_Rfc3261_25_1, RemovesQuotesAndResolvesPairs) {
    EXPECT_EQ(unquote("\"a b\""), "a b");
    EXPECT_EQ(unquote(R"("a\"b\\c")"), R"(a"b\c)");
    EXPECT_EQ(unquote("\"\""), "");
    EXPECT_EQ(unquote("token"), "token");
    EXPECT_EQ(unquote("\""), "\"");
    EXPECT_EQ(unquote(""), "");
    EXPECT_EQ(unquote(R"(a\"b)"), "a\"b");
    EXPECT_EQ(unquote("\"a\\\""), "a\\");
}

TEST(IsToken_Rfc3261_25_1, TakesTheGrammarsCharactersOnly) {
    EXPECT_TRUE(is_token("aZ09-.!%*_+`'~"));
    EXPECT_FALSE(is_token(""));
    for (int c = 0; c < 256; ++c) {
        const char octet = static_cast<char>(c);
        const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        const bool expected =
            letter || (c >= '0' && c <= '9') ||
            (c != 0 && std::string("-.!%*_+`'~").find(octet) != std::string::npos);
        EXPECT_EQ(is_token({&octet, 1}), expected) << c;
    }
}

}  // namespace
}  // namespace signalbox::sip
