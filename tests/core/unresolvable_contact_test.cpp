// Contacts that no address leads to, as browser phones write them.
// Covers: RFC 7118 §5.1 (a .invalid Contact is reached by its connection alone), RFC 3891 (an
// INVITE with Replaces that a transfer sends to such a Contact). Not covered: WebSocket itself
// (tests/io).
#include <gtest/gtest.h>

#include "tests/core/core_harness.h"

namespace signalbox::core::testing {
namespace {

using transport::Transport;

ports::Snapshot trusting() {
    ports::Snapshot snapshot = default_snapshot();
    snapshot.trusted = {*Network::parse("198.51.100.0/24")};
    return snapshot;
}

constexpr const char* kContact = "sip:kq3f8@df7jal23ls0d.invalid;transport=ws";

struct UnresolvableTest : ::testing::Test {
    explicit UnresolvableTest(uint8_t shards = 1) : world(trusting(), shards) {
        world.add_user(user_record("bob"));
        registers(bob, "c1");
    }
    void registers(Phone& phone, const std::string& call_id, uint32_t expires_s = 600) {
        RequestText request = phone.registration(expires_s);
        request.contact = "<" + std::string(kContact) + ">";
        request.call_id = call_id;
        request.cseq = ++cseq;
        phone.send(request).expect(200);
    }
    Outgoing transfer(const std::string& uri) {
        RequestText request = alice.make("INVITE", uri);
        return alice.send(request.with("Replaces: x@h;to-tag=1;from-tag=2")).expect(100);
    }

    World world;
    Phone& alice = world.stranger();
    Phone& bob = world.phone({"bob", "example.test", "198.51.100.20:40001", Transport::Tcp, {}});
    uint32_t cseq = 0;
};

using Unresolvable_Rfc7118_5_1 = UnresolvableTest;

TEST_F(Unresolvable_Rfc7118_5_1, InviteWithReplacesToTheContactFindsItsConnection) {
    transfer(kContact);
    const Incoming got = bob.expects("INVITE");
    EXPECT_EQ(got.message().uri(), kContact);
    EXPECT_TRUE(got.message().has("Replaces"));
    EXPECT_TRUE(world.dns.empty());
}

TEST_F(Unresolvable_Rfc7118_5_1, RefreshAndANewConnectionKeepTheContactReachable) {
    registers(bob, "c1");
    Phone& again = world.phone({"bob", "example.test", "198.51.100.20:40002", Transport::Tcp, {}});
    registers(again, "c2");
    transfer(kContact);
    again.expects("INVITE");
    EXPECT_TRUE(bob.is_silent());
}

TEST_F(Unresolvable_Rfc7118_5_1, ContactThatIsGoneIs404) {
    registers(bob, "c1", 0);
    transfer(kContact).expect(404);
    transfer("sip:kq3f8@other.invalid;transport=ws").expect(404);
    EXPECT_TRUE(world.dns.empty());
    EXPECT_TRUE(bob.is_silent());
}

TEST_F(Unresolvable_Rfc7118_5_1, LaterRegistrationOfTheSameContactByAnotherUserTakesNothingOver) {
    world.add_user(user_record("eve"));
    Phone& eve = world.phone({"eve", "example.test", "198.51.100.66:40001", Transport::Tcp, {}});
    registers(eve, "e1");
    transfer(kContact);
    bob.expects("INVITE");
    EXPECT_TRUE(eve.is_silent());
}

TEST_F(Unresolvable_Rfc7118_5_1, ClosedConnectionIs480) {
    world.close_flow(bob);
    transfer(kContact).expect(480);
}

struct UnresolvableOverShardsTest : UnresolvableTest {
    UnresolvableOverShardsTest() : UnresolvableTest(3) {}
};
using Unresolvable_Rfc7118_5_1_Shards = UnresolvableOverShardsTest;

TEST_F(Unresolvable_Rfc7118_5_1_Shards, EveryShardIsAsked) {
    for (int i = 0; i < 6; ++i) {
        transfer(kContact);
        bob.expects("INVITE");
        transfer("sip:kq3f8@other.invalid").expect(404);
    }
}

}  // namespace
}  // namespace signalbox::core::testing
