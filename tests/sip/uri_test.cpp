// Covers RFC 3261 §19.1.1, §19.1.2 and §25.1 (SIP and SIPS URIs), RFC 3966 §3 (tel), RFC 5118 §4.1
// to §4.3 (IPv6). Not covered: comparison, which is in uri_compare_test.cpp.
#include "sip/uri.h"

#include <gtest/gtest.h>

#include <string>

#include "tests/sip/support.h"

namespace signalbox::sip {
namespace {

TEST(Uri_Rfc3261_19_1_1, TakesAllParts) {
    const std::string text =
        "sip:alice:secret@example.test:5070;transport=tcp;lr?Subject=a%20b&Priority=urgent";
    const auto uri = parse_uri(text);
    ASSERT_TRUE(uri);
    EXPECT_EQ(uri->scheme, Scheme::Sip);
    EXPECT_EQ(uri->scheme_text, "sip");
    EXPECT_EQ(uri->text, text);
    EXPECT_TRUE(uri->has_user);
    EXPECT_EQ(uri->user, "alice");
    EXPECT_EQ(uri->password, "secret");
    EXPECT_EQ(uri->host, "example.test");
    EXPECT_EQ(uri->port, 5070);
    EXPECT_EQ(uri->params, "transport=tcp;lr");
    EXPECT_EQ(uri->headers, "Subject=a%20b&Priority=urgent");
}

TEST(Uri_Rfc3261_19_1_1, TheHostAloneIsEnough) {
    const auto uri = parse_uri("sips:example.test");
    ASSERT_TRUE(uri);
    EXPECT_EQ(uri->scheme, Scheme::Sips);
    EXPECT_FALSE(uri->has_user);
    EXPECT_EQ(uri->user, "");
    EXPECT_EQ(uri->host, "example.test");
    EXPECT_EQ(uri->port, std::nullopt);
    EXPECT_EQ(uri->params, "");
    EXPECT_TRUE(uri->is_sip());
}

TEST(Uri_Rfc3261_19_1_1, SchemesAreComparedWithoutCase) {
    EXPECT_EQ(parse_uri("SIP:a@x")->scheme, Scheme::Sip);
    EXPECT_EQ(parse_uri("SipS:a@x")->scheme, Scheme::Sips);
    EXPECT_EQ(parse_uri("TEL:+15551234")->scheme, Scheme::Tel);
}

TEST(Uri_Rfc3261_19_1_1, TheUserMayHoldWhatElsewhereSeparates) {
    const auto uri = parse_uri("sip:user;par=u%40x?a/b@example.test;lr");
    ASSERT_TRUE(uri);
    EXPECT_EQ(uri->user, "user;par=u%40x?a/b");
    EXPECT_EQ(uri->host, "example.test");
    EXPECT_EQ(uri->params, "lr");
}

TEST(Uri_Rfc3261_19_1_1, HeadersMayFollowTheHostAtOnce) {
    const auto uri = parse_uri("sip:example.test?Route=%3Csip:x%3E");
    ASSERT_TRUE(uri);
    EXPECT_EQ(uri->host, "example.test");
    EXPECT_EQ(uri->headers, "Route=%3Csip:x%3E");
}

TEST(Uri_Rfc3261_19_1_2, DefaultPortsFollowTheScheme) {
    EXPECT_EQ(parse_uri("sip:x")->port_or_default(), 5060);
    EXPECT_EQ(parse_uri("sips:x")->port_or_default(), 5061);
    EXPECT_EQ(parse_uri("sips:x:5090")->port_or_default(), 5090);
}

TEST(Uri_Rfc3261_19_1_2, ParametersAreFoundWithoutCaseAndWithEscapes) {
    const auto uri = parse_uri("sip:x;Transport=TCP;l%72;empty=;b=[2001:db8::1]:5060");
    ASSERT_TRUE(uri);
    EXPECT_EQ(uri->param("transport"), "TCP");
    EXPECT_EQ(uri->param("lr"), "");
    EXPECT_EQ(uri->param("EMPTY"), "");
    EXPECT_EQ(uri->param("b"), "[2001:db8::1]:5060");
    EXPECT_EQ(uri->param("maddr"), std::nullopt);
    EXPECT_EQ(uri->param("trans"), std::nullopt);
}

TEST(Uri_Rfc3261_25_1, MalformedSipUrisAreRefused) {
    using namespace std::string_literals;
    for (const std::string& text : {""s,
                                    "sip"s,
                                    "sip:"s,
                                    ":"s,
                                    "sip:@x"s,
                                    "sip::pw@x"s,
                                    "sip:a@"s,
                                    "sip:a@b@c"s,
                                    "sip:a b@x"s,
                                    "sip:a@x y"s,
                                    " sip:x"s,
                                    "sip:x "s,
                                    "<sip:x>"s,
                                    "sip:x:"s,
                                    "sip:x:5060a"s,
                                    "sip:x;"s,
                                    "sip:x;;lr"s,
                                    "sip:x;=1"s,
                                    "sip:x;a=1=2"s,
                                    "sip:x?"s,
                                    "sip:x;lr?"s,
                                    "sip:a%4@x"s,
                                    "sip:a%@x"s,
                                    "sip:a%zz@x"s,
                                    "sip:x;a=%4"s,
                                    "sip:x?a=%"s,
                                    "sip:a\"@x"s,
                                    "sip:a<@x"s,
                                    "sip:\0@x"s,
                                    "sip:a@x\0"s,
                                    "sip:x\r\n"s,
                                    "sip:x;a=\xc3\xbc"s,
                                    "sip:\xc3\xbc@x"s,
                                    "1sip:x"s,
                                    "s ip:x"s,
                                    "sip:x..y"s,
                                    "sip:[::1"s,
                                    "sip:a:p:q@x"s,
                                    "sip:a@x/y"s,
                                    "sip:x,y"s}) {
        EXPECT_FALSE(parse_uri(text)) << text;
    }
}

TEST(Uri_Rfc3261_25_1, ErrorsNameTheHostAndThePort) {
    EXPECT_EQ(outcome(parse_uri("sip:alice@")), "Malformed host");
    EXPECT_EQ(outcome(parse_uri("sip:x:0")), "Malformed port");
    EXPECT_EQ(outcome(parse_uri("sip:x:65536")), "Malformed port");
    EXPECT_EQ(outcome(parse_uri("sip:x:99999999999999999999")), "Malformed port");
    EXPECT_EQ(outcome(parse_uri("sip:x:-1")), "Malformed port");
    EXPECT_EQ(outcome(parse_uri("sip:x:65535")), "ok");
    EXPECT_EQ(outcome(parse_uri("sip:x:1")), "ok");
    EXPECT_EQ(outcome(parse_uri("sip:@x")), "Malformed URI");
}

TEST(Uri_Rfc3261_25_1, NulMayBeEscaped) {
    const auto uri = parse_uri("sip:null-%00-null@example.test");
    ASSERT_TRUE(uri);
    EXPECT_EQ(uri->user, "null-%00-null");
}

TEST(Uri_Behaviour, AServiceCodeMayHoldItsNumberSign) {
    const auto uri = parse_uri("sip:*21*5551234#@example.test");
    ASSERT_TRUE(uri);
    EXPECT_EQ(uri->user, "*21*5551234#");
}

TEST(Uri_Rfc5118_4_1, Ipv6ReferencesKeepTheirBrackets) {
    const auto uri = parse_uri("sip:alice@[2001:db8::10]:5070;lr");
    ASSERT_TRUE(uri);
    EXPECT_EQ(uri->host, "[2001:db8::10]");
    EXPECT_EQ(uri->port, 5070);
    EXPECT_EQ(parse_uri("sip:[2001:db8::10:5070]")->port, std::nullopt);
}

TEST(Uri_Rfc5118_4_2, AnIpv6AddressWithoutBracketsIsMalformed) {
    EXPECT_EQ(outcome(parse_uri("sip:2001:db8::10")), "Malformed port");
}

TEST(Uri_Rfc3966_3, TelNumbersAndTheirParameters) {
    const auto uri = parse_uri("tel:+1-(555)-123.4567;ext=12;phone-context=example.test");
    ASSERT_TRUE(uri);
    EXPECT_EQ(uri->scheme, Scheme::Tel);
    EXPECT_EQ(uri->user, "+1-(555)-123.4567");
    EXPECT_TRUE(uri->has_user);
    EXPECT_EQ(uri->params, "ext=12;phone-context=example.test");
    EXPECT_EQ(uri->param("EXT"), "12");
    EXPECT_FALSE(uri->is_sip());
    EXPECT_TRUE(parse_uri("tel:7042;phone-context=example.test"));
    EXPECT_TRUE(parse_uri("tel:*69"));
    EXPECT_TRUE(parse_uri("tel:112"));
}

TEST(Uri_Rfc3966_3, MalformedTelUrisAreRefused) {
    for (const char* text : {"tel:", "tel:+", "tel:-", "tel:alice", "tel:+1+2", "tel:12;",
                             "tel:12 3", "tel:12;a=%4", "tel:12@x", "tel:+1;=x"}) {
        EXPECT_FALSE(parse_uri(text)) << text;
    }
}

TEST(Uri_Rfc3261_19_1_1, OtherSchemesAreKeptWhole) {
    const auto uri = parse_uri("urn:service:sos");
    ASSERT_TRUE(uri);
    EXPECT_EQ(uri->scheme, Scheme::Other);
    EXPECT_EQ(uri->scheme_text, "urn");
    EXPECT_EQ(uri->text, "urn:service:sos");
    EXPECT_EQ(uri->host, "");
    EXPECT_TRUE(parse_uri("http://example.test/a?b=c#d"));
    EXPECT_FALSE(parse_uri("urn:"));
    EXPECT_FALSE(parse_uri("urn:a b"));
    EXPECT_FALSE(parse_uri("nocolon"));
}

TEST(Unescape_Rfc3261_19_1_2, DecodesWholeEscapesOnly) {
    std::string out = "x";
    unescape("%61%2B%zz%4", out);
    EXPECT_EQ(out, "xa+%zz%4");
    out.clear();
    unescape("%00", out);
    EXPECT_EQ(out, std::string(1, '\0'));
}

}  // namespace
}  // namespace signalbox::sip
