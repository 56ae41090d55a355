// Covers: RFC 2104 §2, with short, empty and over-long keys, against values that another
// implementation gave.
#include "crypto/hmac.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>

#include "base/text.h"

namespace signalbox::crypto {
namespace {

std::string hex(const std::array<uint8_t, kHmacBytes>& tag) {
    return text::to_hex({reinterpret_cast<const char*>(tag.data()), tag.size()});
}

TEST(Hmac_Rfc2104_2, MatchesKnownValues) {
    EXPECT_EQ(hex(Hmac(std::string(20, '\x0b')).sha256({"Hi There"})),
              "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
    EXPECT_EQ(hex(Hmac("Jefe").sha256({"what do ya want for nothing?"})),
              "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
}

TEST(Hmac_Rfc2104_2, TakesKeysLongerThanABlock) {
    EXPECT_EQ(hex(Hmac(std::string(131, '\xaa'))
                      .sha256({"Test Using Larger Than Block-Size Key - Hash Key First"})),
              "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

TEST(Hmac_Rfc2104_2, TakesAnEmptyKeyAndAnEmptyText) {
    const char* const expected = "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad";
    EXPECT_EQ(hex(Hmac("").sha256({""})), expected);
    EXPECT_EQ(hex(Hmac(std::string_view()).sha256({})), expected);
}

TEST(Hmac_Behaviour, PartsAreOneText) {
    Hmac hmac("key");
    EXPECT_EQ(hmac.sha256({"a", "", "bc"}), hmac.sha256({"abc"}));
}

TEST(Hmac_Behaviour, EachUseStartsFromTheKeyAlone) {
    Hmac hmac("key");
    const auto first = hmac.sha256({"text"});
    hmac.sha256(
        {"another text, longer than the first one and longer than one block of the hash function"});
    EXPECT_EQ(hmac.sha256({"text"}), first);
    Hmac moved(std::move(hmac));
    EXPECT_EQ(moved.sha256({"text"}), first);
    EXPECT_NE(Hmac("kez").sha256({"text"}), first);
}

}  // namespace
}  // namespace signalbox::crypto
