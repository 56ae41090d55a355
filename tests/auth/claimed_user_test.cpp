// Which credentials are for us, and whom they name.
// Covers: RFC 3261 §22.3; RFC 5987 §3.2; RFC 7616 §3.4.4. Not covered: userhash, which is not
// offered.
#include "auth/claimed_user.h"

#include <gtest/gtest.h>

namespace signalbox::auth {
namespace {

std::string request_with(const std::string& headers) {
    return "INVITE sip:bob@example.test SIP/2.0\r\n"
           "Via: SIP/2.0/UDP 198.51.100.9;branch=z9hG4bK1\r\n"
           "From: <sip:alice@example.test>;tag=1\r\nTo: <sip:bob@example.test>\r\n"
           "Call-ID: c1\r\nCSeq: 1 INVITE\r\n" +
           headers + "Content-Length: 0\r\n\r\n";
}

struct Found {
    bool is_error = false;
    std::string username;
};
Found find(const std::string& headers) {
    const std::string text = request_with(headers);
    sip::MessageView view;
    EXPECT_TRUE(sip::parse_message(text, view));
    const auto found = find_credentials(view, sip::HeaderId::ProxyAuthorization, "example.test");
    if (!found) return {true, {}};
    return {false, *found ? std::string((*found)->username) : std::string()};
}

TEST(FindCredentials_Rfc3261_22_3, TakesTheDigestForOurRealm) {
    EXPECT_EQ(find("Proxy-Authorization: Digest username=\"x\", realm=\"example.org\"\r\n"
                   "Proxy-Authorization: Bearer abc\r\n"
                   "Proxy-Authorization: Digest username=\"alice\", realm=\"example.test\"\r\n"
                   "Proxy-Authorization: Digest username=\"late\", realm=\"example.test\"\r\n")
                  .username,
              "alice");
}

TEST(FindCredentials_Rfc3261_22_3, FindsNothingWhereNothingIsForUs) {
    EXPECT_EQ(find("").username, "");
    EXPECT_FALSE(find("").is_error);
    EXPECT_EQ(find("Authorization: Digest username=\"alice\", realm=\"example.test\"\r\n").username,
              "");
    EXPECT_EQ(
        find("Proxy-Authorization: Digest username=\"x\", realm=\"example.org\"\r\n").username, "");
}

TEST(FindCredentials_Rfc3261_22_3, UnreadableCredentialsAreAnErrorUnlessOursAreThere) {
    EXPECT_TRUE(find("Proxy-Authorization: Digest username\r\n").is_error);
    EXPECT_EQ(find("Proxy-Authorization: Digest username\r\n"
                   "Proxy-Authorization: Digest username=\"alice\", realm=\"example.test\"\r\n")
                  .username,
              "alice");
}

std::optional<ClaimedUser> claim(const std::string& params) {
    const std::string header = "Digest " + params;
    const auto credentials = sip::parse_credentials(header);
    EXPECT_TRUE(credentials) << header;
    return claimed_user(*credentials);
}

TEST(ClaimedUser_Rfc7616_3_4_4, SplitsOffTheDomain) {
    EXPECT_EQ(claim("username=\"alice\"")->name, "alice");
    EXPECT_EQ(claim("username=\"alice\"")->domain, "");
    EXPECT_EQ(claim("username=\"alice@example.test\"")->name, "alice");
    EXPECT_EQ(claim("username=\"alice@example.test\"")->domain, "example.test");
    EXPECT_EQ(claim("username=\"a@b@example.test\"")->name, "a@b");
}

TEST(ClaimedUser_Rfc7616_3_4_4, ResolvesPairsAndEscapes) {
    EXPECT_EQ(claim("username=\"al\\\\ice\"")->name, "al\\ice");
    EXPECT_EQ(claim("username*=UTF-8''al%69ce")->name, "alice");
    EXPECT_EQ(claim("username*=utf-8'en'alice%40example.test")->domain, "example.test");
}

TEST(ClaimedUser_Rfc5987_3_2, AnExtendedValueHasCharsetLanguageAndEscapedOctets) {
    EXPECT_EQ(claim("username*=UTF-8''J%C3%A4s%c3%b8n")->name, "J\xc3\xa4s\xc3\xb8n");
    EXPECT_EQ(claim("username*=utf-8'de-CH'a'b")->name, "a'b");
    EXPECT_FALSE(claim("username*=iso-8859-1'en'%A3")) << "RFC 7616 §3.4.4: UTF-8 alone";
    EXPECT_FALSE(claim("username*=''a"));
    EXPECT_FALSE(claim("username*=UTF-8''%4"));
}

TEST(ClaimedUser_Rfc7616_3_4_4, NobodyIsNamedByEmptyOrMalformedNames) {
    for (const char* params : {"realm=\"r\"", "username=\"\"", "username=\"@example.test\"",
                               "username=\"alice@\"", "username*=alice", "username*=UTF-8'alice",
                               "username*=UTF-8''al%6", "username*=UTF-8''%zz",
                               "username*=latin1''alice", "username=\"a\", username*=UTF-8''a"}) {
        EXPECT_FALSE(claim(params)) << params;
    }
    const std::string longest(kCredentialBytesMax, 'a');
    EXPECT_TRUE(claim("username=\"" + longest + "\""));
    EXPECT_FALSE(claim("username=\"" + longest + "a\""));
}

}  // namespace
}  // namespace signalbox::auth
