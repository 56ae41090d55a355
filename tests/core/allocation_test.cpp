// Warm work takes nothing from the allocator.
// Covers: a proxied call, a MESSAGE, a registration's refresh, one shard. Not covered: what grows,
// requests between shards.
#include <gtest/gtest.h>

#include "tests/core/core_harness.h"

namespace signalbox::core::testing {
namespace {

using std::chrono::seconds;

struct AllocationTest : ::testing::Test {
    World world;
    Phone& alice = world.stranger();
    Phone& bob = world.registered("bob", "198.51.100.20:5060");

    void call() {
        Outgoing outgoing = alice.invite(bob).expect(100);
        const Incoming leg = bob.expects("INVITE");
        leg.answers(180);
        outgoing.expect(180);
        leg.answers(200);
        outgoing.expect(200).ack();
        bob.expects("ACK");
        Dialog dialog = leg.dialog();
        Outgoing bye = bob.send_in(dialog, "BYE");
        alice.expects("BYE").answers(200);
        bye.expect(200);
        world.wait(seconds(1));
    }
    void message() {
        Outgoing outgoing = alice.send(alice.make("MESSAGE", bob.aor()));
        bob.expects("MESSAGE").answers(200);
        outgoing.expect(200);
        world.wait(seconds(1));
    }
    /// How often the core took from the allocator in 50 rounds after 4,000: by then each part of
    /// each table has been used, and as much ends as begins.
    template <class Round>
    uint64_t allocations_when_warm(Round&& round) {
        for (int i = 0; i < 4000; ++i) round();
        world.core_allocations = 0;
        for (int i = 0; i < 50; ++i) round();
        return world.core_allocations;
    }
};

using Allocation_Behaviour = AllocationTest;

TEST_F(Allocation_Behaviour, AWarmCallTakesNothing) {
    EXPECT_EQ(allocations_when_warm([this] { call(); }), 0U);
}

TEST_F(Allocation_Behaviour, AWarmMessageTakesNothing) {
    EXPECT_EQ(allocations_when_warm([this] { message(); }), 0U);
}

TEST_F(Allocation_Behaviour, AWarmRefreshTakesNothingButADateEachSecond) {
    const RequestText request = bob.registration();
    uint32_t cseq = 1;
    const uint64_t taken = allocations_when_warm([&] {
        RequestText refresh = request;
        refresh.cseq = ++cseq;
        refresh.via = bob.fresh_via();
        Outgoing sent = bob.send(refresh).expect(401);
        bob.send(bob.with_credentials(refresh, sent.response(), "secret")).expect(200);
        ++cseq;
        world.wait(std::chrono::milliseconds(10));
    });
    EXPECT_LE(taken, 1U);
}

}  // namespace
}  // namespace signalbox::core::testing
