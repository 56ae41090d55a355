// Which calls of strangers leave a record: those that are for a user of ours, however they end.
// Covers: one record per call of a user, of a trusted peer and to a user who exists; a counter
// instead for a stranger who calls nobody, also when the callee's shard must be asked. Not covered:
// what else is in a record (call_record_test).
#include <gtest/gtest.h>

#include "ports/sharding.h"
#include "tests/core/core_harness.h"

namespace signalbox::core::testing {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using Lines = std::vector<std::string>;

ports::Snapshot trusting() {
    ports::Snapshot snapshot = default_snapshot();
    snapshot.trusted = {*Network::parse("203.0.113.100")};
    return snapshot;
}

struct StrangerRecord : ::testing::Test {
    static constexpr uint8_t kShards = 3;
    World world{trusting(), kShards};
    Phone& alice = world.stranger();
    Phone& bob = world.registered("bob", "198.51.100.20:5060");
    Phone& dora = world.registered("dora", "198.51.100.40:5060");

    StrangerRecord() { world.add_user(user_record("carol")); }

    /// An INVITE whose shard is (or is not) the one that knows its callee.
    RequestText invite(Phone& caller, const std::string& callee, bool is_home) {
        RequestText request = caller.make("INVITE", "sip:" + callee + "@example.test");
        const uint8_t home = ports::shard_of_aor(ports::kDefaultTenant, callee, kShards);
        for (int i = 0;; ++i) {
            request.call_id = callee + std::to_string(i);
            if ((ports::shard_of_call_id(request.call_id, kShards) == home) == is_home)
                return request;
        }
    }
    /// Nobody knows yet whether that user exists.
    Outgoing asked(const std::string& callee) {
        world.holds_shard_messages = true;
        Outgoing call = alice.send(invite(alice, callee, false)).expect(100);
        return call;
    }
    void told() {
        world.holds_shard_messages = false;
        world.deliver_shard_messages();
    }
    void expect_nothing_kept(uint64_t counted) {
        EXPECT_TRUE(world.journal.empty());
        EXPECT_TRUE(world.is_empty());
        EXPECT_EQ(world.count(Counter::calls_started_total), 0U);
        EXPECT_EQ(world.count(Counter::stranger_calls_unrecorded_total), counted);
    }
};

using StrangersRecord_Behaviour = StrangerRecord;

TEST_F(StrangersRecord_Behaviour, AStrangerWhoCallsNobodyIsCountedOnly) {
    world.journal.clear();
    for (const bool is_home : {true, false})
        alice.send(invite(alice, "nobody", is_home)).expect(100).expect(404).ack();
    world.wait(seconds(64));
    expect_nothing_kept(2);
}

TEST_F(StrangersRecord_Behaviour, AStrangerWhoCallsAUserThatIsNotThereIsRecorded) {
    for (const bool is_home : {true, false})
        alice.send(invite(alice, "carol", is_home)).expect(100).expect(480).ack();
    EXPECT_EQ(world.record_lines(),
              (Lines{"480 Server Temporarily Unavailable", "480 Server Temporarily Unavailable"}));
    EXPECT_EQ(world.count(Counter::stranger_calls_unrecorded_total), 0U);
}

TEST_F(StrangersRecord_Behaviour, AUserWhoCallsNobodyIsRecorded) {
    Outgoing first = dora.send(invite(dora, "nobody", true)).expect(407);
    first.ack();
    dora.send(dora.with_credentials(first.request(), first.response(), "secret"))
        .expect(100)
        .expect(404)
        .ack();
    EXPECT_EQ(world.record_lines(), Lines{"404 Server Not Found"});
}

TEST_F(StrangersRecord_Behaviour, ATrustedPeerThatCallsNobodyIsRecorded) {
    Phone& trunk = world.phone({"t", "elsewhere.test", "203.0.113.100:5060", {}, {}});
    for (const bool is_home : {true, false})
        trunk.send(invite(trunk, "nobody", is_home)).expect(100).expect(404).ack();
    EXPECT_EQ(world.record_lines(), (Lines{"404 Server Not Found", "404 Server Not Found"}));
}

TEST_F(StrangersRecord_Behaviour, AStrangersCallToAnotherShardBeginsWhenItsInviteCame) {
    Outgoing call = asked("bob");
    const WallTime came = world.now.wall;
    world.wait(milliseconds(700));
    told();
    bob.expects("INVITE").answers(486);
    call.expect(486).ack();
    const auto records = world.records();
    ASSERT_EQ(records.size(), 1U);
    EXPECT_EQ(records[0].started, came);
    EXPECT_EQ(records[0].ring_ms, 700U);
    EXPECT_EQ(records[0].source, "198.51.100.10:5060");
    EXPECT_EQ(records[0].from, alice.aor());
}

TEST_F(StrangersRecord_Behaviour, ACancelBeforeTheCalleeIsKnownMakesNoRecordOfACallToNobody) {
    world.journal.clear();
    Outgoing call = asked("nobody");
    call.cancel();
    EXPECT_NE(alice.take_kinds().find("487"), std::string::npos);
    call.ack();
    told();
    world.wait(seconds(64));
    expect_nothing_kept(1);
}

TEST_F(StrangersRecord_Behaviour, ACancelBeforeTheCalleeIsKnownIsTheEndOfACallToAUser) {
    Outgoing call = asked("bob");
    world.wait(milliseconds(300));
    call.cancel();
    world.wait(milliseconds(200));
    told();
    EXPECT_TRUE(bob.is_silent());
    const auto records = world.records();
    ASSERT_EQ(records.size(), 1U);
    EXPECT_EQ(records[0].status, 487);
    EXPECT_EQ(records[0].ended_by, ports::EndedBy::Caller);
    EXPECT_EQ(records[0].ring_ms, 300U);
}

TEST_F(StrangersRecord_Behaviour, ACallWhoseCalleeIsNeverKnownIsRecorded) {
    world.drops_shard_messages = true;
    Outgoing call = alice.send(invite(alice, "bob", false)).expect(100);
    Outgoing cancelled = alice.send(invite(alice, "carol", false)).expect(100);
    cancelled.cancel();
    world.wait(seconds(6));
    Lines lines = world.record_lines();
    std::sort(lines.begin(), lines.end());
    EXPECT_EQ(lines, (Lines{"487 Caller Request Terminated",
                            "500 Server Location service did not answer"}));
}

TEST_F(StrangersRecord_Behaviour, ACallerWhoseConnectionGoesBeforeTheCalleeIsKnownIsRecorded) {
    Phone& caller = world.stranger("erin", "198.51.100.70:5060", transport::Transport::Tcp);
    world.holds_shard_messages = true;
    caller.send(invite(caller, "bob", false)).expect(100);
    world.fail_last_transmit();
    told();
    EXPECT_TRUE(bob.is_silent());
    EXPECT_EQ(world.record_lines(), Lines{"500 Server The caller's connection is gone"});
    EXPECT_TRUE(world.is_empty());
}

}  // namespace
}  // namespace signalbox::core::testing
