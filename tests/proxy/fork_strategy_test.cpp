// Which targets are tried together, which wait, and how the Max-Breadth is shared.
// Covers: RFC 3261 §16.6 (order of the target set), §19.1.4 (as far as it tells phones apart), RFC
// 5393 §5.3.3. Not covered: the branches themselves (forking_test, max_breadth_test of the core).
#include "proxy/fork_strategy.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/proxy/support.h"

namespace signalbox::proxy {
namespace {

using ports::ForkOrder;
using std::chrono::seconds;

Target target(std::string_view uri, uint16_t q = 1000, std::string_view remote = "198.51.100.20") {
    Target made;
    made.uri = uri;
    made.q = q;
    made.has_flow = true;
    made.flow = testing::flow(std::string(remote) + ":5060");
    return made;
}

std::string uris(std::span<const Target> targets) {
    std::string all;
    for (const Target& each : targets) all += std::string(each.uri) + " ";
    return all;
}

TEST(TargetOrder_Rfc3261_16_6, IsByQAndThenAsTheyWere) {
    std::vector<Target> targets{target("sip:a", 500), target("sip:b", 1000), target("sip:c", 500),
                                target("sip:d", 0), target("sip:e", 1000)};
    order_by_q(targets);
    EXPECT_EQ(uris(targets), "sip:b sip:e sip:a sip:c sip:d ");
}

TEST(TargetGroups_Rfc3261_16_6, FollowTheConfiguredOrder) {
    EXPECT_FALSE(begins_group(ForkOrder::ByQ, 500, 500));
    EXPECT_TRUE(begins_group(ForkOrder::ByQ, 501, 500));
    EXPECT_FALSE(begins_group(ForkOrder::Parallel, 1000, 0));
    EXPECT_TRUE(begins_group(ForkOrder::Sequential, 500, 500));
}

size_t different(std::vector<Target> targets) {
    return remove_equal_targets(targets);
}

TEST(EqualTargets_Rfc3261_19_1_4, AreOnePhone) {
    EXPECT_EQ(different({target("sip:bob@198.51.100.20;x=1"), target("sip:%62ob@198.51.100.20")}),
              1U);
    EXPECT_EQ(different({target("sip:bob@198.51.100.20"), target("sip:BOB@198.51.100.20")}), 2U);
    EXPECT_EQ(
        different({target("sip:bob@198.51.100.20"), target("sip:bob@198.51.100.20;user=phone"),
                   target("sip:bob@198.51.100.20")}),
        2U);
}

TEST(EqualTargets_Rfc3261_19_1_4, BehindDifferentNatsAreTwoPhones) {
    EXPECT_EQ(different({target("sip:bob@10.0.0.2", 1000, "203.0.113.1"),
                         target("sip:bob@10.0.0.2", 1000, "203.0.113.2")}),
              2U);
}

TEST(GroupPlan_Behaviour, TheLastGroupRingsOn) {
    ports::ForkingSettings settings;
    settings.delay = seconds(5);
    const GroupPlan plan = group_plan(settings, true, true, seconds(4));
    EXPECT_EQ(plan.ring_limit, Duration::max());
    EXPECT_EQ(plan.next_after, Duration::max());
}

TEST(GroupPlan_Behaviour, TakesTheTimesOfTheConfiguration) {
    ports::ForkingSettings settings;
    GroupPlan plan = group_plan(settings, true, false, seconds(4));
    EXPECT_EQ(plan.ring_limit, seconds(20));
    EXPECT_EQ(plan.next_after, Duration::max());
    EXPECT_FALSE(plan.is_left_for_next);
    settings.ring_time = Duration{};
    settings.delay = seconds(5);
    settings.keep_ringing = false;
    plan = group_plan(settings, true, false, seconds(4));
    EXPECT_EQ(plan.ring_limit, Duration::max());
    EXPECT_EQ(plan.next_after, seconds(5));
    EXPECT_TRUE(plan.is_left_for_next);
}

TEST(GroupPlan_Rfc4321_1_3, ANonInviteGoesOnInTimeAndIsNotCancelled) {
    ports::ForkingSettings settings;
    settings.delay = seconds(30);
    settings.keep_ringing = false;
    const GroupPlan plan = group_plan(settings, false, false, seconds(4));
    EXPECT_EQ(plan.next_after, seconds(4));
    EXPECT_EQ(plan.ring_limit, Duration::max());
    EXPECT_FALSE(plan.is_left_for_next);
}

/// Branches of groups of these sizes, all of them Waiting.
std::vector<Branch> waiting(const std::vector<size_t>& groups) {
    std::vector<Branch> branches;
    for (const size_t size : groups) {
        for (size_t i = 0; i < size; ++i) {
            branches.emplace_back();
            branches.back().begins_group = i == 0 && branches.size() > 1;
        }
    }
    return branches;
}

/// The shares of the branches, begun one after the other, as far as `free` goes.
std::vector<int> shares(const std::vector<size_t>& groups, uint8_t free) {
    const std::vector<Branch> branches = waiting(groups);
    std::vector<int> all;
    for (size_t i = 0; i < groups.front() && free > 0; ++i) {
        const uint8_t share = breadth_share(std::span(branches).subspan(i), free);
        all.push_back(share);
        free = static_cast<uint8_t>(free - share);
    }
    return all;
}

TEST(MaxBreadth_Rfc5393_5_3_3, IsSharedAmongParallelBranches) {
    EXPECT_EQ(shares({1}, 60), (std::vector<int>{60}));
    EXPECT_EQ(shares({3}, 60), (std::vector<int>{20, 20, 20}));
    EXPECT_EQ(shares({3}, 8), (std::vector<int>{3, 3, 2}));
    EXPECT_EQ(shares({3}, 3), (std::vector<int>{1, 1, 1}));
    EXPECT_EQ(shares({3}, 2), (std::vector<int>{1, 1}));
}

TEST(MaxBreadth_Rfc5393_5_3_3, LeavesOneForEachBranchThatMayJoin) {
    EXPECT_EQ(shares({1, 1, 1}, 60), (std::vector<int>{58}));
    EXPECT_EQ(shares({2, 3}, 6), (std::vector<int>{2, 1}));
    EXPECT_EQ(shares({2, 9}, 3), (std::vector<int>{1, 1}));
    EXPECT_EQ(shares({1, 1}, 1), (std::vector<int>{1}));
}

uint32_t incoming(const std::vector<std::string>& lines) {
    const testing::Read read(testing::request_text("INVITE sip:b@example.test", lines));
    return incoming_breadth(read->message);
}

TEST(MaxBreadth_Rfc5393_5_3_3, IsSixtyWhereNobodySaysLess) {
    EXPECT_EQ(incoming({}), 60U);
    EXPECT_EQ(incoming({"Max-Breadth: 7"}), 7U);
    EXPECT_EQ(incoming({"Max-Breadth: 61"}), 60U);
    EXPECT_EQ(incoming({"Max-Breadth: 99999999999"}), 60U);
}

struct NextBranch_Rfc3261_16_6 : ::testing::Test {
    BlockPool pool;
    ResponseContext context{pool};
    std::vector<Branch> branches = waiting({2, 1});

