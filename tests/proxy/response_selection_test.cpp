// The choice of the best response, as a table.
// Covers: RFC 3261 §16.7 step 6. Not covered: the merging of challenges (response_processing_test).
#include "proxy/response_selection.h"

#include <gtest/gtest.h>

#include <vector>

namespace signalbox::proxy {
namespace {

constexpr int kLocal = 10'000;  // added to a status: the failure was made here

/// The status chosen among these, or 0.
int best(const std::vector<int>& statuses, bool is_invite = true) {
    std::vector<Branch> branches;
    for (const int status : statuses) {
        Branch branch;
        branch.state = BranchState::Final;
        branch.is_local = status > kLocal;
        branch.status = status % kLocal;
        branches.push_back(branch);
    }
    const auto index = best_response(branches, is_invite);
    return index ? statuses[*index] : 0;
}

struct Choice {
    std::vector<int> statuses;
    int chosen;
};

struct ResponseSelection_Rfc3261_16_7 : ::testing::TestWithParam<Choice> {};

TEST_P(ResponseSelection_Rfc3261_16_7, ChoosesByTheTable) {
    EXPECT_EQ(best(GetParam().statuses), GetParam().chosen);
}

INSTANTIATE_TEST_SUITE_P(
    Table, ResponseSelection_Rfc3261_16_7,
    ::testing::Values(Choice{{404}, 404}, Choice{{404, 603}, 603}, Choice{{302, 603}, 603},
                      Choice{{404, 302}, 302}, Choice{{500, 404}, 404},
                      Choice{{500, 302, 404}, 302}, Choice{{404, 401}, 401},
                      Choice{{486, 407}, 407}, Choice{{486, 415}, 415}, Choice{{486, 420}, 420},
                      Choice{{404, 484}, 484}, Choice{{404, 486}, 486}, Choice{{404, 480}, 404},
                      Choice{{480, 404}, 480}, Choice{{408, 404}, 404}, Choice{{408, 500}, 408},
                      Choice{{501, 500}, 501}, Choice{{503, 500}, 500}, Choice{{603, 600}, 603},
                      Choice{{kLocal + 408, 500}, 500}, Choice{{kLocal + 503, 404}, 404},
                      Choice{{kLocal + 408, 603}, 603},
                      Choice{{kLocal + 503, kLocal + 408}, kLocal + 408},
                      Choice{{kLocal + 487, 486}, 486}));

TEST(ResponseSelection_Rfc3261_16_7_6, LooksOnlyAtFinalFailures) {
    EXPECT_EQ(best({}), 0);
    EXPECT_EQ(best({200, 200}), 0);
    EXPECT_EQ(best({200, 486}), 486);
    Branch ringing;
    ringing.state = BranchState::Sent;
    ringing.status = 404;
    EXPECT_FALSE(best_response({&ringing, 1}, true).has_value());
}

TEST(ResponseSelection_Rfc3261_16_7_6, A503IsNotPassedOn) {
    EXPECT_EQ(upstream_status(503), 500);
    for (const int status : {302, 404, 500, 502, 504, 603})
        EXPECT_EQ(upstream_status(status), status);
}

TEST(ResponseSelection_Rfc4320_4_2, A408ToOtherThanInviteLosesToAnything) {
    EXPECT_EQ(best({408, 501}, false), 501);
    EXPECT_EQ(best({503, 408}, false), 503);
    EXPECT_EQ(best({408, 480 + kLocal}, false), 480 + kLocal);
    EXPECT_EQ(best({408}, false), 408);
    EXPECT_EQ(best({408, 501}, true), 408);
}

}  // namespace
}  // namespace signalbox::proxy
