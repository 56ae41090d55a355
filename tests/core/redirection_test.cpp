// The Contacts of a 3xx tried by the proxy itself: [proxy] recurse.
// Covers: RFC 3261 §8.1.3.4, §16.5 (no target twice), §16.7 step 4 (recursion), step 5 (no branch
// after a 6xx). Not covered: reading and removing Contacts (redirect_contacts_test).
#include <gtest/gtest.h>

#include "tests/core/core_harness.h"

namespace signalbox::core::testing {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

ports::Snapshot recursing() {
    ports::Snapshot snapshot = default_snapshot();
    snapshot.proxy.recurse = true;
    snapshot.trusted = {*Network::parse("192.0.2.200/32")};
    return snapshot;
}

struct RecursionTest : ::testing::Test {
    explicit RecursionTest(uint8_t shards = 1) : world(recursing(), shards) {}

    World world;
    Phone& gateway =
        world.phone({"gw", "gateway.test", "192.0.2.200:5060", transport::Transport::Udp, {}});
    Phone& alice = world.stranger();
    Phone& bob = world.registered("bob", "198.51.100.20:5060");
    Phone& carol = world.registered("carol", "198.51.100.30:5060");
    Phone& far = world.stranger("far", "203.0.113.5:5080");

    Outgoing call_by(Phone& caller) {
        return caller.send(caller.make("INVITE", "sip:bob@example.test")).expect(100);
    }
    static std::string contact(const std::string& list) { return "Contact: " + list; }
};

struct RecursionOverShards : RecursionTest {
    RecursionOverShards() : RecursionTest(3) {}
};

using Recursion_Rfc3261_16_7_4 = RecursionTest;
using Recursion_Rfc3261_8_1_3_4 = RecursionTest;
using RecursionOverShards_Rfc3261_16_7_4 = RecursionOverShards;

TEST_F(Recursion_Rfc3261_16_7_4, TriesTheContactsForACallerWhoMayLeave) {
    Outgoing call = call_by(gateway);
    bob.expects("INVITE").answers(302, {contact("<sip:far@203.0.113.5:5080>")});
    bob.expects("ACK");
    const Incoming leg = far.expects("INVITE");
    EXPECT_EQ(leg.message().uri(), "sip:far@203.0.113.5:5080");
    EXPECT_TRUE(gateway.is_silent());
    leg.answers(200);
    call.expect(200);
    EXPECT_EQ(world.count(Counter::redirections_followed_total), 1U);
}

TEST_F(Recursion_Rfc3261_16_7_4, AStrangerIsNotLedToAForeignHost) {
    Outgoing call = call_by(alice);
    bob.expects("INVITE").answers(302, {contact("<sip:far@203.0.113.5:5080>")});
    call.expect(302);
    EXPECT_EQ(call.response().header("Contact"), "<sip:far@203.0.113.5:5080>");
    EXPECT_TRUE(far.is_silent());
}

TEST_F(Recursion_Rfc3261_16_7_4, AnAddressOfRecordOfOursIsLookedUp) {
    Outgoing call = call_by(alice);
    bob.expects("INVITE").answers(302, {contact("<sip:carol@example.test>")});
    const Incoming leg = carol.expects("INVITE");
    EXPECT_EQ(leg.message().uri(), carol.contact());
    leg.answers(486);
    call.expect(486).ack();
    world.wait(seconds(64));
    EXPECT_TRUE(world.is_empty());
}

TEST_F(RecursionOverShards_Rfc3261_16_7_4, AnAddressOfRecordOfAnotherShardIsAskedFor) {
    for (int i = 0; i < 4; ++i) {
        Outgoing call = call_by(alice);
        const Incoming first = bob.expects("INVITE");
        first.answers(302, {contact("<sip:carol@example.test>")});
        bob.expects("ACK");
        carol.expects("INVITE").answers(200);
        call.expect(200);
    }
}

TEST_F(RecursionOverShards_Rfc3261_16_7_4, AShardThatDoesNotAnswerIsGivenUp) {
    std::vector<Outgoing> calls;
    std::vector<Incoming> legs;
    for (int i = 0; i < 6; ++i) {
        calls.push_back(call_by(alice));
        legs.push_back(bob.expects("INVITE"));
    }
    world.drops_shard_messages = true;
    for (Incoming& leg : legs) leg.answers(302, {contact("<sip:carol@example.test>")});
    carol.take_kinds();
    alice.take_kinds();
    world.wait(seconds(6));
    alice.take_kinds();
    world.drops_shard_messages = false;
    world.wait(seconds(300));
    EXPECT_EQ(world.gauges().proxied_requests, 0U);
}

TEST_F(Recursion_Rfc3261_16_7_4, AUserWithoutAPhoneEndsTheBranch) {
    world.add_user(user_record("dora"));
    Outgoing call = call_by(alice);
    bob.expects("INVITE").answers(302, {contact("<sip:dora@example.test>")});
    call.expect(480).ack();
    call = call_by(alice);
    bob.take_kinds();
    EXPECT_TRUE(alice.is_silent());
}

TEST_F(Recursion_Rfc3261_16_7_4, WhatIsNotTriedIsLeftToTheCaller) {
    Outgoing call = call_by(alice);
    bob.expects("INVITE").answers(
        302, {contact("<sip:carol@example.test>, <mailto:bob@example.org>;q=0.1"),
              contact("<sip:far@203.0.113.5>")});
    carol.expects("INVITE").answers(404);
    call.expect(302);
    EXPECT_EQ(
        call.response().values("Contact"),
        (std::vector<std::string>{"<mailto:bob@example.org>;q=0.1", "<sip:far@203.0.113.5>"}));
}

TEST_F(Recursion_Rfc3261_16_7_4, AContactlessResponseIsNoAnswer) {
    Outgoing call = call_by(alice);
    bob.expects("INVITE").answers(302, {contact("<sip:carol@example.test>")});
    carol.expects("INVITE").answers(503);
    call.expect(500);  // not the 302
}

TEST_F(Recursion_Rfc3261_8_1_3_4, NoTargetIsTriedTwice) {
    Outgoing call = call_by(alice);
    bob.expects("INVITE").answers(302,
                                  {contact("<sip:bob@example.test;x=1>, <sip:carol@example.test>, "
                                           "<sip:carol@example.test;user=phone>, <" +
                                           bob.contact() + ">")});
    bob.expects("ACK");
    carol.expects("INVITE").answers(302, {contact("<sip:bob@example.test>")});
    carol.expects("ACK");
    EXPECT_TRUE(bob.is_silent() && carol.is_silent());
    call.expect(408);  // nobody said anything else
}

TEST_F(Recursion_Rfc3261_16_7_4, TriesThemByTheirQ) {
    world.registered("dora", "198.51.100.40:5060");
    Outgoing call = call_by(alice);
    bob.expects("INVITE").answers(
        302, {contact("<sip:carol@example.test>;q=0.3, <sip:dora@example.test>;q=0.7")});
    EXPECT_TRUE(carol.is_silent());
    world.wait(milliseconds(20'100));
    carol.expects("INVITE").answers(200);
    call.expect(200);
}

TEST_F(Recursion_Rfc3261_16_7_4, ManyContactsAreBounded) {
    std::string list = "<sip:u0@203.0.113.5:5080>";
    for (int i = 1; i < 200; ++i) list += ",<sip:u" + std::to_string(i) + "@203.0.113.5:5080>";
    call_by(gateway);
    bob.expects("INVITE").answers(302, {contact(list)});
    size_t count = 0;
    for (; !far.is_silent(); ++count) far.expects("INVITE");
    EXPECT_EQ(count, 32U);
}

TEST_F(Recursion_Rfc3261_16_7_4, NothingIsTriedAfterA6xx) {
    Phone& desk = world.phone({"bob", "example.test", "198.51.100.21:5060", {}, {}});
    world.bind("bob", desk);
    Outgoing call = call_by(alice);
    desk.expects("INVITE").answers(603);
    bob.expects("INVITE").answers(302, {contact("<sip:carol@example.test>")});
    EXPECT_TRUE(carol.is_silent());
    call.expect(603);
}

TEST_F(Recursion_Rfc3261_16_7_4, TheCallersCancelEndsWhatWasTried) {
    Outgoing call = call_by(alice);
    bob.expects("INVITE").answers(302, {contact("<sip:carol@example.test>")});
    const Incoming leg = carol.expects("INVITE");
    leg.answers(180);
    call.expect(180);
    call.cancel();
    alice.expect(200);
    carol.expects("CANCEL");
    leg.answers(487);
    call.expect(487);
}

TEST_F(Recursion_Rfc3261_8_1_3_4, TheRequestUriIsTheContactWithoutWhatItMayNotHold) {
    call_by(gateway);
    const Incoming first = bob.expects("INVITE");
    first.answers(302, {contact("<sip:far@203.0.113.5:5080;method=BYE;x=1?Subject=gift&"
                                "Route=%3Csip:evil.test%3E>")});
    const Message second = far.expects("INVITE").message();
    EXPECT_EQ(second.uri(), "sip:far@203.0.113.5:5080;x=1");
    EXPECT_FALSE(second.has("Subject") || second.has("Route"));
    EXPECT_NE(second.branch(), first.message().branch());
    for (const char* name : {"From", "Call-ID", "CSeq"})
        EXPECT_EQ(second.header(name), first.message().header(name)) << name;
}

TEST_F(Recursion_Rfc3261_16_7_4, A305IsLeftToTheCaller) {
    Outgoing call = call_by(gateway);
    bob.expects("INVITE").answers(305, {contact("<sip:far@203.0.113.5:5080>")});
    call.expect(305);
    EXPECT_TRUE(far.is_silent());
}

}  // namespace
}  // namespace signalbox::core::testing
