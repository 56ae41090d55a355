// Requests to bindings that were registered through other proxies.
// Covers: RFC 3327 §5.3, §5.4; RFC 3261 §16.6 steps 6 and 7 (a path begins with a strict router).
// Not covered: what a REGISTER with Path is answered (registrar/outbound_test).
#include <gtest/gtest.h>

#include "tests/core/core_harness.h"

namespace signalbox::core::testing {
namespace {

ports::Snapshot trusting() {
    ports::Snapshot snapshot = default_snapshot();
    snapshot.trusted = {*Network::parse("203.0.113.0/24"), *Network::parse("198.51.100.10")};
    return snapshot;
}

struct PathTest : ::testing::Test {
    explicit PathTest(uint8_t shards = 1) : world(trusting(), shards) {
        world.add_user(user_record("bob"));
    }
    /// bob registers `contact` through the proxy `edge`.
    void registers(Phone& edge, const std::string& contact,
                   const std::vector<std::string>& headers) {
        RequestText request = edge.make("REGISTER", "sip:example.test");
        request.from = "<sip:bob@example.test>;tag=r";
        request.to = "<sip:bob@example.test>";
        request.contact.clear();
        request.with("Contact: " + contact);
        for (const std::string& header : headers) request.with(header);
        edge.send(request).expect(200);
    }

    World world;
    Phone& alice = world.stranger();
    Phone& east = world.stranger("edge", "203.0.113.5:5060");
    Phone& west = world.stranger("edge", "203.0.113.6:5060");
};

using Path_Rfc3327_5_4 = PathTest;

TEST_F(Path_Rfc3327_5_4, PathBecomesTheRouteAndTheContactTheRequestUri) {
    registers(east, "<sip:bob@10.0.0.1>", {"Path: <sip:tok@203.0.113.5;lr>, <sip:inner.test;lr>"});
    alice.send(alice.make("INVITE", "sip:bob@example.test")).expect(100);
    const Incoming got = east.expects("INVITE");
    EXPECT_EQ(got.message().uri(), "sip:bob@10.0.0.1");
    EXPECT_EQ(got.message().values("Route"),
              (std::vector<std::string>{"<sip:tok@203.0.113.5;lr>", "<sip:inner.test;lr>"}));
}

TEST_F(Path_Rfc3327_5_4, EachBranchHasThePathOfItsOwnBinding) {
    Phone& desk = world.registered("bob", "198.51.100.20:5060");
    registers(east, "<sip:bob@10.0.0.1>", {"Path: <sip:east@203.0.113.5;lr>"});
    registers(west, "<sip:bob@10.0.0.2>", {"Path: <sip:west@203.0.113.6;lr>"});
    alice.send(alice.make("INVITE", "sip:bob@example.test")).expect(100);
    const Incoming to_east = east.expects("INVITE");
    EXPECT_EQ(to_east.message().uri(), "sip:bob@10.0.0.1");
    EXPECT_EQ(to_east.message().header("Route"), "<sip:east@203.0.113.5;lr>");
    const Incoming to_west = west.expects("INVITE");
    EXPECT_EQ(to_west.message().uri(), "sip:bob@10.0.0.2");
    EXPECT_EQ(to_west.message().header("Route"), "<sip:west@203.0.113.6;lr>");
    EXPECT_FALSE(desk.expects("INVITE").message().has("Route"));
}

TEST_F(Path_Rfc3327_5_4, OwnRouteOfTheCallerIsTakenOffInFrontOfThePath) {
    registers(east, "<sip:bob@10.0.0.1>", {"Path: <sip:203.0.113.5;lr>"});
    RequestText request = alice.make("INVITE", "sip:bob@example.test");
    request.routes = {"<sip:192.0.2.1;lr>"};
    alice.send(request).expect(100);
    EXPECT_EQ(east.expects("INVITE").message().values("Route"),
              std::vector<std::string>{"<sip:203.0.113.5;lr>"});
}

TEST_F(Path_Rfc3327_5_4, StrictFirstHopGetsTheRequestUriAndTheContactEndsTheRoute) {
    registers(east, "<sip:bob@10.0.0.1>", {"Path: <sip:203.0.113.5>, <sip:inner.test;lr>"});
    alice.send(alice.make("INVITE", "sip:bob@example.test")).expect(100);
    const Incoming got = east.expects("INVITE");
    EXPECT_EQ(got.message().uri(), "sip:203.0.113.5");
    EXPECT_EQ(got.message().values("Route"),
              (std::vector<std::string>{"<sip:inner.test;lr>", "<sip:bob@10.0.0.1>"}));
}

TEST_F(Path_Rfc3327_5_4, NameOfTheFirstHopIsLookedUp) {
    registers(east, "<sip:bob@10.0.0.1>", {"Path: <sip:edge.test:5060;lr>"});
    alice.send(alice.make("INVITE", "sip:bob@example.test")).expect(100);
    ASSERT_EQ(world.dns.size(), 1U);
    world.answer_dns(world.dns[0], {"203.0.113.5"});
    EXPECT_EQ(east.expects("INVITE").message().uri(), "sip:bob@10.0.0.1");
}

TEST_F(Path_Rfc3327_5_4, CancelAndAckOfABranchTakeItsPath) {
    registers(east, "<sip:bob@10.0.0.1>", {"Path: <sip:tok@203.0.113.5;lr>"});
    Outgoing call = alice.send(alice.make("INVITE", "sip:bob@example.test")).expect(100);
    const Incoming got = east.expects("INVITE");
    got.answers(180);
    call.expect(180).cancel().expect(200);
    EXPECT_EQ(east.expects("CANCEL").message().header("Route"), "<sip:tok@203.0.113.5;lr>");
    got.answers(487);
    EXPECT_EQ(east.expects("ACK").message().header("Route"), "<sip:tok@203.0.113.5;lr>");
    call.expect(487);
}

TEST_F(Path_Rfc3327_5_4, PathIsStillFollowedAfterARestart) {
    registers(east, "<sip:bob@10.0.0.1>", {"Path: <sip:tok@203.0.113.5;lr>"});
    const auto journalled = ports::decode_bindings_event(world.journal.back());
    ASSERT_TRUE(journalled);
    World restarted(trusting());
    restarted.command(0, ports::RestoreBindings{{*journalled}});
    Phone& caller = restarted.stranger();
    Phone& edge = restarted.stranger("edge", "203.0.113.5:5060");
    caller.send(caller.make("INVITE", "sip:bob@example.test")).expect(100);
    EXPECT_EQ(edge.expects("INVITE").message().header("Route"), "<sip:tok@203.0.113.5;lr>");
}

struct PathOverShardsTest : PathTest {
    PathOverShardsTest() : PathTest(3) {}
};
using Path_Rfc3327_5_4_Shards = PathOverShardsTest;

TEST_F(Path_Rfc3327_5_4_Shards, AnotherShardsAnswerCarriesThePath) {
    registers(east, "<sip:bob@10.0.0.1>", {"Path: <sip:tok@203.0.113.5;lr>"});
    for (int i = 0; i < 6; ++i) {
        alice.send(alice.make("INVITE", "sip:bob@example.test")).expect(100);
        EXPECT_EQ(east.expects("INVITE").message().header("Route"), "<sip:tok@203.0.113.5;lr>");
    }
}

}  // namespace
}  // namespace signalbox::core::testing
