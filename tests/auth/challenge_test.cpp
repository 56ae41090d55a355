// The challenges as a client reads them.
// Covers: RFC 3261 §22.1-§22.3 (401 and 407), RFC 7616 §3.3, RFC 8760 §2.4 (one line per algorithm,
// in order). Not covered: opaque and domain, which are not sent.
#include "auth/challenge.h"

#include <gtest/gtest.h>

#include <vector>

#include "sip/header_values.h"

namespace signalbox::auth {
namespace {

struct Challenge_Rfc8760_2_4 : testing::Test {
    const std::string request =
        "REGISTER sip:example.test SIP/2.0\r\nVia: SIP/2.0/UDP 198.51.100.9;branch=z9hG4bK1\r\n"
        "From: <sip:a@example.test>;tag=1\r\nTo: <sip:a@example.test>\r\nCall-ID: c\r\n"
        "CSeq: 1 REGISTER\r\nContent-Length: 0\r\n\r\n";
    ports::Snapshot snapshot;

    std::vector<std::string> challenges(int status, const std::string& header, bool stale = false,
                                        const std::string& nonce = "n0nce") {
        sip::MessageView view;
        EXPECT_TRUE(sip::parse_message(request, view));
        std::string out;
        sip::ResponseBuilder builder(view, status, {}, "t", out);
        append_challenges(builder, status, snapshot, nonce, stale);
        builder.finish();
        std::vector<std::string> found;
        const std::string begin = "\r\n" + header + ": ";
        for (size_t at = out.find(begin); at != std::string::npos; at = out.find(begin, at + 1)) {
            const size_t value = at + begin.size();
            found.push_back(out.substr(value, out.find("\r\n", value) - value));
        }
        return found;
    }
};

TEST_F(Challenge_Rfc8760_2_4, OneLinePerAlgorithmInTheConfiguredOrder) {
    snapshot.auth.realm = "example.test";
    snapshot.auth.algorithms = {ports::AuthAlgorithm::Sha512_256, ports::AuthAlgorithm::Sha256,
                                ports::AuthAlgorithm::Md5};
    EXPECT_EQ(
        challenges(401, "WWW-Authenticate"),
        (std::vector<std::string>{
            "Digest realm=\"example.test\", nonce=\"n0nce\", algorithm=SHA-512-256, qop=\"auth\"",
            "Digest realm=\"example.test\", nonce=\"n0nce\", algorithm=SHA-256, qop=\"auth\"",
            "Digest realm=\"example.test\", nonce=\"n0nce\", algorithm=MD5, qop=\"auth\""}));
}

TEST_F(Challenge_Rfc8760_2_4, ProxyChallengesInItsOwnHeaderField) {
    EXPECT_EQ(challenges(407, "Proxy-Authenticate").size(), 1U);
    EXPECT_TRUE(challenges(407, "WWW-Authenticate").empty());
    EXPECT_TRUE(challenges(401, "Proxy-Authenticate").empty());
}

TEST_F(Challenge_Rfc8760_2_4, SaysStaleOnlyWhenItIs) {
    EXPECT_TRUE(sip::parse_challenge(challenges(401, "WWW-Authenticate", true)[0])->stale);
    EXPECT_FALSE(sip::parse_challenge(challenges(401, "WWW-Authenticate")[0])->stale);
}

TEST_F(Challenge_Rfc8760_2_4, RealmIsQuotedAndBounded) {
    snapshot.auth.realm = "a \"b\" \\c";
    EXPECT_EQ(challenges(401, "WWW-Authenticate")[0].substr(0, 29),
              "Digest realm=\"a \\\"b\\\" \\\\c\", n");
    snapshot.auth.realm = std::string(kRealmBytesMax, '"');
    const auto longest = challenges(401, "WWW-Authenticate", true, std::string(162, 'n'))[0];
    EXPECT_EQ(longest.substr(longest.size() - 10), "stale=true");
    snapshot.auth.realm += "x";
    EXPECT_EQ(challenges(401, "WWW-Authenticate", true, std::string(162, 'n'))[0], longest);
}

}  // namespace
}  // namespace signalbox::auth
