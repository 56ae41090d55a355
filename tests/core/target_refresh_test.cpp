// A dialog whose side shows another Contact: its requests go there, and nobody else's do.
// Covers: RFC 3261 §12.2.1.2, §12.2.2, §16.6 step 7, §16.12; RFC 3311 §5.1; RFC 6665 §4.4.1. Not
// covered: names (dialog_names_test), the table of what was shown (shown_targets_test).
#include <gtest/gtest.h>

#include "tests/core/core_harness.h"

namespace signalbox::core::testing {
namespace {

using transport::Transport;

ports::Snapshot trusting(ports::ProxyMode mode) {
    ports::Snapshot snapshot = default_snapshot();
    snapshot.trusted = {*Network::parse("203.0.113.0/24")};
    snapshot.proxy.mode = mode;
    return snapshot;
}

/// `response` with another Contact.
std::string showing(std::string response, const std::string& contact) {
    const size_t line = response.find("Contact: ");
    return response.replace(line, response.find("\r\n", line) - line, "Contact: <" + contact + ">");
}

struct RefreshTest : ::testing::Test {
    explicit RefreshTest(ports::ProxyMode mode = ports::ProxyMode::Stateful)
        : world(trusting(mode)) {}

    /// A dialog from `caller` to `callee` that `method` begins.
    void connect(Phone& caller, Phone& callee, std::string_view method = "INVITE",
                 bool is_behind_proxy = false) {
        RequestText request = caller.make(method, callee.aor());
        if (callee.place().domain != "example.test") request.uri = callee.contact();
        if (is_behind_proxy) request.with(second_via());
        Outgoing call = caller.send(request);
        const Incoming leg = callee.expects(method);
        leg.answers(200);
        while (!caller.is_silent()) last = caller.take();
        at_callee = leg.dialog();
        at_caller = at_callee;
        at_caller.local = request.from;
        at_caller.remote = last.header("To");
        at_caller.remote_target = callee.contact();
        at_caller.routes = last.values("Record-Route");
        at_caller.cseq = 1;
    }
    /// Alice's subscription goes on from another address, and bob's next NOTIFY goes there.
    void the_subscriber_moves() {
        connect(alice, bob, "SUBSCRIBE");
        Outgoing sent = moved.send_in(at_caller, "SUBSCRIBE");
        bob.expects("SUBSCRIBE").answers(200);
        sent.expect(200);
        at_callee.remote_target = moved.contact();
        bob.send_in(at_callee, "NOTIFY");
        moved.expects("NOTIFY");
    }
    /// `response`, in which each side has the tag of the other.
    std::string with_tags_turned(std::string response) const {
        const std::string from = at_caller.local.substr(at_caller.local.find("tag="));
        const std::string to = at_caller.remote.substr(at_caller.remote.find("tag="));
        response.replace(response.find(from), from.size(), "tag=#");
        response.replace(response.find(to), to.size(), from);
        return response.replace(response.find("tag=#"), 5, to);
    }
    static std::string second_via() { return "Via: SIP/2.0/UDP 192.0.2.99;branch=z9hG4bKfirst"; }

