// Covers RFC 3261 §19.1.4 (comparison of SIP URIs) and §10.3 step 5 (canonical user), RFC 3966 §4
// and §5 (tel).
#include <gtest/gtest.h>

#include <string>

#include "sip/uri.h"

namespace signalbox::sip {
namespace {

bool same(std::string_view a, std::string_view b) {
    const auto left = parse_uri(a);
    const auto right = parse_uri(b);
    EXPECT_TRUE(left) << a;
    EXPECT_TRUE(right) << b;
    if (!left || !right) return false;
    const bool forwards = uris_equal(*left, *right);
    EXPECT_EQ(forwards, uris_equal(*right, *left)) << a << ' ' << b;
    return forwards;
}

TEST(UrisEqual_Rfc3261_19_1_4, CaseAndUnreservedEscapesDoNotMatter) {
    EXPECT_TRUE(
        same("sip:%61lice@example.test;transport=TCP", "SIP:alice@EXAMPLE.test;Transport=tcp"));
    EXPECT_TRUE(same("sip:carol@example.test", "sip:carol@example.test;newparam=5"));
    EXPECT_TRUE(same("sip:example.test;a=1;b=2", "sip:example.test;b=2;a=1"));
    EXPECT_TRUE(same("sip:a@x?subject=hi%20all&priority=urgent",
                     "sip:a@x?priority=URGENT&subject=hi%20all"));
}

TEST(UrisEqual_Rfc3261_19_1_4, UserAndPasswordKeepTheirCase) {
    EXPECT_FALSE(same("sip:Alice@x", "sip:alice@x"));
    EXPECT_FALSE(same("sip:a:P@x", "sip:a:p@x"));
    EXPECT_FALSE(same("sip:a:p@x", "sip:a@x"));
    EXPECT_FALSE(same("sip:a@x", "sip:x"));
    EXPECT_FALSE(same("sip:al@x", "sip:ali@x"));
}

TEST(UrisEqual_Rfc3261_19_1_4, ReservedCharactersDifferFromTheirEscapes) {
    EXPECT_FALSE(same("sip:a%3Bb@x", "sip:a;b@x"));
    EXPECT_TRUE(same("sip:a%3Bb@x", "sip:a%3bb@x"));
}

TEST(UrisEqual_Rfc3261_19_1_4, SchemeHostAndPortDecide) {
    EXPECT_FALSE(same("sip:a@x", "sips:a@x"));
    EXPECT_FALSE(same("sip:a@x", "sip:a@y"));
    EXPECT_FALSE(same("sip:a@x", "sip:a@x:5060"));
    EXPECT_FALSE(same("sip:a@x:5060", "sip:a@x:5061"));
    EXPECT_TRUE(same("sip:a@x:5060", "sip:a@x:05060"));
}

TEST(UrisEqual_Rfc3261_19_1_4, DecisiveParametersMustBeInBothOrNeither) {
    for (const char* param :
         {";transport=udp", ";user=ip", ";ttl=1", ";method=INVITE", ";maddr=192.0.2.1"}) {
        EXPECT_FALSE(same("sip:a@x", std::string("sip:a@x") + param)) << param;
        EXPECT_TRUE(same(std::string("sip:a@x") + param, std::string("sip:a@x") + param));
    }
    EXPECT_FALSE(same("sip:a@x;transport=udp", "sip:a@x;transport=tcp"));
}

TEST(UrisEqual_Rfc3261_19_1_4, OtherParametersMustAgreeWhenInBoth) {
    EXPECT_FALSE(same("sip:a@x;security=on", "sip:a@x;security=off"));
    EXPECT_TRUE(same("sip:a@x;security=on", "sip:a@x;other=1"));
    EXPECT_FALSE(same("sip:a@x;lr", "sip:a@x;lr=on"));
}

TEST(UrisEqual_Rfc3261_19_1_4, AParameterThatStandsTwiceIsTheSetOfItsValues) {
    EXPECT_FALSE(same("sip:a@x;p=1;p=2", "sip:a@x;p=1"));
    EXPECT_FALSE(same("sip:a@x;p=1;p=2", "sip:a@x;p=2"));
    EXPECT_FALSE(same("sip:a@x;p=1;p=2", "sip:a@x;p=1;p=3"));
    EXPECT_FALSE(same("sip:a@x;p;p=2", "sip:a@x;p"));
    EXPECT_TRUE(same("sip:a@x;p=1;p=2", "sip:a@x;P=2;p=%31"));
    EXPECT_TRUE(same("sip:a@x;p=1;p=1", "sip:a@x;p=1"));
    EXPECT_TRUE(same("sip:a@x;p=1;p=2", "sip:a@x;q=1"));
    EXPECT_FALSE(same("sip:a@x;transport=udp;transport=tcp", "sip:a@x;transport=udp"));
}

TEST(UrisEqual_Rfc3261_19_1_4, HeadersAreNeverIgnored) {
    EXPECT_FALSE(same("sip:a@x", "sip:a@x?subject=1"));
    EXPECT_FALSE(same("sip:a@x?subject=1", "sip:a@x?subject=2"));
    EXPECT_FALSE(same("sip:a@x?subject=1&b=2", "sip:a@x?subject=1"));
}

TEST(UrisEqual_Behaviour, IsNotTransitive) {
    EXPECT_TRUE(same("sip:a@x;p=1", "sip:a@x"));
    EXPECT_TRUE(same("sip:a@x", "sip:a@x;p=2"));
    EXPECT_FALSE(same("sip:a@x;p=1", "sip:a@x;p=2"));
}

TEST(UrisEqual_Behaviour, LongListsAreComparedOctetByOctet) {
    std::string forwards = "sip:x";
    std::string backwards = "sip:x";
    for (int i = 0; i < 64; ++i) {
        forwards += ";p" + std::to_string(i);
        backwards += ";p" + std::to_string(63 - i);
    }
    EXPECT_TRUE(same(forwards, backwards));
    forwards += ";q";
    backwards.insert(5, ";q");
    EXPECT_FALSE(same(forwards, backwards));
    EXPECT_TRUE(same(forwards, forwards));
    const std::string value(2042, 'x');
    EXPECT_TRUE(same("sip:x;a;b=" + value + "x", "sip:x;b=" + value + "X;a"));
    EXPECT_FALSE(same("sip:x;a;b=" + value + "xyz", "sip:x;b=" + value + "XYZ;a"));
}

TEST(UrisEqual_Rfc3966_4, TelNumbersWithoutSeparators) {
    EXPECT_TRUE(same("tel:+1-555-123", "tel:+1(555)123"));
    EXPECT_FALSE(same("tel:+1555123", "tel:1555123"));
    EXPECT_TRUE(same("tel:55;ext=1;phone-context=x", "tel:55;phone-context=X;ext=1"));
    EXPECT_FALSE(same("tel:55;ext=1", "tel:55"));
}

TEST(UrisEqual_Behaviour, OtherSchemesAreEqualByOctets) {
    EXPECT_TRUE(same("urn:service:sos", "urn:service:sos"));
    EXPECT_FALSE(same("urn:service:sos", "URN:service:sos"));
    EXPECT_FALSE(same("urn:service:sos", "sip:sos"));
}

std::string user_of(std::string_view text) {
    return canonical_user(*parse_uri(text));
}

TEST(CanonicalUser_Rfc3261_10_3, EscapesAreDecodedAndCaseStays) {
    EXPECT_EQ(user_of("sip:%61lice@x"), "alice");
    EXPECT_EQ(user_of("sip:Alice@x"), "Alice");
    EXPECT_EQ(user_of("sip:%2B1555@x"), "+1555");
    EXPECT_EQ(user_of("sip:x"), "");
}

TEST(CanonicalUser_Rfc3966_5, NumbersLoseTheirVisualSeparators) {
    EXPECT_EQ(user_of("tel:+1-(555).12"), "+155512");
    EXPECT_EQ(user_of("sip:+1-555-12@x;user=phone"), "+155512");
    EXPECT_EQ(user_of("sip:+1-555-12@x"), "+1-555-12");
    EXPECT_EQ(user_of("sip:j.smith@x;user=phone"), "j.smith");
}

TEST(HostsEqual_Rfc3261_19_1_4, CaseFinalDotAndAddressFormsDoNotMatter) {
    EXPECT_TRUE(hosts_equal("Example.TEST", "example.test."));
    EXPECT_TRUE(hosts_equal("[2001:DB8::1]", "[2001:db8:0:0::1]"));
    EXPECT_FALSE(hosts_equal("[2001:db8::1]", "[2001:db8::2]"));
    EXPECT_FALSE(hosts_equal("example.test", "example.test.."));
    EXPECT_FALSE(hosts_equal("", "example.test"));
    EXPECT_TRUE(hosts_equal("", ""));
    EXPECT_FALSE(hosts_equal("[2001:db8:::1]", "[2001:db8::1]"));
}

}  // namespace
}  // namespace signalbox::sip
