// The redirect server: [proxy] mode = "redirect".
// Covers: RFC 3261 §8.3, §21.3.3, §22.2 (401, not 407), §17.2.1 (the ACK), §9.2 (CANCEL). Not
// covered: the Contact's form (contact_list_test).
#include <gtest/gtest.h>

#include "tests/core/core_harness.h"

namespace signalbox::core::testing {
namespace {

using std::chrono::seconds;

ports::Snapshot redirecting() {
    ports::Snapshot snapshot = default_snapshot();
    snapshot.proxy.mode = ports::ProxyMode::Redirect;
    return snapshot;
}

struct RedirectTest : ::testing::Test {
    explicit RedirectTest(uint8_t shards = 1) : world(redirecting(), shards) {}

    World world;
    Phone& alice = world.stranger();
    Phone& bob = world.registered("bob", "198.51.100.20:5060");
};

struct RedirectOverShards : RedirectTest {
    RedirectOverShards() : RedirectTest(3) {}
};

using RedirectServer_Rfc3261_8_3 = RedirectTest;
using RedirectServer_Rfc3261_22_2 = RedirectTest;
using RedirectServerOverShards_Rfc3261_8_3 = RedirectOverShards;

TEST_F(RedirectServer_Rfc3261_8_3, GivesTheBindingsAndSendsNothing) {
    Phone& desk = world.phone({"bob", "example.test", "198.51.100.21:5060", {}, {}});
    world.bind("bob", desk, 500);
    Outgoing call = alice.invite(bob).expect(100).expect(302);
    EXPECT_EQ(call.response().values("Contact"),
              (std::vector<std::string>{"<" + bob.contact() + ">;q=1;expires=7200",
                                        "<" + desk.contact() + ">;q=0.5;expires=7200"}));
    EXPECT_FALSE(call.response().tag("To").empty());
    call.ack();
    world.wait(seconds(64));
    EXPECT_TRUE(alice.is_silent() && bob.is_silent() && desk.is_silent());
    EXPECT_TRUE(world.is_empty());
}

TEST_F(RedirectServer_Rfc3261_8_3, NamesContactsOfAnyScheme) {
    world.snapshot.trusted = {*Network::parse("198.51.100.41")};
    world.command(0, ports::InstallSnapshot{&world.snapshot});
    Phone& desk = world.phone({"bob", "example.test", "198.51.100.41:5060", {}, {}});
    RequestText request = desk.registration();
    request.contact = "<tel:+15550100>;q=0.2;expires=600";
    desk.send(request).expect(200);
    Outgoing call = alice.invite(bob).expect(100).expect(302);
    EXPECT_EQ(call.response().values("Contact").back(), "<tel:+15550100>;q=0.2;expires=600");
}

TEST_F(RedirectServer_Rfc3261_8_3, RepeatsIts302UntilItIsAcknowledged) {
    Outgoing call = alice.invite(bob).expect(100).expect(302);
    call.retransmit().expect(302);
    world.wait(seconds(1));
    call.expect(302).ack();
    world.wait(seconds(3));
    EXPECT_TRUE(alice.is_silent());
}

TEST_F(RedirectServer_Rfc3261_8_3, WhatOnlyAProxyHasToUnderstandIsPassedOver) {
    for (const char* header :
         {"Proxy-Require: foo", "Require: foo", "Max-Breadth: 0", "Privacy: header;critical"}) {
        RequestText request = alice.make("INVITE", bob.aor());
        alice.send(request.with(header)).expect(100).expect(302).ack();
    }
    RequestText request = alice.make("OPTIONS", bob.aor());
    request.max_forwards = "0";
    alice.send(request).expect(302);
}

TEST_F(RedirectServer_Rfc3261_8_3, RedirectsOtherRequestsToo) {
    Outgoing message = alice.send(alice.make("MESSAGE", bob.aor())).expect(302);
    EXPECT_TRUE(message.response().has("Contact"));
    EXPECT_TRUE(bob.is_silent());
}

TEST_F(RedirectServer_Rfc3261_8_3, PassesOverWhatItDoesNotUnderstand) {
    RequestText request = alice.make("BARGE", bob.aor());
    request.with("Require: time-travel").with("Unheard-Of: ;;=");
    request.with("Content-Type: image/png").with("Content-Encoding: gzip");
    request.body = "x";
    alice.send(request).expect(302);
}

TEST_F(RedirectServer_Rfc3261_8_3, KnowsWhoIsNotThere) {
    world.add_user(user_record("dora"));
    alice.send(alice.make("INVITE", "sip:dora@example.test")).expect(100).expect(480);
    alice.send(alice.make("INVITE", "sip:nobody@example.test")).expect(100).expect(404);
}

TEST_F(RedirectServer_Rfc3261_8_3, RedirectsNobodyToWhereHeCame) {
    alice.send(alice.make("INVITE", "sip:bob@192.0.2.1")).expect(100).expect(302).ack();
    Phone& mirror = world.phone({"bob", "example.test", "192.0.2.1:5060", {}, {}});
    world.add_user(user_record("m"));
    world.bind("m", mirror);
    Outgoing call = alice.send(alice.make("INVITE", "sip:m@192.0.2.1")).expect(100).expect(302);
    EXPECT_EQ(call.response().values("Contact").size(), 1U);
}

TEST_F(RedirectServer_Rfc3261_8_3, NamesNoPhoneThatOnlyTheServerReaches) {
    Phone& nated =
        world.phone({"dora", "example.test", "203.0.113.9:40000", {}, "192.168.1.10:5062"});
    world.add_user(user_record("dora"));
    world.bind("dora", nated);
    alice.send(alice.make("INVITE", "sip:dora@example.test")).expect(100).expect(480);
    alice.send(alice.make("INVITE", "sips:bob@example.test")).expect(100).expect(480);
}

TEST_F(RedirectServer_Rfc3261_8_3, HasNothingForForeignHosts) {
    Phone& peer =
        world.phone({"p", "elsewhere.test", "192.0.2.200:5060", transport::Transport::Udp, {}});
    world.snapshot.trusted = {*Network::parse("192.0.2.200/32")};
    peer.send(peer.make("INVITE", "sip:x@203.0.113.9")).expect(100).expect(404);
    EXPECT_TRUE(world.undelivered.empty());
}

TEST_F(RedirectServer_Rfc3261_8_3, ACancelComesTooLateAndGets200) {
    Outgoing call = alice.invite(bob).expect(100).expect(302);
    call.cancel();
    alice.expect(200);
    EXPECT_TRUE(alice.is_silent() && bob.is_silent());
}

TEST_F(RedirectServerOverShards_Rfc3261_8_3, AsksTheShardOfTheUser) {
    for (int i = 0; i < 4; ++i) {
        Outgoing call = alice.invite(bob).expect(100).expect(302);
        call.ack();
    }
    EXPECT_TRUE(bob.is_silent());
}

TEST_F(RedirectServerOverShards_Rfc3261_8_3, ACancelInTimeGets487) {
    world.holds_shard_messages = true;
    for (int i = 0; i < 6; ++i) {
        Outgoing call = alice.invite(bob).expect(100);
        if (!alice.is_silent()) {
            call.expect(302).ack();
            continue;
        }
        call.cancel();
        alice.expect(200);
        call.expect(487).ack();
    }
    world.deliver_shard_messages();
    EXPECT_TRUE(alice.is_silent());
}

TEST_F(RedirectServer_Rfc3261_22_2, ChallengesAsAServerNotAsAProxy) {
    Phone& dora = world.registered("dora", "198.51.100.40:5060");
    Outgoing call = dora.invite(bob).expect(401).ack();
    EXPECT_TRUE(call.response().has("WWW-Authenticate"));
    dora.send(dora.with_credentials(call.request(), call.response(), "secret"))
        .expect(100)
        .expect(302);
}

TEST_F(RedirectServer_Rfc3261_8_3, RegistersAsEver) {
    Outgoing first = bob.send(bob.registration()).expect(401);
    bob.send(bob.with_credentials(first.request(), first.response(), "secret")).expect(200);
}

}  // namespace
}  // namespace signalbox::core::testing
