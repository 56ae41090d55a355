// Nonces: ours, of their time, and no one else's.
// Covers: RFC 7616 §3.3, §5.4; RFC 3261 §22.4. Not covered: the counts (nonce_window_test).
#include "auth/nonce.h"

#include <gtest/gtest.h>

#include "tests/auth/auth_fixture.h"

namespace signalbox::auth {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
constexpr Duration kLifetime = std::chrono::minutes(5);

const IpAddress kClient = IpAddress::v4(198, 51, 100, 9);

IpAddress address(std::string_view text) {
    return *IpAddress::parse(text);
}

struct Nonce_Rfc7616_5_4 : testing::Test {
    crypto::TokenKeys keys = fixed_keys();
    Random random{{3, 4}};

    std::string make(Duration when, const IpAddress& client = kClient) {
        return std::string(make_nonce(at(when), random, {keys, 1, 2}, client).view());
    }
    NonceCheck::Kind kind(std::string_view text, Duration when, const IpAddress& client = kClient) {
        return check_nonce(at(when), text, client, keys, kLifetime).kind;
    }
};

TEST_F(Nonce_Rfc7616_5_4, HoldsThroughItsLifetime) {
    const std::string nonce = make(seconds(0));
    EXPECT_EQ(kind(nonce, seconds(0)), NonceCheck::Kind::Valid);
    EXPECT_EQ(kind(nonce, kLifetime), NonceCheck::Kind::Valid);
    EXPECT_EQ(kind(nonce, kLifetime + milliseconds(1)), NonceCheck::Kind::Expired);
}

TEST_F(Nonce_Rfc7616_5_4, ToleratesAMinuteOfSkewAndNoMore) {
    const std::string nonce = make(seconds(60));
    EXPECT_EQ(kind(nonce, seconds(0)), NonceCheck::Kind::Valid);
    EXPECT_EQ(kind(nonce, -milliseconds(1)), NonceCheck::Kind::Expired);
}

TEST_F(Nonce_Rfc7616_5_4, TellsWhenItWasIssuedAndIsUnique) {
    const auto a = check_nonce(at(seconds(2)), make(seconds(1)), kClient, keys, kLifetime);
    const auto b = check_nonce(at(seconds(2)), make(seconds(1)), kClient, keys, kLifetime);
    EXPECT_EQ(a.id.issued_ms, 1'700'000'001'000U);
    EXPECT_NE(a.id, b.id);
}

TEST_F(Nonce_Rfc7616_5_4, EveryChangedCharacterMakesItInvalid) {
    const std::string nonce = make(seconds(0));
    for (size_t i = 0; i < nonce.size(); ++i) {
        std::string changed = nonce;
        changed[i] = changed[i] == 'a' ? 'b' : 'a';
        EXPECT_EQ(kind(changed, seconds(0)), NonceCheck::Kind::Invalid) << i;
    }
    EXPECT_EQ(kind("", seconds(0)), NonceCheck::Kind::Invalid);
    EXPECT_EQ(kind(nonce.substr(1), seconds(0)), NonceCheck::Kind::Invalid);
    EXPECT_EQ(kind(std::string(5000, 'a'), seconds(0)), NonceCheck::Kind::Invalid);
}

TEST_F(Nonce_Rfc7616_5_4, TokenOfAnotherPurposeOrSizeIsInvalid) {
    crypto::TokenFields fields;
    fields.payload = "0123456789abcdef";
    EXPECT_EQ(kind(crypto::seal_hmac(crypto::purpose::kFlow, fields, keys), seconds(0)),
              NonceCheck::Kind::Invalid);
    fields.payload = "0123456789abcde";
    EXPECT_EQ(kind(crypto::seal_hmac(crypto::purpose::kNonce, fields, keys), seconds(0)),
              NonceCheck::Kind::Invalid);
}

TEST_F(Nonce_Rfc7616_5_4, HoldsOverARestartWithTheSameKeysOnly) {
    const std::string nonce = make(seconds(0));
    const crypto::TokenKeys again = fixed_keys();
    EXPECT_EQ(check_nonce(at(seconds(1)), nonce, kClient, again, kLifetime).kind,
              NonceCheck::Kind::Valid);
    const crypto::TokenKeys other = fixed_keys(2);
    EXPECT_EQ(check_nonce(at(seconds(1)), nonce, kClient, other, kLifetime).kind,
              NonceCheck::Kind::Invalid);
}

TEST_F(Nonce_Rfc7616_5_4, HoldsForTheSourceToWhichItWasSentOnly) {
    const std::string nonce = make(seconds(0));
    for (const char* other : {"198.51.100.8", "9.100.51.198", "::", "c633:6409::1"}) {
        EXPECT_EQ(kind(nonce, seconds(1), address(other)), NonceCheck::Kind::Foreign) << other;
        EXPECT_EQ(kind(make(seconds(0), address(other)), seconds(1)), NonceCheck::Kind::Foreign);
    }
    EXPECT_EQ(kind(nonce, seconds(1), IpAddress{}), NonceCheck::Kind::Foreign);
    EXPECT_EQ(kind(nonce, seconds(1), address("::ffff:198.51.100.9")), NonceCheck::Kind::Valid);
}

TEST_F(Nonce_Rfc7616_5_4, HoldsForTheWhole64OfAnIpv6Client) {
    const std::string nonce = make(seconds(0), address("2001:db8:0:1::1"));
    EXPECT_EQ(kind(nonce, seconds(1), address("2001:db8:0:1:ffff::2")), NonceCheck::Kind::Valid);
    EXPECT_EQ(kind(nonce, seconds(1), address("2001:db8:0:2::1")), NonceCheck::Kind::Foreign);
    EXPECT_EQ(kind(nonce, seconds(1), address("32.1.13.184")), NonceCheck::Kind::Foreign);
}

TEST_F(Nonce_Rfc7616_5_4, FitsAPhonesBufferOf128Octets) {
    EXPECT_EQ(make(seconds(0)).size(), 66U);
    EXPECT_EQ(make(seconds(0), address("2001:db8::1")).size(), 72U);
}

}  // namespace
}  // namespace signalbox::auth
