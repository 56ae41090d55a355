// Covers: the results of equal_constant_time() and wipe(). Not covered: the time they take.
#include "crypto/constant_time.h"

#include <gtest/gtest.h>

#include <string>

namespace signalbox::crypto {
namespace {

TEST(ConstantTime_Behaviour, EqualComparesEveryOctetAndTheLength) {
    EXPECT_TRUE(equal_constant_time("", ""));
    EXPECT_TRUE(equal_constant_time(std::string_view(), ""));
    EXPECT_TRUE(equal_constant_time("secret", "secret"));
    EXPECT_FALSE(equal_constant_time("secret", "Secret"));
    EXPECT_FALSE(equal_constant_time("secret", "secreT"));
    EXPECT_FALSE(equal_constant_time("secret", "secre"));
    EXPECT_FALSE(equal_constant_time("secre", "secret"));
    EXPECT_FALSE(equal_constant_time(std::string("a\0b", 3), std::string("a\0c", 3)));
}

TEST(ConstantTime_Behaviour, WipeOverwritesWhatTheStringHolds) {
    std::string secret(100, 's');
    secret.resize(60);  // what lies behind the end is wiped as well
    const char* const memory = secret.data();
    const size_t capacity = secret.capacity();
    wipe(secret);
    EXPECT_TRUE(secret.empty());
    ASSERT_EQ(secret.capacity(), capacity);
    secret.resize(1);  // the octets behind the first one become readable again through `memory`
    size_t left = 0;
    for (size_t i = 1; i < 100; ++i) left += memory[i] == 's' ? 1 : 0;
    EXPECT_EQ(left, 0u);
}

TEST(ConstantTime_Behaviour, WipesShortAndEmptyStrings) {
    std::string empty;
    wipe(empty);
    EXPECT_TRUE(empty.empty());
    std::string small = "pin";
    wipe(small);
    EXPECT_TRUE(small.empty());
}

}  // namespace
}  // namespace signalbox::crypto
