// Rules of the RFC that a proxy keeps without noticing, seen on the wire.
// Covers: RFC 3261 §7.1 (the version), §16.1 (state where it must be), §16.2 (whom 100 is sent to),
// §16.3 (merged requests, unknown methods and fields), §16.5 (each URI once), §16.6 steps 2 and 7,
// §16.11 (the same octets again). Not covered: responses (stray_response_test).
#include <gtest/gtest.h>

#include "tests/core/core_harness.h"

namespace signalbox::core::testing {
namespace {

using transport::Transport;

ports::Snapshot with_mode(ports::ProxyMode mode) {
    ports::Snapshot snapshot = default_snapshot();
    snapshot.proxy.mode = mode;
    snapshot.trusted = {*Network::parse("198.51.100.10")};
    return snapshot;
}

struct RulesTest : ::testing::Test {
    World world{with_mode(ports::ProxyMode::Stateful)};
    Phone& alice = world.stranger();
    Phone& bob = world.registered("bob", "198.51.100.20:5060");

    /// Binds a phone at `address` whose Contact has `more` behind its address.
    Phone& bound_as(const std::string& user, const std::string& address, const std::string& more) {
        world.add_user(user_record(user));
        Phone& phone = world.phone({user, "example.test", address, {}, address + more});
        world.bind(user, phone);
        return phone;
    }
};

struct StatelessRulesTest : ::testing::Test {
    World world{with_mode(ports::ProxyMode::Stateless)};
    Phone& alice = world.stranger();
    Phone& bob = world.registered("bob", "198.51.100.20:5060");
};

using TryingRules_Rfc3261_16_2 = RulesTest;
using VersionRules_Rfc3261_7_1 = RulesTest;
using RequestRules_Rfc3261_16_3 = RulesTest;
using TargetRules_Rfc3261_16_5 = RulesTest;
using ForwardingRules_Rfc3261_16_6 = RulesTest;
using StatelessRules_Rfc3261_16_11 = StatelessRulesTest;

TEST_F(TryingRules_Rfc3261_16_2, NoOtherRequestThanInviteGetsA100AtOnce) {
    for (const char* method : {"OPTIONS", "MESSAGE", "NEWMETHOD", "BYE"}) {
        Outgoing sent = alice.send(alice.make(method, bob.aor()));
        const Incoming leg = bob.expects(method);
        sent.retransmit();
        world.wait(std::chrono::seconds(2));
        EXPECT_TRUE(alice.is_silent()) << method;
        leg.answers(200);
        sent.expect(200);
        bob.take_kinds();
    }
}

TEST_F(VersionRules_Rfc3261_7_1, AVersionThatCameInLowerCaseLeavesInUpperCase) {
    const auto in_lower_case = [](std::string text) {
        text.replace(text.find("SIP/2.0"), 7, "sip/2.0");
        return text;
    };
    alice.send_text(in_lower_case(alice.make("MESSAGE", bob.aor()).text()));
    const Incoming got = bob.expects("MESSAGE");
    EXPECT_TRUE(got.message().text().starts_with("MESSAGE " + bob.contact() + " SIP/2.0\r\n"));
    bob.send_text(in_lower_case(got.response(200)));
    EXPECT_TRUE(alice.expect(200).text().starts_with("SIP/2.0 200 OK\r\n"));
}

TEST_F(RequestRules_Rfc3261_16_3, ARequestThatCameByTwoWaysIsForwardedTwice) {
    RequestText request = alice.make("MESSAGE", bob.aor());
    alice.send(request);
    bob.expects("MESSAGE");
    request.via = alice.fresh_via();
    alice.send(request);
    bob.expects("MESSAGE");
    EXPECT_TRUE(alice.is_silent());
}

TEST_F(RequestRules_Rfc3261_16_3, AnUnknownMethodAndUnknownFieldsPass) {
    RequestText request = alice.make("NEWMETHOD", bob.aor());
    request.with("X-Unheard-Of: ;;=,\"").with("Date: the day before").with("Warning: none");
    alice.send(request);
    const Incoming got = bob.expects("NEWMETHOD");
    EXPECT_EQ(got.message().header("X-Unheard-Of"), ";;=,\"");
    EXPECT_EQ(got.message().header("Date"), "the day before");
    got.answers(200);
    alice.expect(200);
}

TEST_F(TargetRules_Rfc3261_16_5, OnePhoneThatIsFoundTwiceRingsOnce) {
    Phone& twin = world.phone({"bob", "example.test", "198.51.100.20:5060", {}, {}});
    world.bind("bob", twin);
    alice.invite(bob).expect(100);
    EXPECT_EQ(bob.take_kinds() + twin.take_kinds(), "INVITE");
}

TEST_F(ForwardingRules_Rfc3261_16_6, WhatARequestUriMayNotHoldIsTakenOffTheContact) {
    Phone& dora =
        bound_as("dora", "198.51.100.40:5060", ";method=BYE;x=1?Subject=gift&Route=%3Csip:evil%3E");
    alice.send(alice.make("INVITE", dora.aor())).expect(100);
    const Incoming leg = dora.expects("INVITE");
    EXPECT_EQ(leg.message().uri(), "sip:dora@198.51.100.40:5060;x=1");
    EXPECT_FALSE(leg.message().has("Subject") || leg.message().has("Route"));
    Phone& erin = bound_as("erin", "198.51.100.41:5060", ";x=1;Method=BYE");
    alice.send(alice.make("INVITE", erin.aor())).expect(100);
    EXPECT_EQ(erin.expects("INVITE").message().uri(), "sip:erin@198.51.100.41:5060;x=1");
}

TEST_F(ForwardingRules_Rfc3261_16_6, AStrictNextHopIsFoundByTheNewRequestUri) {
    Phone& strict = world.stranger("strict", "203.0.113.6:5060");
    RequestText request = alice.make("INVITE", "sip:any@203.0.113.9");
    request.routes = {"<sip:203.0.113.6>", "<sip:203.0.113.7;lr>"};
    alice.send(request).expect(100);
    const Incoming got = strict.expects("INVITE");
    EXPECT_EQ(got.message().uri(), "sip:203.0.113.6");
    EXPECT_EQ(got.message().values("Route"),
              (std::vector<std::string>{"<sip:203.0.113.7;lr>", "<sip:any@203.0.113.9>"}));
}

TEST_F(StatelessRules_Rfc3261_16_11, ARetransmissionIsForwardedWithTheSameOctets) {
    Outgoing call = alice.invite(bob);
    const Message first = bob.expects("INVITE").message();
    EXPECT_TRUE(first.has("Record-Route"));
    world.wait(std::chrono::seconds(3));
    call.retransmit();
    EXPECT_EQ(bob.expects("INVITE").message().text(), first.text());
}

TEST_F(StatelessRules_Rfc3261_16_11, AResponseIsForwardedWithEveryOctetButOurVia) {
    alice.send(alice.make("MESSAGE", bob.aor()));
    const Incoming got = bob.expects("MESSAGE");
    got.answers(200, {"X-Odd:  kept \t as is"}, "every octet");
    const Message back = alice.expect(200);
    std::string expected = got.response(200, {"X-Odd:  kept \t as is"}, "every octet");
    const size_t own = expected.find("Via:");
    expected.erase(own, expected.find("\r\n", own) + 2 - own);
    EXPECT_EQ(back.text(), expected);
}

TEST_F(StatelessRules_Rfc3261_16_11, AContactsHeaderFieldsDoNotGetIntoTheRequestUri) {
    world.add_user(user_record("dora"));
    Phone& dora = world.phone(
        {"dora", "example.test", "198.51.100.40:5060", {}, "198.51.100.40:5060?Subject=gift"});
    world.bind("dora", dora);
    alice.send(alice.make("MESSAGE", dora.aor()));
    EXPECT_EQ(dora.expects("MESSAGE").message().uri(), "sip:dora@198.51.100.40:5060");
}

}  // namespace
}  // namespace signalbox::core::testing
