// Requests inside a dialog whose next hop is a name: they are looked up like all others.
// Covers: RFC 3261 §16.6 step 7, §16.11 (ACK), §16.12; RFC 3263 §4, §4.3 (failover). Not covered:
// what a name means (server_lookup_test), who may have another target (target_refresh_test).
#include <gtest/gtest.h>

#include "proxy/waiting_acks.h"
#include "tests/core/core_harness.h"

namespace signalbox::core::testing {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using transport::Transport;

ports::Snapshot trusting(ports::ProxyMode mode) {
    ports::Snapshot snapshot = default_snapshot();
    snapshot.proxy.mode = mode;
    snapshot.trusted = {*Network::parse("198.51.100.10"), *Network::parse("203.0.113.0/24")};
    return snapshot;
}

struct DialogNamesTest : ::testing::Test {
    explicit DialogNamesTest(ports::ProxyMode mode = ports::ProxyMode::Stateful)
        : world(trusting(mode)) {
        world.zone["_sip._udp.carrier.test"].services = {{10, 0, 5060, "one.carrier.test"},
                                                         {20, 0, 5060, "two.carrier.test"}};
        world.zone["one.carrier.test"].addresses = {IpAddress::v4(203, 0, 113, 1)};
        world.zone["two.carrier.test"].addresses = {IpAddress::v4(203, 0, 113, 2)};
    }
    /// A call by way of `one`, answered with a Contact, and perhaps a Record-Route, of another box.
    Outgoing call(const std::string& contact, const std::string& record_route = {}) {
        Outgoing sent = alice.send(alice.make("INVITE", "sip:any@203.0.113.1:5060"));
        if (!alice.is_silent()) sent.expect(100);
        std::string response = one.expects("INVITE").response(200);
        const size_t line = response.find("Contact: ");
        response.replace(line, response.find("\r\n", line) - line, "Contact: <" + contact + ">");
        if (!record_route.empty())
            response.insert(response.find("Record-Route: ") + 14, record_route + ", ");
        one.send_text(response);
        sent.expect(200);
        at_alice = sent.dialog();
        return sent;
    }
    Outgoing bye() { return alice.send_in(at_alice, "BYE"); }

