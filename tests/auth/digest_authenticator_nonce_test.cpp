// Nonces and guessing sources as the authenticator sees them.
// Covers: RFC 7616 §3.3 (stale), §3.4 (nc), §5.5 (replay); RFC 3261 §22.4. Not covered: the form of
// credentials and their responses (digest_authenticator_test).
#include <gtest/gtest.h>

#include "auth/digest_authenticator.h"
#include "tests/auth/auth_fixture.h"

namespace signalbox::auth {
namespace {

using std::chrono::seconds;
using Kind = Verdict::Kind;
using DigestAuthenticator_Rfc7616_3_3 = AuthTest;
using DigestAuthenticator_Rfc7616_3_4 = AuthTest;
using DigestAuthenticator_Behaviour = AuthTest;

// --- nonces

TEST_F(DigestAuthenticator_Rfc7616_3_4, RepeatedCountIsAReplay) {
    EXPECT_EQ(kind(), Kind::Accepted);
    EXPECT_EQ(kind(), Kind::Replayed);
    client.nc = 2;
    EXPECT_EQ(kind(), Kind::Accepted);
}

TEST_F(DigestAuthenticator_Rfc7616_3_4, WrongResponseDoesNotUseACount) {
    const std::string right = client.answer();
    client.password = "wrong";
    EXPECT_EQ(kind(), Kind::WrongCredentials);
    EXPECT_EQ(kind_of(client.header(right)), Kind::Accepted);
}

TEST_F(DigestAuthenticator_Rfc7616_3_3, ExpiredNonceIsStaleWhateverTheResponse) {
    const Duration lifetime = snapshot.auth.nonce_lifetime;
    EXPECT_EQ(kind(lifetime), Kind::Accepted);
    client.nc = 2;
    EXPECT_EQ(kind(lifetime + std::chrono::milliseconds(1)), Kind::Stale);
    client.password = "wrong";
    EXPECT_EQ(kind(lifetime + std::chrono::milliseconds(1)), Kind::Stale);
    EXPECT_EQ(kind(lifetime), Kind::WrongCredentials);
}

TEST_F(DigestAuthenticator_Rfc7616_3_3, NonceThatIsNotOursIsStaleWhateverTheResponse) {
    client.nonce = "0123456789abcdef";
    EXPECT_EQ(kind(), Kind::Stale);
    client.password = "wrong";
    EXPECT_EQ(kind(), Kind::Stale);
    EXPECT_EQ(authenticator.digests_made(), 0U);
}

TEST_F(DigestAuthenticator_Rfc7616_3_3, NonceOfAnotherSourceIsNotCheckedWhateverTheResponse) {
    source = IpAddress::v4(198, 51, 100, 10);
    EXPECT_EQ(kind(), Kind::ForeignNonce);
    client.password = "wrong";
    EXPECT_EQ(kind(), Kind::ForeignNonce);
    EXPECT_EQ(authenticator.digests_made(), 0U);
}

TEST_F(DigestAuthenticator_Rfc7616_3_3, PhoneThatRoamsGoesOnWithTheNewNonce) {
    EXPECT_EQ(kind(), Kind::Accepted);
    source = IpAddress::v4(203, 0, 113, 7);
    client.nc = 2;
    EXPECT_EQ(kind(), Kind::ForeignNonce);
    client.nonce = fresh_nonce();
    client.nc = 1;
    EXPECT_EQ(kind(), Kind::Accepted);
}

TEST_F(DigestAuthenticator_Rfc7616_3_4, NonceFromBeforeTheStartIsStale) {
    client.nonce = fresh_nonce(seconds(-1));
    EXPECT_EQ(kind(), Kind::Stale);
    client.nonce = fresh_nonce(seconds(-1) + std::chrono::milliseconds(1));
    EXPECT_EQ(kind(), Kind::Accepted);
}

TEST_F(DigestAuthenticator_Rfc7616_3_4, WithoutQopANonceWorksOnce) {
    client.qop.clear();
    EXPECT_EQ(kind(), Kind::Accepted);
    EXPECT_EQ(kind(), Kind::Stale);
    client.qop = "auth";
    client.nc = 7;
    EXPECT_EQ(kind(), Kind::Replayed);
}

TEST_F(DigestAuthenticator_Rfc7616_3_4, CountedNonceDoesNotWorkWithoutQop) {
    EXPECT_EQ(kind(), Kind::Accepted);
    client.qop.clear();
    EXPECT_EQ(kind(), Kind::Stale);
}

TEST_F(DigestAuthenticator_Behaviour, FullNonceTableForgetsTheOldestAsStale) {
    DigestAuthenticator small(at(seconds(-1)), users, keys, guard, 1);
    const auto use = [&](Client& by, Duration when) {
        const std::string header = by.header();
        const auto credentials = sip::parse_credentials(header);
        return small
            .verify(at(when), {ports::kDefaultTenant, by.method, *credentials, request_uri, source,
                               snapshot, false})
            .kind;
    };
    EXPECT_EQ(use(client, seconds(1)), Kind::Accepted);
    Client other;
    other.nonce = fresh_nonce(seconds(1));
    EXPECT_EQ(use(other, seconds(2)), Kind::Accepted);
    EXPECT_EQ(use(client, seconds(3)), Kind::Stale);
    client.nc = 2;
    EXPECT_EQ(use(client, seconds(3)), Kind::Stale);
}

TEST_F(DigestAuthenticator_Behaviour, NoncesOutliveARotationOfKeys) {
    crypto::TokenKey old_key, new_key;
    for (size_t i = 0; i < old_key.secret.size(); ++i) {
        old_key.secret[i] = static_cast<uint8_t>(i);
        new_key.secret[i] = static_cast<uint8_t>(200 - i);
    }
    old_key.id = 1;
    new_key.id = 2;
    old_key.not_after = at(seconds(100)).wall;
    new_key.not_after = at(seconds(10'000)).wall;
    const std::vector<crypto::TokenKey> both = {new_key, old_key};
    const crypto::TokenKeys rotated{std::span<const crypto::TokenKey>(both)};
    authenticator.set_keys(rotated);
    EXPECT_EQ(kind(), Kind::Accepted);
    client.nc = 2;
    EXPECT_EQ(kind(seconds(101)), Kind::Stale);
}

// --- sources that guess

TEST_F(DigestAuthenticator_Behaviour, SourceThatGuessesIsLeftUnanswered) {
    client.password = "wrong";
    for (int i = 1; i < 20; ++i) {
        const Verdict verdict = verify(client.header());
        EXPECT_EQ(verdict.kind, Kind::WrongCredentials);
        EXPECT_FALSE(verdict.begins_block);
    }
    EXPECT_TRUE(verify(client.header()).begins_block);
    const uint64_t digests = authenticator.digests_made();
    EXPECT_EQ(kind(), Kind::Unanswered);
    client.password = "open sesame";
    EXPECT_EQ(kind(), Kind::Unanswered);
    EXPECT_EQ(authenticator.digests_made(), digests);
    source = IpAddress::v4(198, 51, 100, 10);
    client.nonce = fresh_nonce();
    EXPECT_EQ(kind(), Kind::Accepted);
}

TEST_F(DigestAuthenticator_Behaviour, NobodyIsBlockedByWhoForgesHisAddress) {
    const IpAddress attacker = source;
    const IpAddress victim = IpAddress::v4(192, 0, 2, 1);
    client.password = "wrong";
    for (int i = 0; i < 100; ++i) {
        source = attacker;
        client.nonce = fresh_nonce();
        source = victim;
        EXPECT_EQ(kind(), Kind::ForeignNonce);
        client.nonce = std::string(66, 'a');
        EXPECT_EQ(kind(), Kind::Stale);
    }
    EXPECT_EQ(guard.size(), 0U);
    client.nonce = fresh_nonce();
    client.password = "open sesame";
    EXPECT_EQ(kind(), Kind::Accepted);
}

TEST_F(DigestAuthenticator_Behaviour, WhatWasNotCheckedIsNoGuess) {
    for (int i = 0; i < 50; ++i) {
        client.algorithm = "SHA-256";
        EXPECT_EQ(kind(), Kind::NotChecked);
        client.algorithm.clear();
        EXPECT_EQ(kind_of(client.header("")), Kind::Malformed);
    }
    EXPECT_EQ(kind(), Kind::Accepted);
}

TEST_F(DigestAuthenticator_Behaviour, RegisteredUserIsNeverBlockedNorCounted) {
    client.password = "wrong";
    has_live_binding = true;
    for (int i = 0; i < 30; ++i) EXPECT_EQ(kind(), Kind::WrongCredentials);
    has_live_binding = false;
    for (int i = 0; i < 20; ++i) EXPECT_EQ(kind(), Kind::WrongCredentials);
    EXPECT_EQ(kind(), Kind::Unanswered);
    has_live_binding = true;
    client.password = "open sesame";
    EXPECT_EQ(kind(), Kind::Accepted);
}

}  // namespace
}  // namespace signalbox::auth
