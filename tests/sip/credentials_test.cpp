// Covers RFC 3261 §20.7 (Authorization), §20.27, §20.28 and §20.44 (challenges); RFC 7616 §3.3 and
// §3.4. Not covered: whether credentials are right, which is the authentication's.
#include <gtest/gtest.h>

#include "sip/header_values.h"
#include "sip/params.h"
#include "tests/sip/support.h"

namespace signalbox::sip {
namespace {

TEST(Credentials_Rfc3261_20_7, TakesEveryField) {
    const auto credentials = parse_credentials(
        "Digest username=\"alice\", realm=\"example.test\",nonce=\"n0\" , uri=\"sip:b@x\",\r\n"
        " response=\"00ff\", algorithm=SHA-256, cnonce=\"c\", opaque=\"o\", qop=auth, nc=00000001,"
        " userhash=TRUE, username*=UTF-8''al%C3%AFce, other=x");
    ASSERT_TRUE(credentials);
    EXPECT_TRUE(credentials->is_digest);
    EXPECT_EQ(credentials->username, "alice");
    EXPECT_EQ(credentials->realm, "example.test");
    EXPECT_EQ(credentials->nonce, "n0");
    EXPECT_EQ(credentials->uri, "sip:b@x");
    EXPECT_EQ(credentials->response, "00ff");
    EXPECT_EQ(credentials->algorithm, "SHA-256");
    EXPECT_EQ(credentials->cnonce, "c");
    EXPECT_EQ(credentials->opaque, "o");
    EXPECT_EQ(credentials->qop, "auth");
    EXPECT_EQ(credentials->nc, "00000001");
    EXPECT_TRUE(credentials->userhash);
    EXPECT_EQ(credentials->username_extended, "UTF-8''al%C3%AFce");
    EXPECT_FALSE(credentials->has_duplicate);
    EXPECT_FALSE(credentials->has_quoted_pair);
}

TEST(Credentials_Rfc3261_20_7, NamesAndSchemeHaveNoCase) {
    const auto credentials = parse_credentials("DIGEST UserName=\"a\",QOP=\"auth\"");
    ASSERT_TRUE(credentials);
    EXPECT_TRUE(credentials->is_digest);
    EXPECT_EQ(credentials->username, "a");
    EXPECT_EQ(credentials->qop, "auth");
}

TEST(Credentials_Rfc3261_20_7, OtherSchemesAreToldApart) {
    const auto credentials = parse_credentials("Bearer abc.def==");
    ASSERT_TRUE(credentials);
    EXPECT_FALSE(credentials->is_digest);
    EXPECT_EQ(credentials->text, "Bearer abc.def==");
    EXPECT_TRUE(parse_credentials("Basic"));
}

TEST(Credentials_Rfc7616_3_4, DuplicatesAreTold) {
    EXPECT_TRUE(parse_credentials("Digest nonce=\"a\", nonce=\"b\"")->has_duplicate);
    EXPECT_TRUE(parse_credentials("Digest username*=a, username*=a")->has_duplicate);
    EXPECT_TRUE(parse_credentials("Digest userhash=true, userhash=false")->has_duplicate);
    EXPECT_FALSE(parse_credentials("Digest x=1, x=2")->has_duplicate);
}

TEST(Credentials_Rfc3261_25_1, QuotedPairsAreToldAndResolvedByUnquote) {
    const auto credentials = parse_credentials(R"(Digest username="al\"ic\\e", realm="x")");
    ASSERT_TRUE(credentials);
    EXPECT_TRUE(credentials->has_quoted_pair);
    EXPECT_EQ(credentials->username, R"(al\"ic\\e)");
    EXPECT_EQ(unquote(credentials->username), R"(al"ic\e)");
}

TEST(Credentials_Rfc3261_25_1, MalformedValuesAreRefused) {
    for (const char* text :
         {"", " ", "Digest", "Digest ", "Digest username", "Digest username=\"a", "Digest =1",
          "Digest username=\"a\" realm=\"b\"", "Digest username=\"a\",", "Digest ,username=\"a\"",
          "Digest username=\"a\",,realm=\"b\"", "Digest username=\"a\"b", "\"Digest\" a=1"}) {
        EXPECT_EQ(outcome(parse_credentials(text)), "Malformed Authorization") << text;
    }
}

TEST(Challenge_Rfc3261_20_44, TakesEveryField) {
    const auto challenge = parse_challenge(
        "Digest realm=\"r\", nonce=\"n\", opaque=\"o\", algorithm=MD5, qop=\"auth,auth-int\","
        " domain=\"sip:x sip:y\", stale=true");
    ASSERT_TRUE(challenge);
    EXPECT_TRUE(challenge->is_digest);
    EXPECT_EQ(challenge->realm, "r");
    EXPECT_EQ(challenge->nonce, "n");
    EXPECT_EQ(challenge->opaque, "o");
    EXPECT_EQ(challenge->algorithm, "MD5");
    EXPECT_EQ(challenge->qop, "auth,auth-int");
    EXPECT_EQ(challenge->domain, "sip:x sip:y");
    EXPECT_TRUE(challenge->stale);
    EXPECT_FALSE(parse_challenge("Digest realm=\"r\"")->stale);
}

TEST(Challenge_Rfc3261_25_1, MalformedValuesAreRefused) {
    EXPECT_FALSE(parse_challenge(""));
    EXPECT_FALSE(parse_challenge("Digest"));
    EXPECT_FALSE(parse_challenge("Digest realm=\"r"));
    EXPECT_FALSE(parse_challenge("Digest realm"));
    EXPECT_FALSE(parse_challenge("Negotiate abc")->is_digest);
}

}  // namespace
}  // namespace signalbox::sip
