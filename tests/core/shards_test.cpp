// Several shards: who owns what, and what they ask each other.
// Covers: the steering of packets, credentials and locations across shards, blocked sources,
// deadlines of such questions. Not covered: rings between threads (tests of the node).
#include <gtest/gtest.h>

#include "ports/sharding.h"
#include "tests/core/core_harness.h"

namespace signalbox::core::testing {
namespace {

using std::chrono::seconds;

constexpr uint8_t kShards = 3;

struct ShardsTest : ::testing::Test {
    World world{limited(), kShards};
    Phone& alice = world.stranger();
    Phone& bob = world.registered("bob", "198.51.100.20:5060");
    Phone& dora = world.registered("dora", "198.51.100.40:5060");

    static ports::Snapshot limited() {
        ports::Snapshot snapshot = default_snapshot();
        snapshot.limits.auth_failures_max = 1;
        return snapshot;
    }
    static uint8_t home(std::string_view user) {
        return ports::shard_of_aor(ports::kDefaultTenant, user, kShards);
    }
    /// A Call-ID whose shard is (or is not) that of `user`.
    static std::string call_id(std::string_view user, bool is_home) {
        for (int i = 0;; ++i) {
            const std::string id = "call-id-" + std::to_string(i);
            if ((ports::shard_of_call_id(id, kShards) == home(user)) == is_home) return id;
        }
    }
    RequestText away(Phone& from, const Phone& to, std::string_view user) {
        RequestText request = from.make("INVITE", to.aor());
        request.call_id = call_id(user, false);
        return request;
    }
};

using Shards_Behaviour = ShardsTest;
using Steering_Behaviour = ShardsTest;

TEST_F(Shards_Behaviour, ACalleeOfAnotherShardIsFound) {
    Outgoing call = alice.send(away(alice, bob, "bob")).expect(100);
    const Incoming leg = bob.expects("INVITE");
    leg.answers(200);
    call.expect(200).ack();
    bob.expects("ACK");
    Dialog dialog = leg.dialog();
    Outgoing bye = bob.send_in(dialog, "BYE");
    alice.expects("BYE").answers(200);
    bye.expect(200);
    EXPECT_EQ(world.record_lines(), std::vector<std::string>{"200 Callee BYE"});
}

TEST_F(Shards_Behaviour, CredentialsOfAnotherShardsUserAreChecked) {
    Outgoing first = dora.send(away(dora, bob, "dora")).expect(407);
    dora.send(dora.with_credentials(first.request(), first.response(), "secret")).expect(100);
    bob.expects("INVITE");
    first = dora.send(away(dora, bob, "dora")).expect(407);
    dora.send(dora.with_credentials(first.request(), first.response(), "wrong")).expect(407);
}

TEST_F(Shards_Behaviour, AnUnknownUserOfAnotherShardGets404) {
    RequestText request = alice.make("INVITE", "sip:nobody@example.test");
    request.call_id = call_id("nobody", false);
    alice.send(request).expect(100).expect(404);
}

TEST_F(Shards_Behaviour, ASourceThatGuessesIsBlockedByAll) {
    Phone& guesser = world.phone({"dora", "example.test", "203.0.113.66:5060", {}, {}});
    Outgoing first = guesser.send(away(guesser, bob, "dora")).expect(407);
    guesser.send(guesser.with_credentials(first.request(), first.response(), "wrong")).expect(407);
    EXPECT_EQ(world.gauges().sources_blocked, uint64_t{kShards});
    for (int i = 0; i < 8; ++i) guesser.send(guesser.make("MESSAGE", bob.aor()));
    EXPECT_TRUE(guesser.is_silent());
    // Others there are not known to be it, but their registration would excuse them; dora's is at
    // another address.
    EXPECT_EQ(world.count(Counter::auth_source_blocked_dropped_total), 8U);
}

TEST_F(Shards_Behaviour, ALocationThatComesTooLateFailsTheCallInTime) {
    world.holds_shard_messages = true;
    Outgoing call = alice.send(away(alice, bob, "bob")).expect(100);
    world.wait(seconds(4));
    EXPECT_TRUE(alice.is_silent());
    world.wait(seconds(2));
    call.expect(500).ack();
    EXPECT_EQ(world.count(Counter::port_timeouts_total), 1U);
    world.holds_shard_messages = false;
    world.deliver_shard_messages();
    EXPECT_TRUE(bob.is_silent());
    EXPECT_EQ(world.count(Counter::stale_handles_dropped_total), 1U);
}

TEST_F(Shards_Behaviour, CredentialsThatComeTooLateFailTheRequestInTime) {
    Outgoing first = dora.send(away(dora, bob, "dora")).expect(407);
    world.holds_shard_messages = true;
    Outgoing second = dora.send(dora.with_credentials(first.request(), first.response(), "secret"));
    EXPECT_EQ(world.gauges().proxied_requests, 1U);
    world.wait(seconds(6));
    second.expect(500);
    EXPECT_EQ(world.gauges().proxied_requests, 0U);
    world.holds_shard_messages = false;
    world.deliver_shard_messages();
    EXPECT_TRUE(bob.is_silent() && dora.is_silent());
    EXPECT_TRUE(world.is_empty());
}

TEST_F(Shards_Behaviour, ACancelEndsAnInviteWhoseCredentialsAreBeingChecked) {
    Outgoing first = dora.send(away(dora, bob, "dora")).expect(407);
    world.holds_shard_messages = true;
    Outgoing second = dora.send(dora.with_credentials(first.request(), first.response(), "secret"));
    second.cancel();
    const std::string kinds = dora.take_kinds();
    EXPECT_NE(kinds.find("200"), std::string::npos) << kinds;
    EXPECT_NE(kinds.find("487"), std::string::npos) << kinds;
    EXPECT_EQ(world.gauges().proxied_requests, 0U);
    world.holds_shard_messages = false;
    world.deliver_shard_messages();
    EXPECT_TRUE(bob.is_silent());
}

TEST_F(Shards_Behaviour, ARetransmissionWhileSuspendedIsServedOnce) {
    Outgoing first = dora.send(away(dora, bob, "dora")).expect(407);
    world.holds_shard_messages = true;
    Outgoing second = dora.send(dora.with_credentials(first.request(), first.response(), "secret"));
    second.retransmit();
    world.holds_shard_messages = false;
    world.deliver_shard_messages();
    bob.expects("INVITE");
    EXPECT_TRUE(bob.is_silent());
    const std::string kinds = dora.take_kinds();
    EXPECT_EQ(kinds.find("407"), std::string::npos) << kinds;
    EXPECT_EQ(world.count(Counter::calls_started_total), 1U);
}

TEST_F(Shards_Behaviour, ACancelEndsTheWaitForALocation) {
    world.holds_shard_messages = true;
    Outgoing call = alice.send(away(alice, bob, "bob")).expect(100);
    call.cancel();
    alice.expect(200);
    call.expect(487).ack();
    world.holds_shard_messages = false;
    world.deliver_shard_messages();
    EXPECT_TRUE(bob.is_silent());
    world.wait(seconds(64));
    EXPECT_TRUE(world.is_empty());
}

TEST_F(Steering_Behaviour, ResponsesGoToTheShardOfTheirBranch) {
    for (int i = 0; i < 12; ++i) {
        RequestText request = alice.make("MESSAGE", bob.aor());
        const uint8_t owner = ports::shard_of_call_id(request.call_id, kShards);
        EXPECT_EQ(owner_shard(request.text(), kShards, 0), owner);
        alice.send(request);
        const Incoming got = bob.expects("MESSAGE");
        EXPECT_EQ(owner_shard(got.response(200), kShards, 0), owner);
    }
}

TEST_F(Steering_Behaviour, RegistersGoToTheShardOfTheAddressOfRecord) {
    for (Phone* phone : {&bob, &dora}) {
        EXPECT_EQ(owner_shard(phone->registration().text(), kShards, 0), home(phone->place().user));
    }
}

TEST_F(Steering_Behaviour, WhatCannotBeReadStaysWhereItIs) {
    EXPECT_EQ(owner_shard("", kShards, 2), 2);
    EXPECT_EQ(owner_shard("nonsense", kShards, 1), 1);
    EXPECT_EQ(
        owner_shard("SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP x;branch=z9hG4bKno\r\n\r\n", kShards, 1),
        1);
    EXPECT_EQ(owner_shard("REGISTER sip:example.test SIP/2.0\r\nTo: <\r\n\r\n", kShards, 1), 1);
    EXPECT_EQ(owner_shard("INVITE sip:example.test SIP/2.0\r\n\r\n", kShards, 1), 1);
    EXPECT_EQ(owner_shard(alice.make("MESSAGE", "sip:x@y.test").text(), 1, 0), 0);
}

TEST_F(Steering_Behaviour, APacketOfAnotherShardIsHandledAllTheSame) {
    RequestText request = away(alice, bob, "bob");
    const uint8_t owner = ports::shard_of_call_id(request.call_id, kShards);
    world.receive_at(static_cast<uint8_t>((owner + 1) % kShards), alice.flow(), request.text());
    alice.expect(100);
    bob.expects("INVITE");
}

}  // namespace
}  // namespace signalbox::core::testing
