// The stateless mode: the same answer to the same request, without remembering it.
// Covers: RFC 3261 §16.1, §16.11, §16.10 (CANCEL), §18.2.2 (the way back). Not covered: ACK to 2xx
// in stateful mode (stateful_call_test).
#include <gtest/gtest.h>

#include "ports/sharding.h"
#include "tests/core/core_harness.h"

namespace signalbox::core::testing {
namespace {

using transport::Transport;

ports::Snapshot stateless() {
    ports::Snapshot snapshot = default_snapshot();
    snapshot.proxy.mode = ports::ProxyMode::Stateless;
    return snapshot;
}

struct StatelessTest : ::testing::Test {
    World world{stateless()};
    Phone& alice = world.stranger();
    Phone& bob = world.registered("bob", "198.51.100.20:5060");
};

/// The call and the callee belong to different shards.
struct StatelessShardsTest : ::testing::Test {
    static constexpr uint8_t kShards = 3;
    World world{stateless(), kShards};
    Phone& alice = world.stranger();
    Phone& bob = world.registered("bob", "198.51.100.20:5060");

    RequestText away(std::string_view method, std::string_view user = "bob") {
        RequestText request = alice.make(method, "sip:" + std::string(user) + "@example.test");
        const uint8_t home = ports::shard_of_aor(ports::kDefaultTenant, user, kShards);
        while (ports::shard_of_call_id(request.call_id, kShards) == home) request.call_id += "x";
        return request;
    }
};

using Stateless_Rfc3261_16_11 = StatelessTest;
using StatelessShards_Rfc3261_16_11 = StatelessShardsTest;

TEST_F(Stateless_Rfc3261_16_11, CarriesACallWithoutATransaction) {
    Outgoing call = alice.invite(bob);
    const Incoming leg = bob.expects("INVITE");
    EXPECT_TRUE(alice.is_silent());
    EXPECT_TRUE(world.is_empty());
    leg.answers(100);
    leg.answers(200);
    EXPECT_EQ(alice.expect(100).values("Via").size(), 1U);
    call.expect(200).ack();
    bob.expects("ACK");
    Dialog dialog = leg.dialog();
    Outgoing bye = bob.send_in(dialog, "BYE");
    alice.expects("BYE").answers(200);
    bye.expect(200);
    EXPECT_TRUE(world.is_empty());
}

TEST_F(Stateless_Rfc3261_16_11, ARetransmissionGetsTheSameBranch) {
    Outgoing call = alice.invite(bob);
    const std::string first = bob.expects("INVITE").message().text();
    call.retransmit();
    EXPECT_EQ(bob.expects("INVITE").message().text(), first);
    alice.invite(bob);
    EXPECT_NE(bob.expects("INVITE").message().text(), first);
}

TEST_F(Stateless_Rfc3261_16_11, CancelAndTheAckOfAFailureFollowTheirInvite) {
    Outgoing call = alice.invite(bob);
    const Incoming leg = bob.expects("INVITE");
    call.cancel();
    const Incoming cancel = bob.expects("CANCEL");
    EXPECT_EQ(cancel.message().branch(), leg.message().branch());
    EXPECT_EQ(cancel.message().uri(), leg.message().uri());
    EXPECT_TRUE(alice.is_silent());
    cancel.answers(200);
    leg.answers(487);
    alice.expect(200);
    call.expect(487).ack();
    EXPECT_EQ(bob.expects("ACK").message().branch(), leg.message().branch());
}

TEST_F(Stateless_Rfc3261_16_11, CancelAndAckNeedNotCarryTheCredentialsOfTheirInvite) {
    const std::string theirs =
        "Proxy-Authorization: Digest username=\"a\", realm=\"elsewhere.test\", nonce=\"1\", "
        "uri=\"sip:bob@example.test\", response=\"0123456789abcdef0123456789abcdef\"";
    Outgoing call = alice.send(alice.make("INVITE", bob.aor()).with(theirs));
    const Incoming leg = bob.expects("INVITE");
    EXPECT_TRUE(leg.message().has("Proxy-Authorization"));
    call.cancel();
    const Incoming cancel = bob.expects("CANCEL");
    EXPECT_FALSE(cancel.message().has("Proxy-Authorization"));
    EXPECT_EQ(cancel.message().branch(), leg.message().branch());
    leg.answers(487);
    call.expect(487).ack();
    EXPECT_EQ(bob.expects("ACK").message().branch(), leg.message().branch());
}

TEST_F(Stateless_Rfc3261_16_11, WithoutACookieTheTransactionIsToldByItsFields) {
    RequestText old = alice.make("MESSAGE", bob.aor());
    old.via = "SIP/2.0/UDP 198.51.100.10:5060;branch=1";
    alice.send(old);
    const std::string first = bob.expects("MESSAGE").message().branch();
    alice.send(old);
    EXPECT_EQ(bob.expects("MESSAGE").message().branch(), first);
    old.cseq = 2;
    alice.send(old);
    EXPECT_NE(bob.expects("MESSAGE").message().branch(), first);
}

TEST_F(Stateless_Rfc3261_16_11, AResponseGoesBackByReceivedAndRport) {
    Phone& nated = world.phone(
        {"carol", "elsewhere.test", "203.0.113.30:40000", Transport::Udp, "10.0.0.7:5060"});
    Outgoing message = nated.send(nated.make("MESSAGE", bob.aor()));
    bob.expects("MESSAGE").answers(200);
    message.expect(200);
}

TEST_F(Stateless_Rfc3261_16_11, ADialogOfAPhoneThatListensAtAnotherPortKeepsItsWay) {
    Phone& ear = world.stranger("carol", "198.51.100.30:5060");
    transport::Flow mouth = ear.flow();
    mouth.remote.port = 40000;
    RequestText invite = ear.make("INVITE", bob.aor());
    invite.via = "SIP/2.0/UDP 198.51.100.30:5060;branch=z9hG4bKear";
    world.receive(mouth, invite.text());
    const Incoming leg = bob.expects("INVITE");
    leg.answers(200);
    Outgoing call(ear, invite);
    call.expect(200);
    Dialog dialog = call.dialog();
    world.receive(mouth, ear.make_in(dialog, "BYE").text());
    bob.expects("BYE");
    EXPECT_TRUE(ear.is_silent());
}

TEST_F(Stateless_Rfc3261_16_11, KeepsStateWhereTheRequestForks) {
    Phone& desk = world.phone({"bob", "example.test", "198.51.100.21:5060", {}, {}});
    world.bind("bob", desk);
    alice.invite(bob).expect(100);
    bob.expects("INVITE");
    desk.expects("INVITE");
}

TEST_F(Stateless_Rfc3261_16_11, KeepsStateBetweenReliableAndUnreliable) {
    Phone& tcp = world.registered("dora", "198.51.100.40:5060", Transport::Tcp);
    alice.invite(tcp).expect(100);
    tcp.expects("INVITE");
}

TEST_F(Stateless_Rfc3261_16_11, KeepsStateForARequestWithCredentials) {
    Phone& dora = world.registered("dora", "198.51.100.40:5060");
    Outgoing first = dora.invite(bob).expect(407);
    dora.send(dora.with_credentials(first.request(), first.response(), "secret")).expect(100);
    bob.expects("INVITE");
}

TEST_F(Stateless_Rfc3261_16_11, KeepsStateToTheEndOfACallThatHasARecord) {
    Phone& dora = world.registered("dora", "198.51.100.40:5060");
    Outgoing first = dora.invite(bob).expect(407);
    Outgoing call =
        dora.send(dora.with_credentials(first.request(), first.response(), "secret")).expect(100);
    const Incoming leg = bob.expects("INVITE");
    leg.answers(200);
    call.expect(200).ack();
    bob.expects("ACK");
    Dialog dialog = leg.dialog();
    Outgoing bye = bob.send_in(dialog, "BYE");
    const Incoming there = dora.expects("BYE");
    bye.retransmit();
    EXPECT_TRUE(dora.is_silent());
    there.answers(200);
    bye.expect(200);
    EXPECT_EQ(world.record_lines(), std::vector<std::string>{"200 Callee BYE"});
}

TEST_F(Stateless_Rfc3261_16_11, KeepsStateWhereItAnswersItself) {
    alice.send(alice.make("INVITE", "sip:nobody@example.test")).expect(100).expect(404);
}

TEST_F(Stateless_Rfc3261_16_11, AStrangersCancelForAForeignHostIsNotRelayed) {
    RequestText cancel = alice.make("CANCEL", "sip:any@203.0.113.9");
    alice.send_text(cancel.text());
    alice.expect(481);
    EXPECT_TRUE(world.undelivered.empty());
}

TEST_F(Stateless_Rfc3261_16_11, AResponseThatHasNoWayBackIsDropped) {
    RequestText message = alice.make("MESSAGE", bob.aor());
    alice.send(message);
    std::string text = bob.expects("MESSAGE").response(200);
    const size_t second = text.find("Via:", text.find("Via:") + 4);
    text.erase(second, text.find("\r\n", second) + 2 - second);
    bob.send_text(text);
    EXPECT_TRUE(alice.is_silent());
    EXPECT_EQ(world.count(Counter::stray_responses_dropped_total), 1U);
}

TEST_F(StatelessShards_Rfc3261_16_11, ACalleeOfAnotherShardNeedsNoStateEither) {
    Outgoing call = alice.send(away("INVITE"));
    const Incoming leg = bob.expects("INVITE");
    EXPECT_TRUE(world.is_empty());
    call.retransmit();
    EXPECT_EQ(bob.expects("INVITE").message().text(), leg.message().text());
    leg.answers(180);
    call.expect(180).cancel();
    const Incoming cancel = bob.expects("CANCEL");
    EXPECT_EQ(cancel.message().branch(), leg.message().branch());
    cancel.answers(200);
    leg.answers(487);
    alice.expect(200);
    call.expect(487).ack();
    EXPECT_EQ(bob.expects("ACK").message().branch(), leg.message().branch());
    EXPECT_TRUE(world.is_empty());
}

TEST_F(StatelessShards_Rfc3261_16_11, AForkAtAnotherShardKeepsStateAtTheCalls) {
    Phone& desk = world.phone({"bob", "example.test", "198.51.100.21:5060", {}, {}});
    world.bind("bob", desk);
    Outgoing call = alice.send(away("INVITE")).expect(100);
    bob.expects("INVITE").answers(180);
    desk.expects("INVITE").answers(180);
    EXPECT_EQ(alice.take_kinds(), "180 180");
    call.retransmit();
    EXPECT_EQ(alice.take_kinds(), "180");
    call.cancel();
    alice.expect(200);
    bob.expects("CANCEL");
    desk.expects("CANCEL");
    EXPECT_TRUE(bob.is_silent());
}

TEST_F(StatelessShards_Rfc3261_16_11, WhatOvertakesARequestThatComesBackFindsItsTransaction) {
    Phone& desk = world.phone({"bob", "example.test", "198.51.100.21:5060", {}, {}});
    world.bind("bob", desk);
    world.holds_shard_messages = true;
    Outgoing call = alice.send(away("INVITE"));
    call.retransmit();
    call.cancel();
    EXPECT_TRUE(alice.is_silent());
    world.holds_shard_messages = false;
    world.deliver_shard_messages();
    EXPECT_EQ(alice.take_kinds(), "100 100 200 487");
    EXPECT_TRUE(bob.is_silent());
    EXPECT_TRUE(desk.is_silent());
}

TEST_F(StatelessShards_Rfc3261_16_11, NobodyAtAnotherShardIsAnsweredAtTheCalls) {
    alice.send(away("INVITE", "nobody")).expect(100).expect(404);
    alice.send(away("CANCEL", "nobody")).expect(481);
    alice.send(away("ACK", "nobody"));
    EXPECT_TRUE(alice.is_silent());
    EXPECT_EQ(world.count(Counter::stray_acks_dropped_total), 1U);
}

}  // namespace
}  // namespace signalbox::core::testing