    World world;
    Phone& alice = world.stranger();
    Phone& one = world.stranger("one", "203.0.113.1:5060");
    Phone& two = world.stranger("two", "203.0.113.2:5060");
    Dialog at_alice;
};

struct StatelessNamesTest : DialogNamesTest {
    StatelessNamesTest() : DialogNamesTest(ports::ProxyMode::Stateless) {}
};

using DialogNames_Rfc3261_16_12 = DialogNamesTest;
using StatelessDialogNames_Rfc3261_16_11 = StatelessNamesTest;
using DialogNames_Rfc3263_4_3 = DialogNamesTest;
using LookedUpAck_Rfc3261_16_11 = DialogNamesTest;

TEST_F(DialogNames_Rfc3261_16_12, TheNameInAContactIsLookedUp) {
    call("sip:b@two.carrier.test:5060");
    Outgoing sent = bye();
    EXPECT_TRUE(one.is_silent() && two.is_silent());
    world.answer_dns();
    two.expects("BYE").answers(200);
    sent.expect(200);
    EXPECT_TRUE(one.is_silent());
}

TEST_F(DialogNames_Rfc3261_16_12, TheNameInARouteIsLookedUp) {
    call("sip:b@192.0.2.77", "<sip:two.carrier.test;lr>");
    Outgoing sent = bye();
    world.answer_dns();
    const Incoming got = two.expects("BYE");
    EXPECT_EQ(got.message().uri(), "sip:b@192.0.2.77");
    EXPECT_EQ(got.message().values("Route").size(), 1U);
    got.answers(200);
    sent.expect(200);
}

TEST_F(DialogNames_Rfc3261_16_12, TheNameOfACallerIsLookedUp) {
    Phone& bob = world.registered("bob", "198.51.100.20:5060");
    RequestText invite = alice.make("INVITE", bob.aor());
    invite.contact = "<sip:a@two.carrier.test:5060>";
    Outgoing sent = alice.send(invite).expect(100);
    const Incoming leg = bob.expects("INVITE");
    leg.answers(200);
    sent.expect(200).ack();
    bob.expects("ACK");
    Dialog at_bob = leg.dialog();
    Outgoing bye = bob.send_in(at_bob, "BYE");
    world.answer_dns();
    two.expects("BYE").answers(200);
    bye.expect(200);
    EXPECT_TRUE(alice.is_silent());
}

TEST_F(DialogNames_Rfc3261_16_12, APhoneOfOursWithANameStaysOnItsFlow) {
    Phone& dora = world.phone(
        {"dora", "example.test", "198.51.100.31:5062", Transport::Udp, "laptop.lan:5060"});
    world.add_user(user_record("dora"));
    world.bind("dora", dora);
    Outgoing sent = alice.invite(dora).expect(100);
    dora.expects("INVITE").answers(200);
    sent.expect(200).ack();
    dora.expects("ACK");
    EXPECT_TRUE(world.dns.empty());
}

TEST_F(DialogNames_Rfc3261_16_12, WhatNoAddressBelongsToStaysOnItsFlow) {
    call("sip:b@gqrtb8n2.invalid").ack();
    one.expects("ACK");
    EXPECT_TRUE(world.dns.empty());
}

TEST_F(DialogNames_Rfc3261_16_12, WhoShowsANameOfOursIsWhereHeIs) {
    call("sip:b@example.test").ack();
    one.expects("ACK");
    bye();
    one.expects("BYE");
    EXPECT_TRUE(world.dns.empty());
}

TEST_F(DialogNames_Rfc3261_16_12, TheConnectionOfTheDialogIsUsedAgain) {
    Phone& by_tcp = world.stranger("tcp", "203.0.113.1:40000", Transport::Tcp);
    Phone& bob = world.registered("bob", "198.51.100.20:5060");
    RequestText invite = by_tcp.make("INVITE", bob.aor());
    invite.contact = "<sip:a@one.carrier.test;transport=tcp>";
    Outgoing sent = by_tcp.send(invite).expect(100);
    const Incoming leg = bob.expects("INVITE");
    leg.answers(200);
    sent.expect(200);
    Dialog at_bob = leg.dialog();
    bob.send_in(at_bob, "BYE");
    world.answer_dns();
    by_tcp.expects("BYE");
}

TEST_F(DialogNames_Rfc3261_16_12, WithoutAnAnswerOfDnsTheDialogsFlowIsLeft) {
    call("sip:b@nowhere.test").ack();
    Outgoing sent = bye();
    world.answer_dns();
    one.expects("ACK");
    one.expects("BYE").answers(200);
    sent.expect(200);
    EXPECT_EQ(world.count(Counter::dialog_names_unresolved_total), 2U);
}

TEST_F(DialogNames_Rfc3263_4_3, ASilentServerIsLeftForTheNextOne) {
    call("sip:b@192.0.2.77", "<sip:carrier.test;lr>");
    Outgoing sent = bye();
    world.answer_dns();
    const Incoming first = one.expects("BYE");
    world.wait(milliseconds(4010));
    one.take_kinds();
    const Incoming second = two.expects("BYE");
    EXPECT_NE(second.message().branch(), first.message().branch());
    second.answers(200);
    sent.expect(100).expect(200);
    EXPECT_EQ(world.count(Counter::next_hop_failovers_total), 1U);
}

TEST_F(DialogNames_Rfc3263_4_3, ARequestThatFailsEverywhereIsAnswered) {
    call("sip:b@192.0.2.77", "<sip:carrier.test;lr>");
    Outgoing sent = alice.send_in(at_alice, "INVITE").expect(100);
    world.answer_dns();
    one.expects("INVITE").answers(503);
    two.expects("INVITE").answers(503);
    sent.expect(500);
}

TEST_F(StatelessDialogNames_Rfc3261_16_11, KeepsStateOnlyWhileDnsIsAsked) {
    call("sip:b@two.carrier.test:5060").ack();
    world.answer_dns();
    two.expects("ACK");
    EXPECT_TRUE(world.is_empty());
    alice.send_in(at_alice, "INFO");
    two.expects("INFO").answers(200);
    alice.expect(200);
    EXPECT_TRUE(world.is_empty());
    call("sip:b@nowhere.test");
    Outgoing sent = bye();
    EXPECT_FALSE(world.is_empty());
    world.answer_dns();
    one.expects("BYE").answers(200);
    sent.expect(200);
}

TEST_F(StatelessDialogNames_Rfc3261_16_11, APeersAddressElsewhereIsFollowed) {
    call("sip:b@203.0.113.2:5060").ack();
    two.expects("ACK");
    EXPECT_TRUE(one.is_silent());
}

TEST_F(LookedUpAck_Rfc3261_16_11, WaitsForDns) {
    call("sip:b@two.carrier.test:5060").ack();
    EXPECT_TRUE(one.is_silent() && two.is_silent());
    EXPECT_FALSE(world.is_empty());
    world.answer_dns();
    EXPECT_EQ(two.expects("ACK").message().uri(), "sip:b@two.carrier.test:5060");
    EXPECT_TRUE(one.is_silent());
    EXPECT_EQ(world.count(Counter::acks_waited_for_dns_total), 1U);
}

TEST_F(LookedUpAck_Rfc3261_16_11, GoesAtOnceWhereTheAnswerIsKnown) {
    Outgoing sent = call("sip:b@two.carrier.test:5060").ack();
    world.answer_dns();
    two.expects("ACK");
    sent.ack();
    two.expects("ACK");
    EXPECT_EQ(world.count(Counter::acks_waited_for_dns_total), 1U);
}

TEST_F(LookedUpAck_Rfc3261_16_11, GoesByTheDialogsFlowWhenDnsIsSilent) {
    call("sip:b@two.carrier.test:5060").ack();
    world.wait(seconds(3));
    EXPECT_TRUE(one.is_silent());
    world.wait(seconds(2));
    one.expects("ACK");
    EXPECT_TRUE(two.is_silent());
    EXPECT_EQ(world.count(Counter::dialog_names_unresolved_total), 1U);
    world.answer_dns();
    world.wait(seconds(300));
    EXPECT_TRUE(one.is_silent() && two.is_silent());
    EXPECT_EQ(world.gauges().proxied_requests, 0U);
}

TEST_F(LookedUpAck_Rfc3261_16_11, NoMoreThanTheLimitWait) {
    Outgoing sent = call("sip:b@two.carrier.test:5060");
    for (uint32_t i = 0; i < proxy::kWaitingAcksMax; ++i) sent.ack();
    EXPECT_TRUE(one.is_silent());
    sent.ack();
    one.expects("ACK");
    EXPECT_EQ(world.count(Counter::acks_not_looked_up_total), 1U);
    world.answer_dns();
    for (uint32_t i = 0; i < proxy::kWaitingAcksMax; ++i) two.expects("ACK");
    EXPECT_TRUE(one.is_silent() && two.is_silent());
    sent.ack();
    two.expects("ACK");
}

TEST_F(LookedUpAck_Rfc3261_16_11, WaitsWithoutATokenToo) {
    RequestText ack = alice.make("ACK", "sip:b@two.carrier.test:5060");
    ack.to += ";tag=1";
    alice.send_text(ack.text());
    world.answer_dns();
    two.expects("ACK");
}

}  // namespace
}  // namespace signalbox::core::testing
