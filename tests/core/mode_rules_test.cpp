// What the server is, chosen for each request: [[role]].
// Covers: RFC 3261 §16 (stateful), §16.11 (stateless), §8.3 (redirect), each by a rule. Not
// covered: what each of them does (stateful_call_test, stateless_test, redirect_server_test).
#include <gtest/gtest.h>

#include "tests/core/core_harness.h"

namespace signalbox::core::testing {
namespace {

using ports::ModeRule;
using ports::ProxyMode;

struct ModeRulesTest : ::testing::Test {
    World world;
    Phone& alice = world.stranger();
    Phone& bob = world.registered("bob", "198.51.100.20:5060");

    void rule(const ModeRule& rule) { world.snapshot.modes.push_back(rule); }
};

using ModeRules_Rfc3261_16_11 = ModeRulesTest;
using ModeRules_Rfc3261_8_3 = ModeRulesTest;
using ModeRules_Behaviour = ModeRulesTest;

TEST_F(ModeRules_Rfc3261_16_11, AMethodMayBeStatelessWhileCallsAreStateful) {
    rule({{}, {}, {"OPTIONS", "MESSAGE"}, ProxyMode::Stateless});
    Outgoing message = alice.send(alice.make("MESSAGE", bob.aor()));
    const Incoming arrived = bob.expects("MESSAGE");
    EXPECT_TRUE(world.is_empty());
    arrived.answers(200);
    message.expect(200);
    alice.invite(bob).expect(100);
    bob.expects("INVITE");
    EXPECT_FALSE(world.is_empty());
}

TEST_F(ModeRules_Rfc3261_16_11, TheCancelAndTheAckGoTheWayOfTheirInvite) {
    rule({{}, {}, {"INVITE"}, ProxyMode::Stateless});
    Outgoing call = alice.invite(bob);
    const Incoming leg = bob.expects("INVITE");
    call.cancel();
    const Incoming cancel = bob.expects("CANCEL");
    EXPECT_EQ(cancel.message().branch(), leg.message().branch());
    cancel.answers(200);
    leg.answers(487);
    alice.expect(200);
    call.expect(487).ack();
    EXPECT_EQ(bob.expects("ACK").message().branch(), leg.message().branch());
    EXPECT_TRUE(world.is_empty());
}

TEST_F(ModeRules_Rfc3261_8_3, APeerMayBeRedirectedWhileOthersAreServed) {
    rule({Network{*Network::parse("198.51.100.10/32")}, {}, {}, ProxyMode::Redirect});
    alice.invite(bob).expect(100).expect(302).ack();
    Phone& other = world.stranger("olga", "198.51.100.11:5060");
    other.invite(bob).expect(100);
    bob.expects("INVITE");
}

TEST_F(ModeRules_Behaviour, TheHostOfTheRequestUriMayDecide) {
    world.snapshot.domains.emplace_back("find.example.test");
    rule({{}, "find.example.test", {}, ProxyMode::Redirect});
    alice.send(alice.make("INVITE", "sip:bob@Find.Example.Test")).expect(100).expect(302).ack();
    alice.invite(bob).expect(100);
    bob.expects("INVITE");
}

TEST_F(ModeRules_Behaviour, TheFirstRuleThatMatchesDecidesAndElseTheProxysMode) {
    world.snapshot.proxy.mode = ProxyMode::Redirect;
    rule({{}, {}, {"MESSAGE"}, ProxyMode::Stateful});
    rule({{}, {}, {}, ProxyMode::Stateless});
    alice.send(alice.make("MESSAGE", bob.aor()));
    bob.expects("MESSAGE");
    EXPECT_FALSE(world.is_empty());
    world.snapshot.modes.pop_back();
    alice.invite(bob).expect(100).expect(302).ack();
}

}  // namespace
}  // namespace signalbox::core::testing
