// What a drain does with the calls that are not answered when its time is nearly over.
// Covers: ports::EndPendingInvites; RFC 3261 §9.1 and §21.5.4 when the server is stopped. Not
// covered: Drain alone (operation_test), when the node asks for it (node_test).
#include <gtest/gtest.h>

#include "ports/sharding.h"
#include "tests/core/core_harness.h"

namespace signalbox::core::testing {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using Lines = std::vector<std::string>;

const Lines kStopped{"503 Server Server is stopping"};

struct DrainTest : ::testing::Test {
    World world;
    Phone& alice = world.stranger();
    Phone& bob = world.registered("bob", "198.51.100.20:5060");

    void end_pending(World& in) {
        for (uint8_t shard = 0; shard < in.shards(); ++shard) {
            in.command(shard, ports::Drain{});
            in.command(shard, ports::EndPendingInvites{});
        }
        in.wait(milliseconds(10));
    }
    void end_pending() { end_pending(world); }
    bool is_idle() {
        world.command(0, ports::QueryStats{9});
        return std::get<ports::StatsReply>(world.replies.back().value).is_idle;
    }
};

using EndPendingInvites_Behaviour = DrainTest;

TEST_F(EndPendingInvites_Behaviour, TellsTheCallerAndWhoRings) {
    Outgoing call = alice.invite(bob).expect(100);
    const Incoming leg = bob.expects("INVITE");
    leg.answers(180);
    call.expect(180);
    end_pending();
    call.expect(503);
    EXPECT_EQ(call.response().header("Retry-After"), "10");
    const Incoming cancel = bob.expects("CANCEL");
    EXPECT_EQ(cancel.message().branch(), leg.message().branch());
    EXPECT_EQ(cancel.message().header("Reason"), "SIP;cause=503;text=\"Server is stopping\"");
    EXPECT_FALSE(is_idle());
    call.ack();
    cancel.answers(200);
    leg.answers(487);
    bob.expects("ACK");
    EXPECT_TRUE(is_idle());
    EXPECT_TRUE(alice.is_silent());
    EXPECT_EQ(world.record_lines(), kStopped);
    EXPECT_EQ(world.count(Counter::invites_ended_by_stop_total), 1U);
}

TEST_F(EndPendingInvites_Behaviour, SaysItAgainUntilItIsAcknowledged) {
    Outgoing call = alice.invite(bob).expect(100);
    const Incoming leg = bob.expects("INVITE");
    leg.answers(180);
    call.expect(180);
    end_pending();
    bob.expects("CANCEL").answers(200);
    leg.answers(487);
    const std::string lost = alice.expect(503).text();
    EXPECT_FALSE(is_idle());
    world.wait(milliseconds(510));
    call.expect(503);
    EXPECT_EQ(call.response().text(), lost);
    call.ack();
    EXPECT_TRUE(is_idle());
}

TEST_F(EndPendingInvites_Behaviour, CancelsABranchOnlyAfterAProvisional) {
    alice.invite(bob).expect(100);
    const Incoming leg = bob.expects("INVITE");
    end_pending();
    alice.expect(503);
    EXPECT_TRUE(bob.is_silent());
    leg.answers(180);
    bob.expects("CANCEL");
    EXPECT_TRUE(alice.is_silent());
}

TEST_F(EndPendingInvites_Behaviour, ACallThatItsCallerCancelledGets487) {
    Outgoing call = alice.invite(bob).expect(100);
    bob.expects("INVITE").answers(180);
    call.expect(180).cancel();
    alice.expect(200);
    bob.expects("CANCEL");
    end_pending();
    call.expect(487).ack();
    EXPECT_TRUE(bob.is_silent());
    EXPECT_EQ(world.record_lines(), Lines{"487 Caller Request Terminated"});
}

TEST_F(EndPendingInvites_Behaviour, EndsEveryBranchAndEveryCallOnce) {
    Phone& desk = world.phone({"bob", "example.test", "198.51.100.21:5060", {}, {}});
    world.bind("bob", desk);
    Outgoing one = alice.invite(bob).expect(100);
    Outgoing two = alice.invite(bob).expect(100);
    for (Phone* phone : {&bob, &desk}) {
        phone->expects("INVITE").answers(180);
        phone->expects("INVITE").answers(180);
    }
    EXPECT_EQ(alice.take_kinds(), "180 180 180 180");
    end_pending();
    EXPECT_EQ(alice.take_kinds(), "503 503");
    EXPECT_EQ(bob.take_kinds(), "CANCEL CANCEL");
    EXPECT_EQ(desk.take_kinds(), "CANCEL CANCEL");
    EXPECT_EQ(world.record_lines(), (Lines{kStopped[0], kStopped[0]}));
}

TEST_F(EndPendingInvites_Behaviour, LeavesOtherRequestsToTheirClients) {
    Outgoing message = alice.send(alice.make("MESSAGE", bob.aor()));
    const Incoming there = bob.expects("MESSAGE");
    end_pending();
    EXPECT_TRUE(alice.is_silent());
    EXPECT_FALSE(is_idle());
    there.answers(200);
    message.expect(200);
    EXPECT_TRUE(is_idle());
}

TEST_F(EndPendingInvites_Behaviour, ADialogOutlivesItsUnansweredReInvite) {
    Outgoing call = alice.invite(bob).expect(100);
    bob.expects("INVITE").answers(200);
    call.expect(200).ack();
    bob.expects("ACK");
    Dialog dialog = call.dialog();
    Outgoing again = alice.send_in(dialog, "INVITE").expect(100);
    bob.expects("INVITE").answers(100);
    end_pending();
    again.expect(503).ack();
    bob.expects("CANCEL");
    alice.send_in(dialog, "INVITE").expect(503).ack();
    EXPECT_TRUE(bob.is_silent());
    EXPECT_TRUE(world.record_lines().empty());
    Outgoing bye = alice.send_in(dialog, "BYE");
    bob.expects("BYE").answers(200);
    bye.expect(200);
    EXPECT_EQ(world.record_lines(), Lines{"200 Caller BYE"});
}

TEST_F(EndPendingInvites_Behaviour, EndsWhatWaitsForAnotherShard) {
    World shards(default_snapshot(), 3);
    Phone& caller = shards.stranger();
    Phone& dora = shards.registered("dora", "198.51.100.40:5060");
    const auto elsewhere = [](std::string_view id) {
        return ports::shard_of_call_id(id, 3) !=
               ports::shard_of_aor(ports::kDefaultTenant, "dora", 3);
    };
    RequestText located = caller.make("INVITE", dora.aor());
    while (!elsewhere(located.call_id)) located.call_id += "x";
    RequestText first = dora.make("INVITE", "sip:nobody@example.test");
    while (!elsewhere(first.call_id)) first.call_id += "x";
    Outgoing challenged = dora.send(first).expect(407);
    shards.holds_shard_messages = true;
    Outgoing call = caller.send(located).expect(100);
    Outgoing checked = dora.send(dora.with_credentials(first, challenged.response(), "secret"));
    end_pending(shards);
    call.expect(503).ack();
    EXPECT_TRUE(dora.is_silent());
    shards.holds_shard_messages = false;
    shards.deliver_shard_messages();
    checked.expect(503);
    EXPECT_TRUE(dora.is_silent());
    EXPECT_EQ(shards.record_lines(), kStopped);
    shards.wait(seconds(5));
    EXPECT_TRUE(shards.is_empty());
}

}  // namespace
}  // namespace signalbox::core::testing
