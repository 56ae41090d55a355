// Covers: CHECK and, in builds that have it, DCHECK.
#include "base/check.h"

#include <gtest/gtest.h>

namespace signalbox {
namespace {

TEST(CheckDeathTest, FailureEndsTheProcessAndNamesTheCondition) {
    const int one = 1;
    EXPECT_DEATH(CHECK(one == 2), "check_test.cpp:[0-9]+: CHECK failed: one == 2");
}

TEST(Check_Behaviour, SuccessEvaluatesTheConditionOnce) {
    int evaluations = 0;
    CHECK(++evaluations == 1);
    EXPECT_EQ(evaluations, 1);
}

#ifdef SIGNALBOX_DCHECK
TEST(CheckDeathTest, DcheckChecksInDebugBuilds) {
    const int one = 1;
    EXPECT_DEATH(DCHECK(one == 2), "CHECK failed");
}
#else
TEST(Check_Behaviour, DcheckEvaluatesNothingInReleaseBuilds) {
    int evaluations = 0;
    DCHECK(++evaluations == 5);
    EXPECT_EQ(evaluations, 0);
}
#endif

}  // namespace
}  // namespace signalbox