    NextBranch_Rfc3261_16_6() {
        context.branches = branches;
        context.fork.breadth_free = 5;
    }
    bool may_begin(uint8_t begun) {
        context.fork.begun = begun;
        for (uint8_t i = 0; i < begun; ++i) {
            if (branches[i].state == BranchState::Waiting) branches[i].state = BranchState::Sent;
        }
        return may_begin_next(context);
    }
};

TEST_F(NextBranch_Rfc3261_16_6, OfTheSameGroupBeginsAtOnce) {
    EXPECT_TRUE(may_begin(0));
    EXPECT_TRUE(may_begin(1));
    EXPECT_FALSE(may_begin(2));
    EXPECT_FALSE(may_begin(3));
}

TEST_F(NextBranch_Rfc3261_16_6, OfTheNextGroupWaitsForTheEndOfAllBefore) {
    branches[0].state = BranchState::Final;
    EXPECT_FALSE(may_begin(2));
    branches[1].is_left = true;
    EXPECT_TRUE(may_begin(2));
}

TEST_F(NextBranch_Rfc3261_16_6, OfTheNextGroupBeginsWhenItIsDue) {
    context.fork.is_next_due = true;
    EXPECT_TRUE(may_begin(2));
}

TEST_F(NextBranch_Rfc3261_16_6, NeedsAPartOfTheMaxBreadth) {
    context.fork.breadth_free = 0;
    EXPECT_FALSE(may_begin(0));
    context.fork.breadth_free = 1;
    EXPECT_TRUE(may_begin(0));
}

}  // namespace
}  // namespace signalbox::proxy
