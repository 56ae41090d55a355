// Covers: the phrases of errors, fail(), TRY and TRY_ASSIGN. Not covered: tl::expected itself.
#include "base/result.h"

#include <gtest/gtest.h>
#include <string>

namespace signalbox {
namespace {

Result<int> positive(int value) {
    if (value <= 0) return fail(ErrorCode::out_of_range, 7);
    return value;
}

Result<void> check_positive(int value) {
    if (value <= 0) return fail(ErrorCode::malformed_q, 3);
    return {};
}

Result<int> doubled(int value) {
    TRY(check_positive(value + 1));
    TRY_ASSIGN(checked, positive(value));
    return checked * 2;
}

TEST(Result_Behaviour, EachErrorHasAPhrase) {
    EXPECT_EQ(error_text(ErrorCode::malformed), "Malformed");
    EXPECT_EQ(error_text(ErrorCode::malformed_via), "Malformed Via");
    EXPECT_EQ(error_text(ErrorCode::malformed_token), "Malformed token");
#define SIGNALBOX_ERROR(name, text) EXPECT_EQ(error_text(ErrorCode::name), text) << #name;
#include "base/errors.def"
#undef SIGNALBOX_ERROR
}

TEST(Result_Behaviour, TryPassesValuesOn) {
    EXPECT_EQ(doubled(4), 8);
}

TEST(Result_Behaviour, TryAssignLeavesWithTheError) {
    const auto result = doubled(0);
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error(), (Error{ErrorCode::out_of_range, 7}));
}

TEST(Result_Behaviour, TryLeavesWithTheError) {
    const auto result = doubled(-1);
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error(), (Error{ErrorCode::malformed_q, 3}));
}

TEST(Result_Behaviour, AnErrorIsEightOctets) {
    EXPECT_EQ(sizeof(Error), 8u);
}

TEST(ResultDeathTest, RefusesACodeThatDoesNotExist) {
    EXPECT_DEATH(error_text(static_cast<ErrorCode>(60000)), "CHECK failed");
}

}  // namespace
}  // namespace signalbox
