// Covers the terminals of RFC 3261 §25.1: numbers, quoted strings, white space, hosts.
#include "sip/lexer.h"

#include <gtest/gtest.h>

#include <string>

namespace signalbox::sip::lexer {
namespace {

TEST(Lexer_Rfc3261_25_1, NumbersEndAtTheirMaximum) {
    EXPECT_EQ(number("0", 10), 0U);
    EXPECT_EQ(number("10", 10), 10U);
    EXPECT_EQ(number("0000000000000000000010", 10), 10U);
    EXPECT_EQ(number("11", 10), std::nullopt);
    EXPECT_EQ(number("4294967295", 0xffffffffU), 0xffffffffU);
    EXPECT_EQ(number("4294967296", 0xffffffffU), std::nullopt);
    EXPECT_EQ(number("18446744073709551626", 0xffffffffU), std::nullopt);
    for (const char* text : {"", "-1", "+1", " 1", "1 ", "1.0", "0x1", "1e3"}) {
        EXPECT_EQ(number(text, 0xffffffffU), std::nullopt) << text;
    }
}

TEST(Lexer_Rfc3261_25_1, SaturatedNumbersStayAtTheLargest) {
    EXPECT_EQ(saturated_number("4294967294"), 0xfffffffeU);
    EXPECT_EQ(saturated_number("4294967295"), 0xffffffffU);
    EXPECT_EQ(saturated_number("4294967296"), 0xffffffffU);
    EXPECT_EQ(saturated_number(std::string(500, '9')), 0xffffffffU);
    EXPECT_EQ(saturated_number("99999999999999999999x"), std::nullopt);
}

TEST(Lexer_Rfc3261_25_1, PortsAreFrom1To65535) {
    EXPECT_EQ(port("1"), 1);
    EXPECT_EQ(port("65535"), 65535);
    EXPECT_EQ(port("05060"), 5060);
    for (const char* text : {"", "0", "65536", "-5060", "99999999999", "50a"}) {
        EXPECT_EQ(port(text), std::nullopt) << text;
    }
}

std::optional<std::string> take_quoted(std::string_view text) {
    Cursor cursor(text);
    const auto value = cursor.quoted();
    if (!value) return std::nullopt;
    return std::string(*value) + "|" + std::string(cursor.rest());
}

TEST(Lexer_Rfc3261_25_1, QuotedStringsEndAtTheirOwnQuote) {
    using namespace std::string_literals;
    EXPECT_EQ(take_quoted("\"\""), "\"\"|");
    EXPECT_EQ(take_quoted("\"a, b;<c>\" d"), "\"a, b;<c>\"| d");
    EXPECT_EQ(take_quoted(R"("a \" \\" x)"), R"("a \" \\"| x)");
    EXPECT_EQ(take_quoted("\"J\xc3\xbcrgen\""), "\"J\xc3\xbcrgen\"|");
    EXPECT_EQ(take_quoted("\"a\r\n b\""), "\"a\r\n b\"|");
    EXPECT_EQ(take_quoted("\"a\\\0b\""s), "\"a\\\0b\"|"s);
}

TEST(Lexer_Rfc3261_25_1, QuotedStringsThatAreUnbalancedOrHoldControlsAreRefused) {
    using namespace std::string_literals;
    for (const std::string& text : {""s, "a"s, "\""s, "\"a"s, "\"a\\"s, "\"a\\\""s, "\"a\0b\""s,
                                    "\"a\rb\""s, "\"a\nb\""s, "\"a\r\nb\""s, "\"a\\\r\n b\""s,
                                    "\"a\\\rb\""s, "\"a\\\nb\""s, "\"\x01\""s, "\"\x7f\""s}) {
        EXPECT_EQ(take_quoted(text), std::nullopt) << text;
    }
}

std::string after_white(std::string_view text) {
    Cursor cursor(text);
    cursor.skip_white();
    return std::string(cursor.rest());
}

TEST(Lexer_Rfc3261_25_1, WhiteSpaceIncludesFoldsAndNothingElse) {
    EXPECT_EQ(after_white(" \t x"), "x");
    EXPECT_EQ(after_white("\r\n x"), "x");
    EXPECT_EQ(after_white(" \r\n\t \r\n x"), "x");
    EXPECT_EQ(after_white("\r\nx"), "\r\nx");
    EXPECT_EQ(after_white("\r\n"), "\r\n");
    EXPECT_EQ(after_white("\n x"), "\n x");
    EXPECT_EQ(after_white("\r x"), "\r x");
    EXPECT_EQ(after_white("\vx"), "\vx");
}

std::string host(std::string_view text) {
    Cursor cursor(text);
    return std::string(cursor.host());
}

TEST(Lexer_Rfc3261_25_1, HostsAreNamesAndAddresses) {
    EXPECT_EQ(host("example.test:5060"), "example.test");
    EXPECT_EQ(host("a;x"), "a");
    EXPECT_EQ(host("example.test."), "example.test.");
    EXPECT_EQ(host("192.0.2.1"), "192.0.2.1");
    EXPECT_EQ(host("[2001:db8::1]:5060"), "[2001:db8::1]");
    EXPECT_EQ(host("[::ffff:192.0.2.1]"), "[::ffff:192.0.2.1]");
    EXPECT_EQ(host(std::string(255, 'a')).size(), 255U);
}

TEST(Lexer_Rfc3261_25_1, MalformedHostsAreRefused) {
    for (const char* text : {"", ":5060", ".", ".a", "-a", "a..b", "[", "[]", "[::1", "[1]", "[1:2",
                             "[::g]", "[::1%eth0]", "]", "[[::1]]", "%61.test"}) {
        EXPECT_EQ(host(text), "") << text;
    }
    EXPECT_EQ(host(std::string(256, 'a')), "");
}

TEST(Lexer_Rfc5118_4_10, ThreeColonsInARowAreTolerated) {
    EXPECT_EQ(host("[2001:db8:::192.0.2.1]"), "[2001:db8:::192.0.2.1]");
}

}  // namespace
}  // namespace signalbox::sip::lexer
