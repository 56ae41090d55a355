// A request that keeps no transaction goes to one target only, however often it comes.
// Covers: RFC 3261 §16.11 (the choice of a stateless proxy). Not covered: the memory as such
// (stateless_choices_test), everything else of the mode (stateless_test).
#include <gtest/gtest.h>

#include "tests/core/core_harness.h"

namespace signalbox::core::testing {
namespace {

using std::chrono::seconds;

ports::Snapshot stateless() {
    ports::Snapshot snapshot = default_snapshot();
    snapshot.proxy.mode = ports::ProxyMode::Stateless;
    return snapshot;
}

struct ChoiceTest : ::testing::Test {
    explicit ChoiceTest(uint8_t shards = 1) : world(stateless(), shards) {}

    World world;
    Phone& alice = world.stranger();
    Phone& bob = world.registered("bob", "198.51.100.20:5060");

    Phone& another() {
        Phone& phone = world.phone({"bob", "example.test", "198.51.100.21:5060", {}, {}});
        world.bind("bob", phone);
        return phone;
    }
};
struct ChoiceOverShards : ChoiceTest {
    ChoiceOverShards() : ChoiceTest(3) {}
};

using StatelessChoice_Rfc3261_16_11 = ChoiceTest;
using StatelessChoiceOverShards_Rfc3261_16_11 = ChoiceOverShards;

TEST_F(StatelessChoice_Rfc3261_16_11, ARetransmissionDoesNotReachAPhoneThatCameLater) {
    Outgoing call = alice.invite(bob);
    bob.expects("INVITE");
    Phone& late = another();
    call.retransmit();
    EXPECT_TRUE(alice.is_silent() && bob.is_silent() && late.is_silent());
    EXPECT_EQ(world.count(Counter::stateless_target_changed_dropped_total), 1U);
    EXPECT_TRUE(world.is_empty());
    alice.invite(bob).expect(100);  // another call forks, with state
    bob.expects("INVITE");
    late.expects("INVITE");
}

TEST_F(StatelessChoice_Rfc3261_16_11, AsLongAsNothingChangesEachRetransmissionPasses) {
    Outgoing call = alice.invite(bob);
    const std::string first = bob.expects("INVITE").message().text();
    for (const int wait : {1, 2, 4, 8, 16}) {
        world.wait(seconds(wait));
        call.retransmit();
        EXPECT_EQ(bob.expects("INVITE").message().text(), first);
    }
}

TEST_F(StatelessChoiceOverShards_Rfc3261_16_11, HoldsOnTheShardOfTheUser) {
    for (int i = 0; i < 4; ++i) {
        Outgoing call = alice.invite(bob);
        bob.expects("INVITE");
        call.retransmit();
        bob.expects("INVITE");
    }
    Outgoing call = alice.invite(bob);
    bob.expects("INVITE");
    Phone& late = another();
    call.retransmit();
    EXPECT_TRUE(alice.is_silent() && bob.is_silent() && late.is_silent());
}

}  // namespace
}  // namespace signalbox::core::testing
