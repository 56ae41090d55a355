// Covers RFC 3261 §20.10 (Contact), §20.20 (From), §20.30 (Record-Route), §20.34 (Route) and §20.39
// (To).
#include <gtest/gtest.h>

#include <string>

#include "sip/header_values.h"
#include "tests/sip/support.h"

namespace signalbox::sip {
namespace {

Result<NameAddr> from(std::string_view value, std::string_view* rest = nullptr) {
    return parse_name_addr(value, ErrorCode::malformed_from, rest);
}

TEST(NameAddr_Rfc3261_20_20, TakesAllParts) {
    const auto address = from("\"A. Bell\" <sip:bell@example.test;lr>;tag=88x;x=\"y;z\"");
    ASSERT_TRUE(address);
    EXPECT_EQ(address->display_name, "\"A. Bell\"");
    EXPECT_EQ(address->uri_text, "sip:bell@example.test;lr");
    EXPECT_EQ(address->uri.user, "bell");
    EXPECT_EQ(address->uri.params, "lr");
    EXPECT_EQ(address->params, ";tag=88x;x=\"y;z\"");
    EXPECT_EQ(address->tag, "88x");
    EXPECT_EQ(address->text, "\"A. Bell\" <sip:bell@example.test;lr>;tag=88x;x=\"y;z\"");
}

TEST(NameAddr_Rfc3261_20, ParametersWithoutBracketsBelongToTheHeaderField) {
    const auto address = from("sip:bell@example.test:5060;tag=1;lr");
    ASSERT_TRUE(address);
    EXPECT_EQ(address->uri_text, "sip:bell@example.test:5060");
    EXPECT_EQ(address->uri.params, "");
    EXPECT_EQ(address->params, ";tag=1;lr");
    EXPECT_EQ(address->tag, "1");
}

TEST(NameAddr_Rfc3261_20, AQuestionMarkWithoutBracketsIsMalformed) {
    EXPECT_EQ(outcome(from("sip:a@x?Route=%3Csip:y%3E")), "Malformed From");
    EXPECT_TRUE(from("<sip:a@x?Route=%3Csip:y%3E>"));
}

TEST(NameAddr_Rfc3261_25_1, DisplayNamesInEveryForm) {
    EXPECT_EQ(from("<sip:a@x>")->display_name, "");
    EXPECT_EQ(from("Alice <sip:a@x>")->display_name, "Alice");
    EXPECT_EQ(from("Alice  B. Carol<sip:a@x>")->display_name, "Alice  B. Carol");
    EXPECT_EQ(from("Alice\r\n B <sip:a@x>")->display_name, "Alice\r\n B");
    EXPECT_EQ(from(R"("a\"<b>, c" <sip:a@x>)")->display_name, R"("a\"<b>, c")");
    EXPECT_EQ(from("\"\" <sip:a@x>")->display_name, "\"\"");
    EXPECT_EQ(from("\"\xe6\x97\xa5\xe6\x9c\xac\" <sip:a@x>")->display_name,
              "\"\xe6\x97\xa5\xe6\x9c\xac\"");
    EXPECT_EQ(from("J\xc3\xbcrgen <sip:a@x>")->display_name, "J\xc3\xbcrgen");
    EXPECT_EQ(from("\"caller\"<sip:a@x>;tag=1")->display_name, "\"caller\"");
}

TEST(NameAddr_Rfc3261_25_1, WhiteSpaceAndFoldsMayStandAround) {
    const auto address = from("\r\n \"A\"\r\n <sip:a@x>\r\n ;\r\n tag\r\n =\r\n 7 ");
    ASSERT_TRUE(address);
    EXPECT_EQ(address->tag, "7");
    EXPECT_EQ(address->uri_text, "sip:a@x");
}

TEST(NameAddr_Rfc3261_20, OtherSchemesPass) {
    EXPECT_EQ(from("<tel:+15551234>;tag=1")->uri.scheme, Scheme::Tel);
    EXPECT_EQ(from("tel:+15551234;tag=1")->tag, "1");
    EXPECT_EQ(from("<urn:service:sos>")->uri.scheme, Scheme::Other);
}

TEST(NameAddr_Rfc3261_25_1, MalformedValuesAreRefused) {
    for (const char* text : {"",
                             "Alice",
                             "\"Alice",
                             "\"Alice\"",
                             "<sip:a@x",
                             "sip:a@x>",
                             "<>",
                             "< sip:a@x >",
                             "<sip:a@x> x",
                             "Watson, Thomas <sip:a@x>",
                             "\"A\" B <sip:a@x>",
                             "<sip:a@x>;",
                             "<sip:a@x>;;tag=1",
                             "<sip:a@x>;tag",
                             "<sip:a@x>;tag=",
                             "<sip:a@x>;tag=\"1\"",
                             "<sip:a@x>;tag=1;tag=2",
                             "<sip:a@x>;x=\"1",
                             "<<sip:a@x>>",
                             "<sip:a@x>>",
                             "sip:a@x:0",
                             "<sip:>",
                             "A\r\nB <sip:a@x>",
                             "sip:a b@x",
                             "<sip:a\"b@x>"}) {
        EXPECT_EQ(outcome(from(text)), "Malformed From") << text;
    }
}

TEST(NameAddr_Rfc3261_20_34, RoutesAreReadOneByOne) {
    std::string_view rest;
    const auto first = from("<sip:a;lr> , \"b, c\" <sip:d,e@x;lr>;p", &rest);
    ASSERT_TRUE(first);
    EXPECT_EQ(first->text, "<sip:a;lr>");
    const auto second = from(rest, &rest);
    ASSERT_TRUE(second);
    EXPECT_EQ(second->uri_text, "sip:d,e@x;lr");
    EXPECT_EQ(second->params, ";p");
    EXPECT_EQ(rest, "");
}

TEST(NameAddr_Behaviour, TheErrorIsTheCallersOwn) {
    EXPECT_EQ(outcome(parse_name_addr("", ErrorCode::malformed_route)), "Malformed Route");
    EXPECT_EQ(outcome(parse_name_addr("<sip:x:0>", ErrorCode::malformed_to)), "Malformed To");
}

TEST(Contact_Rfc3261_20_10, TakesExpiresAndQ) {
    const auto contact = parse_contact("\"B\" <sip:b@x;transport=tcp>;q=0.7;Expires=3600;reg-id=1");
    ASSERT_TRUE(contact);
    EXPECT_FALSE(contact->is_star);
    EXPECT_EQ(contact->address.uri_text, "sip:b@x;transport=tcp");
    EXPECT_EQ(contact->expires, 3600U);
    EXPECT_FALSE(contact->has_malformed_expires);
    EXPECT_TRUE(contact->has_q);
    EXPECT_EQ(contact->q, 700);
}

TEST(Contact_Rfc3261_20_10, DefaultsWhenParametersAreAbsent) {
    const auto contact = parse_contact("<sip:b@x;expires=5;q=0>");
    ASSERT_TRUE(contact);
    EXPECT_EQ(contact->expires, std::nullopt);
    EXPECT_FALSE(contact->has_malformed_expires);
    EXPECT_FALSE(contact->has_q);
    EXPECT_EQ(contact->q, 1000);
}

TEST(Contact_Rfc3261_20_10, TheStarStandsAlone) {
    EXPECT_TRUE(parse_contact("*")->is_star);
    EXPECT_TRUE(parse_contact(" * ")->is_star);
    EXPECT_FALSE(parse_contact("*;expires=0"));
    EXPECT_FALSE(parse_contact("*, <sip:b@x>"));
    EXPECT_FALSE(parse_contact("**"));
}

TEST(Contact_Rfc3261_10_3, MalformedExpiresIsToldNotRefused) {
    for (const char* text : {"<sip:b@x>;expires=", "<sip:b@x>;expires", "<sip:b@x>;expires=1h",
                             "<sip:b@x>;expires=-1", "<sip:b@x>;expires=\"60\""}) {
        const auto contact = parse_contact(text);
        ASSERT_TRUE(contact) << text;
        EXPECT_TRUE(contact->has_malformed_expires) << text;
        EXPECT_EQ(contact->expires, std::nullopt) << text;
    }
    EXPECT_EQ(parse_contact("<sip:b@x>;expires=4294967296")->expires, 0xffffffffU);
}

TEST(Contact_Rfc3261_25_1, MalformedQIsRefused) {
    for (const char* text :
         {"<sip:b@x>;q", "<sip:b@x>;q=2", "<sip:b@x>;q=0.1234", "<sip:b@x>;q=-1"}) {
        EXPECT_EQ(outcome(parse_contact(text)), "Malformed Contact") << text;
    }
}

TEST(Contact_Rfc3261_20_10, ListsAreReadOneByOne) {
    std::string_view rest;
    ASSERT_TRUE(parse_contact("<sip:a@x>;q=1.0, <sip:b@x>;q=0.5", &rest));
    EXPECT_EQ(rest, "<sip:b@x>;q=0.5");
    EXPECT_EQ(parse_contact(rest, &rest)->q, 500);
    EXPECT_EQ(rest, "");
}

}  // namespace
}  // namespace signalbox::sip
