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

struct Nonce_Rfc7616_5_4 : testing::Test {
    crypto::TokenKeys keys = fixed_keys();
    Random random{{3, 4}};

    std::string make(Duration when) {
        return std::string(make_nonce(at(when), random, keys, 1, 2).view());
    }
    NonceCheck::Kind kind(std::string_view text, Duration when) {
        return check_nonce(at(when), text, keys, kLifetime).kind;
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
    const auto a = check_nonce(at(seconds(2)), make(seconds(1)), keys, kLifetime);
    const auto b = check_nonce(at(seconds(2)), make(seconds(1)), keys, kLifetime);
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
    EXPECT_EQ(check_nonce(at(seconds(1)), nonce, again, kLifetime).kind, NonceCheck::Kind::Valid);
    const crypto::TokenKeys other = fixed_keys(2);
    EXPECT_EQ(check_nonce(at(seconds(1)), nonce, other, kLifetime).kind, NonceCheck::Kind::Invalid);
}

}  // namespace
}  // namespace signalbox::auth
