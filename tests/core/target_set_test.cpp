// Where requests go: users, bindings, foreign hosts and names that must be looked up.
// Covers: RFC 3261 §9.2 (CANCEL while a name is looked up), §16.4 (maddr), §16.5, §16.6 step 7,
// §18.4 (a connection that ends), RFC 3263 §4.2, §4.3 (what is done with the addresses). Not
// covered: which bindings are live (location_test), the reading of URIs (locate_server_test).
#include <gtest/gtest.h>

#include "tests/core/core_harness.h"

namespace signalbox::core::testing {
namespace {

using std::chrono::milliseconds;
using transport::Transport;

ports::Snapshot trusting() {
    ports::Snapshot snapshot = default_snapshot();
    snapshot.trusted = {*Network::parse("198.51.100.10")};
    return snapshot;
}

struct TargetsTest : ::testing::Test {
    World world{trusting()};
    Phone& alice = world.stranger();
    Phone& bob = world.registered("bob", "198.51.100.20:5060");

    Outgoing call(const std::string& uri) { return alice.send(alice.make("INVITE", uri)); }
};

using Targets_Rfc3261_16_4 = TargetsTest;
using Targets_Rfc3261_16_5 = TargetsTest;
using Targets_Rfc3261_18_4 = TargetsTest;
using Cancel_Rfc3261_9_2_Names = TargetsTest;
using Resolver_Rfc3263_4 = TargetsTest;

TEST_F(Targets_Rfc3261_16_5, AnUnknownUserGets404) {
    call("sip:nobody@example.test").expect(100).expect(404).ack();
    EXPECT_TRUE(alice.is_silent());
}

TEST_F(Targets_Rfc3261_16_5, AUserWithoutABindingGets480) {
    world.add_user(user_record("dora"));
    call("sip:dora@example.test").expect(100).expect(480);
}

TEST_F(Targets_Rfc3261_16_5, ContactsOfOtherSchemesAreNoTargets) {
    world.add_user(user_record("dora"));
    Phone& dora = world.phone({"dora", "example.test", "198.51.100.10:5070", {}, {}});
    RequestText request = dora.registration();
    request.contact = "<tel:+15550100>, <mailto:dora@example.test>";
    dora.send(request).expect(200);
    call("sip:dora@example.test").expect(100).expect(480);
    Phone& desk = world.phone({"dora", "example.test", "198.51.100.41:5060", {}, {}});
    world.bind("dora", desk);
    call("sip:dora@example.test").expect(100);
    desk.expects("INVITE");
    EXPECT_TRUE(dora.is_silent());
}

TEST_F(Targets_Rfc3261_16_5, APhoneThatRegistersWhileOthersRingDoesNotJoinThem) {
    Outgoing ringing = call("sip:bob@example.test").expect(100);
    const Incoming leg = bob.expects("INVITE");
    leg.answers(180);
    ringing.expect(180);
    Phone& late = world.phone({"bob", "example.test", "198.51.100.21:5060", {}, {}});
    world.bind("bob", late);
    leg.answers(486);
    ringing.expect(486);
    EXPECT_TRUE(late.is_silent());
}

TEST_F(Targets_Rfc3261_16_5, AnAddressOfOursIsAnAliasOfTheDomain) {
    call("sip:bob@192.0.2.1").expect(100);
    bob.expects("INVITE");
}

TEST_F(Targets_Rfc3261_16_5, EscapesInTheUserPartDoNotMatter) {
    call("sip:%62ob@EXAMPLE.test").expect(100);
    bob.expects("INVITE");
}

TEST_F(Targets_Rfc3261_16_5, AllContactsRingAtOnce) {
    Phone& desk = world.phone({"bob", "example.test", "198.51.100.21:5060", {}, {}});
    Phone& mobile = world.phone({"bob", "example.test", "198.51.100.22:5060", {}, {}});
    world.bind("bob", desk);
    world.bind("bob", mobile);
    call("sip:bob@example.test").expect(100);
    const auto first = bob.expects("INVITE").message();
    const auto second = desk.expects("INVITE").message();
    const auto third = mobile.expects("INVITE").message();
    EXPECT_NE(first.branch(), second.branch());
    EXPECT_NE(second.branch(), third.branch());
    EXPECT_EQ(third.uri(), "sip:bob@198.51.100.22:5060");
}

TEST_F(Targets_Rfc3261_16_5, AForeignHostIsTheOnlyTarget) {
    Phone& far = world.stranger("far", "203.0.113.5:5080");
    call("sip:any@203.0.113.5:5080;x=1").expect(100);
    EXPECT_EQ(far.expects("INVITE").message().uri(), "sip:any@203.0.113.5:5080;x=1");
}

TEST_F(Targets_Rfc3261_16_5, ANextRouteDecidesEvenForOurDomain) {
    Phone& edge = world.stranger("edge", "203.0.113.6:5060");
    RequestText request = alice.make("INVITE", bob.aor());
    request.routes = {"<sip:203.0.113.6;lr>"};
    alice.send(request).expect(100);
    const Incoming got = edge.expects("INVITE");
    EXPECT_EQ(got.message().uri(), bob.aor());
    EXPECT_EQ(got.message().header("Route"), "<sip:203.0.113.6;lr>");
    EXPECT_TRUE(bob.is_silent());
}

TEST_F(Targets_Rfc3261_16_4, AMaddrOfOursOnAForeignHostLeadsToThatHost) {
    Phone& far = world.stranger("far", "203.0.113.9:5060");
    alice.send(alice.make("MESSAGE", "sip:far@203.0.113.9;x=1;maddr=192.0.2.1"));
    EXPECT_EQ(far.expects("MESSAGE").message().uri(), "sip:far@203.0.113.9;x=1");
}

TEST_F(Targets_Rfc3261_16_5, TransportAndMaddrOfTheTargetAreFollowed) {
    Phone& far = world.stranger("far", "203.0.113.5:5060", Transport::Tcp);
    call("sip:any@somewhere.test;maddr=203.0.113.5;transport=tcp").expect(100);
    EXPECT_EQ(far.expects("INVITE").message().header("Via").substr(0, 11), "SIP/2.0/TCP");
}

TEST_F(Targets_Rfc3261_18_4, ACallGoesByANewConnectionWhenItsOwnEndsAndFailsWhenThatEndsToo) {
    Phone& far = world.stranger("far", "203.0.113.5:5060", Transport::Tcp);
    Outgoing invite = call("sip:any@203.0.113.5;transport=tcp").expect(100);
    const std::string first = far.expects("INVITE").message().header("Via");
    world.close_flow(far);
    EXPECT_EQ(far.expects("INVITE").message().header("Via"), first);
    EXPECT_TRUE(alice.is_silent());
    world.close_flow(far);
    EXPECT_TRUE(far.is_silent());
    invite.expect(500).ack();
}

TEST_F(Targets_Rfc3261_16_5, AForeignMaddrIsFollowedEvenForAUserOfOurs) {
    Phone& far = world.stranger("far", "203.0.113.5:5060");
    call(bob.aor() + ";maddr=203.0.113.5").expect(100);
    EXPECT_EQ(far.expects("INVITE").message().uri(), bob.aor() + ";maddr=203.0.113.5");
    EXPECT_TRUE(bob.is_silent());
}

TEST_F(Targets_Rfc3261_16_5, ATransportThatWeDoNotHaveGets416) {
    call("sip:any@203.0.113.5;transport=sctp").expect(100).expect(416);
}

TEST_F(Resolver_Rfc3263_4, ANameIsLookedUpWhileTheCallWaits) {
    Phone& far = world.stranger("far", "203.0.113.5:5070");
    Outgoing waiting = call("sip:any@host.elsewhere.test:5070").expect(100);
    ASSERT_EQ(world.dns.size(), 1U);
    EXPECT_EQ(world.dns[0].question.name, "host.elsewhere.test");
    EXPECT_TRUE(far.is_silent());
    world.answer_dns(world.dns[0], {"203.0.113.5"});
    const Incoming leg = far.expects("INVITE");
    EXPECT_EQ(leg.message().uri(), "sip:any@host.elsewhere.test:5070");
    leg.answers(200);
    waiting.expect(200);
}

TEST_F(Cancel_Rfc3261_9_2_Names, ALookUpForAnotherRequestThanInviteGoesOn) {
    Phone& far = world.stranger("far", "203.0.113.5:5070");
    Outgoing waiting = alice.send(alice.make("MESSAGE", "sip:any@host.elsewhere.test:5070"));
    waiting.cancel();
    EXPECT_EQ(alice.expect(200).header("CSeq"), "1 CANCEL");
    world.answer_dns(world.dns.at(0), {"203.0.113.5"});
    far.expects("MESSAGE").answers(200);
    waiting.expect(200);
}

TEST_F(Resolver_Rfc3263_4, ANameWithoutRecordsGets500) {
    Outgoing waiting = call("sip:any@gone.test").expect(100);
    world.answer_dns();
    waiting.expect(500);
    EXPECT_EQ(world.count(Counter::dns_failures_total), 1U);
}

TEST_F(Resolver_Rfc3263_4, AResolverThatIsSilentFailsTheCallInTime) {
    Outgoing waiting = call("sip:any@slow.test:5060").expect(100);
    world.wait(milliseconds(3999));
    EXPECT_TRUE(alice.is_silent());
    world.wait(milliseconds(20));
    waiting.expect(500).ack();
    EXPECT_EQ(world.count(Counter::dns_questions_overdue_total), 1U);
    // The late answer is for the next call.
    Phone& far = world.stranger("far", "203.0.113.5:5060");
    world.answer_dns(world.dns.at(0), {"203.0.113.5"});
    EXPECT_TRUE(far.is_silent());
    call("sip:any@slow.test:5060").expect(100);
    far.expects("INVITE");
    EXPECT_EQ(world.dns.size(), 1U);
}

TEST_F(Resolver_Rfc3263_4, AServerThatIsSilentOnNaptrAndSrvStillGivesAddresses) {
    Phone& far = world.stranger("far", "203.0.113.5:5060");
    call("sip:any@odd.test").expect(100);
    world.wait(milliseconds(1340));
    ASSERT_EQ(world.dns.size(), 3U);
    EXPECT_EQ(world.dns[1].question.name, "_sip._udp.odd.test");
    world.wait(milliseconds(1340));
    ASSERT_EQ(world.dns.size(), 4U);
    world.answer_dns(world.dns[3], {"203.0.113.5"});
    far.expects("INVITE");
}

TEST_F(Resolver_Rfc3263_4, AHangingLookupDelaysNobodyElse) {
    Phone& far = world.stranger("far", "203.0.113.5:5060");
    for (int i = 0; i < 400; ++i) {
        call("sip:any@hang" + std::to_string(i) + ".test");
        alice.take_kinds();
    }
    EXPECT_EQ(world.dns.size(), 256U);
    call("sip:any@203.0.113.5").expect(100);
    far.expects("INVITE");
    EXPECT_GT(world.count(Counter::dns_questions_refused_total), 0U);
}

TEST_F(Resolver_Rfc3263_4, AnAddressOfAFamilyThatWeDoNotHaveIsSkipped) {
    ports::Snapshot only4 = trusting();
    only4.listeners.resize(2);
    World v4{only4};
    Phone& caller = v4.stranger();
    Phone& far = v4.stranger("far", "203.0.113.5:5060");
    caller.send(caller.make("INVITE", "sip:any@both.test:5060")).expect(100);
    v4.answer_dns(v4.dns.at(0), {"2001:db8::5", "203.0.113.5"});
    far.expects("INVITE");
    EXPECT_EQ(v4.count(Counter::next_hops_unsupported_total), 1U);
}

TEST_F(Resolver_Rfc3263_4, ACancelEndsTheWaitForAName) {
    Outgoing waiting = call("sip:any@slow.test").expect(100);
    waiting.cancel();
    alice.expect(200);
    waiting.expect(487).ack();
    world.answer_dns();
    EXPECT_TRUE(world.undelivered.empty());
    EXPECT_EQ(world.record_lines(), std::vector<std::string>{"487 Caller Request Terminated"});
}

TEST_F(Resolver_Rfc3263_4, TheRequestThatWaitedIsForwardedUnchanged) {
    Phone& far = world.stranger("far", "203.0.113.5:5060");
    RequestText request = alice.make("MESSAGE", "sip:any@host.test:5060");
    request.with("X-Odd:  kept \t as is").body = "hello";
    alice.send(request);
    world.answer_dns(world.dns.at(0), {"203.0.113.5"});
    const Incoming got = far.expects("MESSAGE");
    EXPECT_NE(got.message().text().find("X-Odd:  kept \t as is\r\n"), std::string::npos);
    EXPECT_EQ(got.message().body(), "hello");
}

}  // namespace
}  // namespace signalbox::core::testing
