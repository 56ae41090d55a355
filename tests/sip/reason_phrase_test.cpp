// The reason phrases of the status codes that other documents than RFC 3261 define.
// Covers: RFC 3312 §8, RFC 3903 §11.2, RFC 4028 §6, RFC 5393 §6, RFC 5626 §11, RFC 6665 §8.3. Not
// covered: those of RFC 3261 §21 (response_builder_test).
#include <gtest/gtest.h>

#include "sip/response_builder.h"

namespace signalbox::sip {
namespace {

TEST(ReasonPhrase_Rfc3312_8, APreconditionThatFailed) {
    EXPECT_EQ(default_reason(580), "Precondition Failure");
}

TEST(ReasonPhrase_Rfc3903_11_2, AConditionOfAPublication) {
    EXPECT_EQ(default_reason(412), "Conditional Request Failed");
}

TEST(ReasonPhrase_Rfc4028_6, ASessionIntervalThatIsTooSmall) {
    EXPECT_EQ(default_reason(422), "Session Interval Too Small");
}

TEST(ReasonPhrase_Rfc5393_6, ABreadthThatIsUsedUp) {
    EXPECT_EQ(default_reason(440), "Max-Breadth Exceeded");
}

TEST(ReasonPhrase_Rfc5626_11, AFlowThatFailedAndAnEdgeThatKeepsNone) {
    EXPECT_EQ(default_reason(430), "Flow Failed");
    EXPECT_EQ(default_reason(439), "First Hop Lacks Outbound Support");
}

TEST(ReasonPhrase_Rfc6665_8_3, AnEventThatNobodyKnowsAndAWordThatIsNoMore) {
    EXPECT_EQ(default_reason(489), "Bad Event");
    EXPECT_EQ(default_reason(202), "Accepted");
}

}  // namespace
}  // namespace signalbox::sip
