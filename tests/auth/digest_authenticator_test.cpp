// From credentials to a verdict.
// Covers: RFC 3261 §22.1, §22.2, §22.3, §22.4; RFC 7616 §3.3, §3.4, §3.5, §5.4, §5.5; RFC 8760 §2;
// RFC 2069 §2.1.2. Not covered: auth-int, -sess and mutual authentication, which are not offered.
#include "auth/digest_authenticator.h"

#include <gtest/gtest.h>

#include <cctype>

#include "auth/claimed_user.h"
#include "tests/auth/auth_fixture.h"

namespace signalbox::auth {
namespace {

using Kind = Verdict::Kind;

/// The nonce of the fixture's keys, randomness and time: the vectors below hold for it.
constexpr std::string_view kNonce =
    "aeaqaaaaabuolt4laeaabmdxhpnboxtk3lddgzajddloq2xcdxpvzy5ghsxf6ykciq";

using DigestAuthenticator_Rfc3261_22_4 = AuthTest;
using DigestAuthenticator_Rfc7616_3_4 = AuthTest;
using DigestAuthenticator_Rfc8760_2 = AuthTest;
using DigestAuthenticator_Behaviour = AuthTest;

// --- responses computed elsewhere (Python's hashlib), for the fixture's nonce, REGISTER and
// sip:example.test

struct Vector {
    const char* algorithm;
    const char* username;
    bool has_qop;
    const char* response;
};
struct DigestAuthenticator_Rfc7616_3_4_1 : AuthTest, testing::WithParamInterface<Vector> {};

TEST_P(DigestAuthenticator_Rfc7616_3_4_1, AcceptsAResponseComputedElsewhere) {
    ASSERT_EQ(client.nonce, kNonce);
    snapshot.auth.algorithms = {ports::AuthAlgorithm::Sha512_256, ports::AuthAlgorithm::Sha256,
                                ports::AuthAlgorithm::Md5};
    client.algorithm = GetParam().algorithm;
    client.username = GetParam().username;
    if (!GetParam().has_qop) client.qop.clear();
    std::string wrong = GetParam().response;
    wrong.back() = wrong.back() == '0' ? '1' : '0';
    EXPECT_EQ(verify(client.header(wrong)).kind, Kind::WrongCredentials);
    const Verdict verdict = verify(client.header(GetParam().response));
    EXPECT_EQ(verdict.kind, Kind::Accepted);
    EXPECT_EQ(verdict.user, "alice");
}

INSTANTIATE_TEST_SUITE_P(
    Vectors, DigestAuthenticator_Rfc7616_3_4_1,
    testing::Values(Vector{"MD5", "alice", true, "0f091241e86ec79cc627d3f57e81cedd"},
                    Vector{"MD5", "alice@example.test", true, "f15c4bf6d8c25aa257a0d4979e316512"},
                    Vector{"MD5", "alice", false, "faee1857511725d59766b3e54ec00607"},
                    Vector{"SHA-256", "alice", true,
                           "41da8d9185c6ac69fe5a28f3ea69a7f328b9eea7439c6742b3eb0e1881ff7e0b"},
                    Vector{"SHA-256", "alice@example.test", true,
                           "fb2d4647f74432e74e50282077f2a0286914b8555a55d674305e71c7d85ffb31"},
                    Vector{"SHA-256", "alice", false,
                           "d87194640c17a699617e322fa6cb19fb5ecdbbfd6c2e4955d9ee9e9d4a2bf310"},
                    Vector{"SHA-512-256", "alice", true,
                           "dd7e13879e103775664d13c3d3f2a47055478b3a2de59fed5987ec005e75757f"},
                    Vector{"SHA-512-256", "alice@example.test", true,
                           "2d2d9ccd9e36e95f4a90c532174ac89991031ff1d2992120a07ed35266f9d68e"},
                    Vector{"SHA-512-256", "alice", false,
                           "53b3c880551b0720d327d27b6e7fba1ef9d14bfa68353ad0d238c74ed70f573d"}));

// --- right and wrong

TEST_F(DigestAuthenticator_Rfc3261_22_4, AcceptsTheRightPasswordAndNamesTheUser) {
    const Verdict verdict = verify(client.header());
    EXPECT_EQ(verdict.kind, Kind::Accepted);
    EXPECT_EQ(verdict.user, "alice");
}

TEST_F(DigestAuthenticator_Rfc3261_22_4, AcceptsHexadecimalInAnyCase) {
    std::string response = client.answer();
    for (char& c : response) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
    EXPECT_EQ(kind_of(client.header(response)), Kind::Accepted);
}

TEST_F(DigestAuthenticator_Rfc3261_22_4, RefusesAWrongPassword) {
    client.password = "open sesam";
    EXPECT_EQ(kind(), Kind::WrongCredentials);
}

TEST_F(DigestAuthenticator_Rfc3261_22_4, ResponseHoldsForItsMethodOnly) {
    const std::string header = client.header();
    client.method = "INVITE";
    EXPECT_EQ(kind_of(header), Kind::WrongCredentials);
}

TEST_F(DigestAuthenticator_Rfc3261_22_4, UserNameIsCaseSensitive) {
    client.username = "Alice";
    EXPECT_EQ(kind(), Kind::WrongCredentials);
}

TEST_F(DigestAuthenticator_Rfc3261_22_4, DomainOfAnotherIsNoUserOfOurs) {
    client.username = "alice@example.org";
    EXPECT_EQ(kind(), Kind::WrongCredentials);
}

TEST_F(DigestAuthenticator_Rfc3261_22_4, UserOfAnotherRealmOrTenantIsUnknown) {
    auto other = user_record("bob", "open sesame");
    other.realm = "example.org";
    users.update(other);
    client.username = "bob";
    EXPECT_EQ(kind(), Kind::WrongCredentials);
    auto tenant = user_record("carol", "open sesame");
    tenant.tenant = 2;
    users.update(tenant);
    client.username = "carol";
    EXPECT_EQ(kind(), Kind::WrongCredentials);
}

TEST_F(DigestAuthenticator_Rfc3261_22_4, HashThatIsNotKeptCannotBeRight) {
    auto record = user_record("bob", "open sesame");
    record.ha1.plain[0].clear();
    users.update(record);
    client.username = "bob";
    client.password.clear();
    EXPECT_EQ(kind(), Kind::WrongCredentials);
    // Nor does the stand-in's own hash open the door.
    const std::string zeros(32, '0');
    const std::string a2 =
        client.digester.digest(crypto::DigestAlgorithm::Md5, {"REGISTER:sip:example.test"}).hex();
    const std::string forged = client.digester
                                   .digest(crypto::DigestAlgorithm::Md5,
                                           {zeros, ":", client.nonce, ":00000001:c0ffee:auth:", a2})
                                   .hex();
    EXPECT_EQ(kind_of(client.header(forged)), Kind::WrongCredentials);
    client.username = "nobody";
    EXPECT_EQ(kind_of(client.header(forged)), Kind::WrongCredentials);
}

TEST_F(DigestAuthenticator_Behaviour, UnknownUserCostsTheSameWorkAndGetsTheSameVerdict) {
    client.password = "wrong";
    verify(client.header());
    const uint64_t known = authenticator.digests_made();
    client.username = "nobody";
    EXPECT_EQ(kind(), Kind::WrongCredentials);
    EXPECT_EQ(authenticator.digests_made() - known, known);
    EXPECT_EQ(known, 2U);
}

// --- the form

TEST_F(DigestAuthenticator_Rfc7616_3_4, DigestForAnotherRealmIsNotChecked) {
    client.realm = "example.org";
    EXPECT_EQ(kind(), Kind::NotChecked);
    EXPECT_EQ(authenticator.digests_made(), 0U);
}

TEST_F(DigestAuthenticator_Rfc7616_3_4, OtherSchemesAreNotChecked) {
    EXPECT_EQ(kind_of("Bearer abc"), Kind::NotChecked);
}

TEST_F(DigestAuthenticator_Rfc7616_3_4, HashedUserNameIsNotChecked) {
    client.extra = ", userhash=true";
    EXPECT_EQ(kind(), Kind::NotChecked);
    client.extra = ", userhash=false";
    EXPECT_EQ(kind(), Kind::Accepted);
}

TEST_F(DigestAuthenticator_Rfc7616_3_4, QopWithoutCountOrClientNonceIsMalformed) {
    const std::string base = "Digest username=\"alice\", realm=\"example.test\", nonce=\"" +
                             client.nonce + "\", uri=\"sip:example.test\", response=\"" +
                             client.answer() + "\", qop=auth";
    EXPECT_EQ(kind_of(base), Kind::Malformed);
    EXPECT_EQ(kind_of(base + ", nc=00000001"), Kind::Malformed);
    EXPECT_EQ(kind_of(base + ", cnonce=\"c0ffee\""), Kind::Malformed);
    for (const char* nc : {"1", "0000001", "000000001", "0000000g"}) {
        EXPECT_EQ(kind_of(base + ", cnonce=\"c0ffee\", nc=" + nc), Kind::Malformed) << nc;
    }
    EXPECT_EQ(kind_of(base + ", cnonce=\"\", nc=00000001"), Kind::Malformed);
    EXPECT_EQ(kind_of(base + ", cnonce=\"c0ffee\", nc=00000001"), Kind::Accepted);
}

TEST_F(DigestAuthenticator_Rfc7616_3_4, CountOfZeroIsMalformedAndOfOneIsTheFirst) {
    client.nc = 0;
    const Verdict verdict = verify(client.header());
    EXPECT_EQ(verdict.kind, Kind::Malformed);
    EXPECT_EQ(verdict.reason, "Digest nc counts from 1");
    EXPECT_EQ(authenticator.digests_made(), 0U);
    client.nc = 1;
    EXPECT_EQ(kind(), Kind::Accepted);
}

TEST_F(DigestAuthenticator_Rfc7616_3_4, OtherQopIsMalformed) {
    client.qop = "auth-int";
    EXPECT_EQ(kind(), Kind::Malformed);
}

TEST_F(DigestAuthenticator_Rfc7616_3_4, MissingParametersAreMalformed) {
    EXPECT_EQ(kind_of("Digest realm=\"example.test\", nonce=\"n\", uri=\"sip:example.test\", "
                      "response=\"0f091241e86ec79cc627d3f57e81cedd\""),
              Kind::Malformed);
    EXPECT_EQ(
        kind_of("Digest username=\"alice\", realm=\"example.test\", uri=\"sip:example.test\", "
                "response=\"0f091241e86ec79cc627d3f57e81cedd\""),
        Kind::Malformed);
    EXPECT_EQ(kind_of("Digest username=\"alice\", realm=\"example.test\", nonce=\"n\", "
                      "response=\"0f091241e86ec79cc627d3f57e81cedd\""),
              Kind::Malformed);
    EXPECT_EQ(kind_of("Digest username=\"alice\", realm=\"example.test\", nonce=\"n\", "
                      "uri=\"sip:example.test\""),
              Kind::Malformed);
}

TEST_F(DigestAuthenticator_Rfc7616_3_4, ResponseOfAnotherLengthOrAlphabetIsMalformed) {
    const std::string right = client.answer();
    EXPECT_EQ(kind_of(client.header(right.substr(1))), Kind::Malformed);
    EXPECT_EQ(kind_of(client.header(right + "0")), Kind::Malformed);
    EXPECT_EQ(kind_of(client.header("x" + right.substr(1))), Kind::Malformed);
    const Verdict verdict = verify(client.header(""));
    EXPECT_EQ(verdict.kind, Kind::Malformed);
    EXPECT_EQ(verdict.reason, "Malformed digest response");
}

TEST_F(DigestAuthenticator_Rfc7616_3_4, ParameterGivenTwiceIsMalformed) {
    client.extra = ", nonce=\"other\"";
    EXPECT_EQ(kind(), Kind::Malformed);
}

TEST_F(DigestAuthenticator_Rfc7616_3_4, ParameterPastTheLimitIsMalformed) {
    client.cnonce = std::string(kCredentialBytesMax, 'c');
    EXPECT_EQ(kind(), Kind::Accepted);
    client.nonce = fresh_nonce();
    client.cnonce += 'c';
    EXPECT_EQ(kind(), Kind::Malformed);
}

TEST_F(DigestAuthenticator_Rfc7616_3_4, QuotedPairsAreResolved) {
    users.update(user_record("al\"ice", "open sesame"));
    client.username = "al\"ice";
    const std::string response = client.answer();
    client.username = "al\\\"ice";
    EXPECT_EQ(kind_of(client.header(response)), Kind::Accepted);
}

TEST_F(DigestAuthenticator_Rfc7616_3_4, ExtendedUserNameIsDecoded) {
    users.update(user_record("J\xc3\xa4s\xc3\xb8n", "open sesame"));
    client.username = "J\xc3\xa4s\xc3\xb8n";
    const std::string response = client.answer();
    const auto header = [&](const std::string& extended) {
        return "Digest username*=" + extended + ", realm=\"example.test\", nonce=\"" +
               client.nonce + "\", uri=\"sip:example.test\", response=\"" + response +
               "\", qop=auth, nc=00000001, cnonce=\"c0ffee\"";
    };
    EXPECT_EQ(kind_of(header("ISO-8859-1''J%E4s%F8n")), Kind::Malformed);
    EXPECT_EQ(kind_of(header("UTF-8''J%C3%A4s%C3%B8")), Kind::WrongCredentials);
    EXPECT_EQ(kind_of(header("UTF-8''J%C3%A4s%C3%B8n")), Kind::Accepted);
}

TEST_F(DigestAuthenticator_Rfc7616_3_4, UserNamedBothWaysIsMalformed) {
    client.extra = ", username*=UTF-8''alice";
    EXPECT_EQ(kind(), Kind::Malformed);
}

TEST_F(DigestAuthenticator_Rfc3261_22_4, OnlyTheHostOfTheUriIsCompared) {
    client.uri = "sip:someone.else@EXAMPLE.test;transport=tcp";
    EXPECT_EQ(kind(), Kind::Accepted);
    client.nonce = fresh_nonce();
    client.uri = "sip:example.org";
    EXPECT_EQ(verify(client.header()).reason, "Digest uri names another host");
    request_uri = "sip:bob@example.org:5070";
    EXPECT_EQ(kind(), Kind::Accepted);
    client.uri = "no uri";
    EXPECT_EQ(kind(), Kind::Malformed);
}

TEST_F(DigestAuthenticator_Rfc3261_22_4, ATelephoneNumberIsNobodysHost) {
    client.uri = "tel:+15550100";
    EXPECT_EQ(verify(client.header()).reason, "Digest uri names another host");
    request_uri = "tel:+15550100";
    EXPECT_EQ(kind(), Kind::Accepted);
}

// --- algorithms

TEST_F(DigestAuthenticator_Rfc8760_2, AlgorithmThatIsNotOfferedIsNotChecked) {
    for (const char* algorithm : {"SHA-256", "MD5-sess", "NONE", "SHA-1"}) {
        client.algorithm = algorithm;
        EXPECT_EQ(kind(), Kind::NotChecked) << algorithm;
    }
    EXPECT_EQ(authenticator.digests_made(), 0U);
}

TEST_F(DigestAuthenticator_Rfc8760_2, NoAlgorithmMeansMd5) {
    snapshot.auth.algorithms = {ports::AuthAlgorithm::Sha256};
    EXPECT_EQ(kind(), Kind::NotChecked);
    snapshot.auth.algorithms = {ports::AuthAlgorithm::Sha256, ports::AuthAlgorithm::Md5};
    EXPECT_EQ(kind(), Kind::Accepted);
}

TEST_F(DigestAuthenticator_Rfc8760_2, AlgorithmIsNamedInAnyCase) {
    client.algorithm = "md5";
    EXPECT_EQ(kind(), Kind::Accepted);
}

}  // namespace
}  // namespace signalbox::auth
