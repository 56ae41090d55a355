// Moves of phones behind NATs, as each shard remembers them.
// Covers: RFC 5626 §5.3 (to the flow of the registration), the limits. Not covered: who tells of a
// move (registrar/outbound_test), and what follows one (core/moved_phone_test).
#include "proxy/moved_flows.h"

#include <gtest/gtest.h>

#include "tests/proxy/support.h"

namespace signalbox::proxy {
namespace {

using transport::Flow;
using transport::Transport;

struct MovedFlowsTest : ::testing::Test {
    Random random{{1, 2}};
    Counters counters;
    MovedFlows moves{random, counters};

    static Flow at(uint32_t number) {
        Flow flow = testing::flow("203.0.113.30:1");
        flow.remote.address = IpAddress::v4(203, 0, 113, static_cast<uint8_t>(number >> 16));
        flow.remote.port = static_cast<uint16_t>(number);
        return flow;
    }
    static Flow connection(uint32_t number) {
        Flow flow = testing::flow("203.0.113.30:40000", Transport::Tcp);
        flow.connection = number;
        return flow;
    }
    void move(const Flow& from, const Flow& to, std::string_view aor = "bob") {
        moves.note({1, aor, from, to});
    }
    std::optional<Flow> find(const Flow& from, std::string_view aor = "bob") {
        return moves.find(1, aor, from);
    }
};

using MovedFlows_Rfc5626_5_3 = MovedFlowsTest;
using MovedFlows_Behaviour = MovedFlowsTest;

TEST_F(MovedFlows_Rfc5626_5_3, KnowsWhereAPhoneIsNow) {
    EXPECT_TRUE(moves.is_empty());
    move(at(1), at(2));
    EXPECT_FALSE(moves.is_empty());
    EXPECT_EQ(find(at(1)), at(2));
    EXPECT_FALSE(find(at(2)));
    EXPECT_FALSE(find(at(3)));
    EXPECT_EQ(counters.value(Counter::phone_flows_moved_total), 1U);
}

TEST_F(MovedFlows_Rfc5626_5_3, TellsConnectionsOfOneAddressApart) {
    move(connection(1), connection(2));
    EXPECT_EQ(find(connection(1)), connection(2));
    Flow later = connection(1);
    later.generation = 1;
    EXPECT_FALSE(find(later));
    Flow of_another_shard = connection(1);
    of_another_shard.shard = 1;
    EXPECT_FALSE(find(of_another_shard));
}

TEST_F(MovedFlows_Rfc5626_5_3, FollowsOneMoveAfterTheOther) {
    for (uint32_t i = 0; i < kMovesFollowedMax; ++i) move(at(i), at(i + 1));
    EXPECT_EQ(find(at(0)), at(kMovesFollowedMax));
    move(at(kMovesFollowedMax), at(500));
    EXPECT_EQ(find(at(1)), at(500));
    EXPECT_EQ(find(at(0)), at(kMovesFollowedMax));
}

TEST_F(MovedFlows_Rfc5626_5_3, APhoneThatIsBackIsNotLookedForElsewhere) {
    move(at(1), at(2));
    move(at(2), at(1));
    EXPECT_FALSE(find(at(1)));
    EXPECT_EQ(find(at(2)), at(1));
    move(at(2), at(2));
    EXPECT_FALSE(find(at(2)));
}

TEST_F(MovedFlows_Behaviour, AMoveIsThatOfOneUserOnly) {
    move(at(1), at(2), "mallory");
    EXPECT_FALSE(find(at(1), "bob"));
    EXPECT_FALSE(moves.find(2, "mallory", at(1)));
    EXPECT_TRUE(find(at(1), "mallory"));
}

TEST_F(MovedFlows_Behaviour, TheOldestGivesWay) {
    const auto count = static_cast<uint32_t>(kMovedFlowsMax);
    for (uint32_t i = 0; i < count; ++i) move(at(2 * i), at(2 * i + 1));
    EXPECT_TRUE(find(at(0)));
    EXPECT_EQ(counters.value(Counter::phone_moves_forgotten_total), 0U);
    move(at(2 * count), at(2 * count + 1));
    EXPECT_FALSE(find(at(0)));
    EXPECT_TRUE(find(at(2)));
    EXPECT_TRUE(find(at(2 * count)));
    EXPECT_EQ(counters.value(Counter::phone_moves_forgotten_total), 1U);
}

}  // namespace
}  // namespace signalbox::proxy