    World world;
    Phone& alice = world.stranger();
    Phone& moved = world.stranger("alice", "198.51.100.11:5060");
    Phone& bob = world.registered("bob", "198.51.100.20:5060");
    Phone& peer = world.stranger("peer", "203.0.113.1:5060");
    Phone& twin = world.stranger("twin", "203.0.113.2:5060");
    Phone& victim = world.stranger("victim", "192.0.2.77:5060");
    Dialog at_caller, at_callee;
    Message last;
};

struct StatelessRefreshTest : RefreshTest {
    StatelessRefreshTest() : RefreshTest(ports::ProxyMode::Stateless) {}
};

using TargetRefresh_Rfc3261_12_2_2 = RefreshTest;
using TargetRefresh_Rfc3261_12_2_1_2 = RefreshTest;
using TargetRefresh_Rfc6665_4_4_1 = RefreshTest;
using TargetRefresh_Behaviour = RefreshTest;
using StatelessRefresh_Rfc3261_12_2_2 = StatelessRefreshTest;

TEST_F(TargetRefresh_Rfc3261_12_2_1_2, TheAnswerOfAPeerMovesTheDialog) {
    connect(twin, peer);
    RequestText again = twin.make_in(at_caller, "INVITE");
    Outgoing sent = twin.send(again).expect(100);
    peer.send_text(showing(peer.expects("INVITE").response(200), "sip:b@203.0.113.9:5060"));
    Phone& there = world.stranger("there", "203.0.113.9:5060");
    sent.expect(200).ack();
    there.expects("ACK");
    at_caller.remote_target = "sip:b@203.0.113.9:5060";
    twin.send_in(at_caller, "BYE");
    there.expects("BYE");
    EXPECT_TRUE(peer.is_silent());
}

TEST_F(TargetRefresh_Rfc3261_12_2_1_2, TheAnswerOfAStrangerBehindAProxyMovesTheDialog) {
    // bob calls somebody behind a proxy that does not record-route, which is no peer of ours.
    Phone& proxy = world.stranger("proxy", "192.0.2.60:5060");
    Outgoing first = bob.send(bob.make("INVITE", "sip:x@192.0.2.60:5060")).expect(407);
    Outgoing call = bob.send(bob.with_credentials(first.request(), first.response(), "secret"));
    call.expect(100);
    proxy.send_text(showing(proxy.expects("INVITE").response(200), "sip:x@192.0.2.61:5060"));
    Phone& x = world.stranger("x", "192.0.2.61:5060");
    call.expect(200).ack();
    x.expects("ACK");
    Dialog at_bob = call.dialog();
    Outgoing again = bob.send_in(at_bob, "INVITE").expect(100);
    x.send_text(showing(x.expects("INVITE").response(200), victim.contact()));
    again.expect(200);
    at_bob.remote_target = victim.contact();
    bob.send_in(at_bob, "BYE");
    victim.expects("BYE");
    EXPECT_TRUE(x.is_silent() && proxy.is_silent());
}

/// Anybody can write another Via: a stranger would else have the callee send wherever he likes.
TEST_F(TargetRefresh_Rfc3261_12_2_2, ASecondViaVouchesForNoContact) {
    connect(alice, bob, "INVITE", true);
    RequestText update = alice.make_in(at_caller, "UPDATE").with(second_via());
    update.contact = "<" + moved.contact() + ">";
    Outgoing sent = alice.send(update);
    bob.expects("UPDATE").answers(200);
    sent.expect(200);
    at_callee.remote_target = moved.contact();
    bob.send_in(at_callee, "BYE");
    alice.expects("BYE");
    EXPECT_TRUE(moved.is_silent());
}

TEST_F(TargetRefresh_Rfc6665_4_4_1, ASubscriberThatMovedGetsTheNextNotify) {
    the_subscriber_moves();
    EXPECT_TRUE(alice.is_silent());
}

TEST_F(TargetRefresh_Rfc6665_4_4_1, ANotifierThatMovedGetsTheNextSubscribe) {
    Phone& bobs_other = world.stranger("bob", "198.51.100.21:5060");
    connect(alice, bob, "SUBSCRIBE");
    RequestText notify = bobs_other.make_in(at_callee, "NOTIFY");
    Outgoing sent = bobs_other.send(notify);
    alice.expects("NOTIFY").answers(200);
    sent.expect(200);
    at_caller.remote_target = bobs_other.contact();
    alice.send_in(at_caller, "SUBSCRIBE");
    bobs_other.expects("SUBSCRIBE");
    EXPECT_TRUE(bob.is_silent());
}

TEST_F(StatelessRefresh_Rfc3261_12_2_2, IsFollowedWithoutAnyTransaction) {
    the_subscriber_moves();
    EXPECT_TRUE(world.is_empty());
}

TEST_F(StatelessRefresh_Rfc3261_12_2_2, TheAnswerOfAPhoneIsFollowed) {
    Phone& port = world.stranger("bob", "198.51.100.20:5070");
    connect(alice, bob, "SUBSCRIBE");
    alice.send_in(at_caller, "SUBSCRIBE");
    bob.send_text(showing(bob.expects("SUBSCRIBE").response(200), port.contact()));
    alice.expect(200);
    at_caller.remote_target = port.contact();
    alice.send_in(at_caller, "SUBSCRIBE");
    port.expects("SUBSCRIBE");
}

TEST_F(StatelessRefresh_Rfc3261_12_2_2, AnAnswerDoesNotSayWhoseContactItShows) {
    connect(alice, bob, "SUBSCRIBE", true);
    alice.send_in(at_caller, "SUBSCRIBE");
    bob.send_text(with_tags_turned(showing(bob.expects("SUBSCRIBE").response(200), bob.contact())));
    at_callee.remote_target = bob.contact();
    bob.send_in(at_callee, "NOTIFY");
    EXPECT_TRUE(bob.is_silent());
}

TEST_F(StatelessRefresh_Rfc3261_12_2_2, TheAnswerOfAPeerIsFollowedByAStranger) {
    connect(peer, bob);
    // An UPDATE has no Record-Route that would prove anything.
    bob.send_in(at_callee, "UPDATE");
    peer.send_text(showing(peer.expects("UPDATE").response(200), twin.contact()));
    at_callee.remote_target = twin.contact();
    bob.send_in(at_callee, "BYE");
    twin.expects("BYE");
}

TEST_F(TargetRefresh_Behaviour, AnotherPortOfTheSameHostMustBeShownToo) {
    Phone& port = world.stranger("bob", "198.51.100.20:5070");
    connect(alice, bob, "SUBSCRIBE");
    at_caller.remote_target = port.contact();
    alice.send_in(at_caller, "SUBSCRIBE");
    bob.send_text(showing(bob.expects("SUBSCRIBE").response(200), port.contact()));
    alice.expect(200);
    alice.send_in(at_caller, "SUBSCRIBE");
    port.expects("SUBSCRIBE");
}

TEST_F(TargetRefresh_Behaviour, APeerKnowsWhereItsDialogIs) {
    // As after a restart: nobody remembers what was shown.
    connect(peer, bob);
    at_caller.remote_target = moved.contact();
    peer.send_in(at_caller, "BYE");
    moved.expects("BYE");
}

TEST_F(TargetRefresh_Behaviour, AStrangersTargetThatNobodyHasShownIsNotFollowed) {
    connect(alice, bob);
    at_caller.remote_target = victim.contact();
    alice.send_in(at_caller, "INFO");
    bob.expects("INFO");
    EXPECT_TRUE(victim.is_silent());
    EXPECT_EQ(world.count(Counter::dialog_targets_not_shown_total), 1U);
}

TEST_F(TargetRefresh_Behaviour, WhatASideShowsIsForTheOtherSideOnly) {
    connect(alice, bob, "INVITE", true);
    RequestText update = alice.make_in(at_caller, "UPDATE").with(second_via());
    update.contact = "<" + victim.contact() + ">";
    alice.send(update);
    bob.expects("UPDATE").answers(200);
    at_caller.remote_target = victim.contact();
    alice.send_in(at_caller, "INFO");
    bob.expects("INFO");
    EXPECT_TRUE(victim.is_silent());
}

TEST_F(TargetRefresh_Behaviour, AnAnswerDoesNotSayWhoseContactItShows) {
    connect(alice, bob, "SUBSCRIBE", true);
    // bob turns the tags of his answer round, as if alice had shown it.
    alice.send_in(at_caller, "SUBSCRIBE");
    bob.send_text(with_tags_turned(showing(bob.expects("SUBSCRIBE").response(200), bob.contact())));
    at_callee.remote_target = bob.contact();
    bob.send_in(at_callee, "NOTIFY");
    EXPECT_TRUE(bob.is_silent());
    EXPECT_EQ(world.count(Counter::dialog_targets_not_shown_total), 1U);
}

TEST_F(TargetRefresh_Behaviour, TagsThatAreAlikeProveNothing) {
    RequestText invite = alice.make("INVITE", bob.aor()).with(second_via());
    invite.from = "<sip:alice@elsewhere.test>;tag=bob-tag";
    Outgoing call = alice.send(invite).expect(100);
    const Incoming leg = bob.expects("INVITE");
    leg.answers(200);
    call.expect(200);
    at_caller = call.dialog();
    RequestText update = alice.make_in(at_caller, "UPDATE").with(second_via());
    update.contact = "<" + victim.contact() + ">";
    alice.send(update);
    bob.expects("UPDATE").answers(200);
    at_caller.remote_target = victim.contact();
    alice.send_in(at_caller, "INFO");
    EXPECT_TRUE(victim.is_silent());
}

TEST_F(TargetRefresh_Behaviour, ATargetsMaddrIsAnotherTarget) {
    connect(alice, bob);
    at_caller.remote_target = bob.contact() + ";maddr=192.0.2.77";
    alice.send_in(at_caller, "INFO");
    bob.expects("INFO");
    EXPECT_TRUE(victim.is_silent());
}

TEST_F(TargetRefresh_Behaviour, APeerBehindANatStaysOnItsFlow) {
    Phone& pbx = world.phone(
        {"pbx", "elsewhere.test", "203.0.113.50:5060", Transport::Udp, "10.0.0.7:5060"});
    connect(pbx, bob);
    for (const std::string contact : {"sip:pbx@10.0.0.7:5060", "sip:pbx@10.0.0.8:5060"}) {
        RequestText update = pbx.make_in(at_caller, "UPDATE");
        update.contact = "<" + contact + ">";
        pbx.send(update);
        bob.expects("UPDATE").answers(200);
        pbx.take_kinds();
        at_callee.remote_target = contact;
        bob.send_in(at_callee, "INFO");
        pbx.expects("INFO");
    }
}

TEST_F(TargetRefresh_Behaviour, AnAddressOfOursIsNoNextHop) {
    connect(peer, bob);
    at_caller.remote_target = bob.aor();
    peer.send_in(at_caller, "INFO");
    bob.expects("INFO");
    EXPECT_TRUE(world.dns.empty());
}

}  // namespace
}  // namespace signalbox::core::testing
