// Rules of the RFC for what the server answers itself, each by the absence of which somebody would
// be misled. Covers: RFC 3261 §8.1.1.2 (SIPS), §8.1.3.2 (unknown responses), §8.2 (all or nothing),
// §8.2.2 (unknown fields), §8.2.2.1 (addresses), §8.2.2.2 (merged requests), §8.2.2.3 (Require in
// ACK and CANCEL), §8.2.4, §8.2.7, §12.1.1, §12.1.2 (no tags), §19.3 (tags). Not covered: bodies
// (content_check_test).
#include <gtest/gtest.h>

#include <set>

#include "tests/core/core_harness.h"

namespace signalbox::core::testing {
namespace {

using std::chrono::seconds;

struct UserAgentRulesTest : ::testing::Test {
    World world;
    Phone& alice = world.stranger();
    Phone& bob = world.registered("bob", "198.51.100.20:5060");

    Outgoing registers(Phone& phone, const RequestText& request) {
        Outgoing first = phone.send(request).expect(401);
        return phone.send(phone.with_credentials(request, first.response(), "secret"));
    }
    std::string without_tag(std::string value) { return value.substr(0, value.find(";tag=")); }
};

using UserAgentRules_Rfc3261_8_2 = UserAgentRulesTest;
using UserAgentRules_Rfc3261_8_2_2 = UserAgentRulesTest;
using UserAgentRules_Rfc3261_8_2_2_1 = UserAgentRulesTest;
using UserAgentRules_Rfc3261_8_2_2_2 = UserAgentRulesTest;
using UserAgentRules_Rfc3261_8_2_4 = UserAgentRulesTest;
using UserAgentRules_Rfc3261_8_2_7 = UserAgentRulesTest;
using AckAndCancelRules_Rfc3261_8_2_2_3 = UserAgentRulesTest;
using UnknownResponses_Rfc3261_8_1_3_2 = UserAgentRulesTest;
using DialogRules_Rfc3261_12_1_1 = UserAgentRulesTest;
using DialogRules_Rfc3261_12_1_2 = UserAgentRulesTest;
using SipsRules_Rfc3261_8_1_1_2 = UserAgentRulesTest;
using TagRules_Rfc3261_19_3 = UserAgentRulesTest;

TEST_F(UserAgentRules_Rfc3261_8_2, ARefusedRequestChangesNothing) {
    RequestText request = bob.registration();
    request.contact = "<sip:bob@198.51.100.99>";
    registers(bob, request.with("Require: time-travel")).expect(420);
    RequestText fetch = bob.make("REGISTER", "sip:example.test");
    fetch.to = "<" + bob.aor() + ">";
    fetch.contact.clear();
    const Outgoing listed = registers(bob, fetch).expect(200);
    EXPECT_EQ(listed.response().values("Contact").size(), 1U);
    EXPECT_EQ(listed.response().text().find("198.51.100.99"), std::string::npos);
}

TEST_F(UserAgentRules_Rfc3261_8_2_2, UnknownFieldsArePassedOver) {
    RequestText options = alice.make("OPTIONS", "sip:example.test");
    options.with("X-Unheard-Of: ;;=,\"").with("Date: yesterday").with("Accept-Language: , ,");
    alice.send(options).expect(200);
    registers(bob, bob.registration().with("X-Unheard-Of: <>")).expect(200);
}

TEST_F(UserAgentRules_Rfc3261_8_2_2_1, AnUnknownSchemeOfTheRequestUriGets416AndOneOfToIsNoMatter) {
    for (const char* method : {"OPTIONS", "REGISTER", "INVITE"}) {
        RequestText request = alice.make(method, "im:bob@example.test");
        request.to = "<sip:bob@example.test>";
        alice.send(request).expect(416);
    }
    RequestText options = alice.make("OPTIONS", "sip:example.test");
    options.to = "<im:somebody@somewhere.test>";
    alice.send(options).expect(200);
}

TEST_F(UserAgentRules_Rfc3261_8_2_2_1, ARegistrationOfAnAddressThatIsNotServedGets404) {
    RequestText request = bob.registration();
    request.to = "<sip:bob@somewhere.test>";
    bob.send(request).expect(404);
}

TEST_F(UserAgentRules_Rfc3261_8_2_2_2, ARegisterThatCameByTwoWaysBindsOnce) {
    const RequestText request = bob.registration();
    Outgoing first = bob.send(request).expect(401);
    RequestText again = bob.with_credentials(request, first.response(), "secret");
    bob.send(again).expect(200);
    const size_t events = world.journal.size();
    again.via = bob.fresh_via();  // by another proxy: the nonce's count was used, too
    bob.send(again).expect(401);
    Outgoing challenged = bob.send(request).expect(401);
    RequestText merged = bob.with_credentials(request, challenged.response(), "secret");
    merged.cseq = again.cseq;
    bob.send(merged).expect(500);
    EXPECT_EQ(world.journal.size(), events);
}

TEST_F(AckAndCancelRules_Rfc3261_8_2_2_3, WhatOthersRequireInThemIsPassedOver) {
    Outgoing call = alice.invite(bob).expect(100);
    const Incoming leg = bob.expects("INVITE");
    leg.answers(180);
    call.expect(180);
    call.cancel({"Require: time-travel", "Proxy-Require: time-travel"});
    alice.expect(200);
    bob.expects("CANCEL").answers(200);
    leg.answers(487);
    call.expect(487);
    RequestText ack = call.request();
    ack.method = "ACK";
    ack.to = call.response().header("To");
    alice.send_text(ack.with("Require: time-travel").with("Proxy-Require: time-travel").text());
    world.wait(seconds(5));
    EXPECT_TRUE(alice.is_silent());  // neither a 420 nor the 487 again
}

TEST_F(UserAgentRules_Rfc3261_8_2_4, ResponsesRequireNothing) {
    Outgoing options = alice.send(alice.make("OPTIONS", "sip:example.test")).expect(200);
    EXPECT_FALSE(options.response().has("Require"));
    Outgoing accepted = registers(bob, bob.registration()).expect(200);
    EXPECT_FALSE(accepted.response().has("Require"));
    Outgoing call = alice.invite(bob).expect(100);
    EXPECT_FALSE(call.response().has("Require"));
}

TEST_F(UserAgentRules_Rfc3261_8_2_7, AStatelessRefusalIsSentOncePerRequest) {
    RequestText request = alice.make("INVITE", bob.aor());
    request.max_forwards = "0";
    Outgoing call = alice.send(request).expect(483);
    world.wait(seconds(40));
    EXPECT_TRUE(alice.is_silent());
    call.retransmit().expect(483);
    EXPECT_TRUE(alice.is_silent());
}

TEST_F(UserAgentRules_Rfc3261_8_2_7, ACancelOfAStatelessRefusalGets481) {
    RequestText request = alice.make("INVITE", bob.aor());
    request.max_forwards = "0";
    Outgoing call = alice.send(request).expect(483);
    call.cancel();
    alice.expect(481);
    EXPECT_TRUE(alice.is_silent());
}

TEST_F(SipsRules_Rfc3261_8_1_1_2, ASipsAddressIsUnderstoodAndNotMadeLess) {
    alice.send(alice.make("OPTIONS", "sips:example.test")).expect(200);
    alice.send(alice.make("INVITE", "sips:bob@example.test")).expect(100).expect(480);
    EXPECT_TRUE(bob.is_silent());
}

TEST_F(UnknownResponses_Rfc3261_8_1_3_2, AFinalOneCountsAsItsClass) {
    Phone& desk = world.phone({"bob", "example.test", "198.51.100.21:5060", {}, {}});
    world.bind("bob", desk);
    Outgoing call = alice.invite(bob).expect(100);
    const Incoming at_bob = bob.expects("INVITE");
    const Incoming at_desk = desk.expects("INVITE");
    at_bob.answers(599);
    at_desk.answers(499);
    call.expect(499);  // a failure of the client's class goes before one of the server's
    bob.expects("ACK");
    desk.expects("ACK");
    Outgoing second = alice.invite(bob).expect(100);
    bob.expects("INVITE").answers(699);
    desk.expects("INVITE").answers(486);
    second.expect(699);
}

TEST_F(UnknownResponses_Rfc3261_8_1_3_2, AProvisionalOneIsForwardedLike183) {
    Outgoing call = alice.invite(bob).expect(100);
    const Incoming leg = bob.expects("INVITE");
    leg.answers(100);
    EXPECT_TRUE(alice.is_silent());
    leg.answers(183);
    leg.answers(142);
    EXPECT_EQ(alice.take_kinds(), "183 142");
    call.cancel();  // a provisional response of any number opens the way for CANCEL
    bob.expects("CANCEL");
}

TEST_F(DialogRules_Rfc3261_12_1_1, ARequestWithoutAFromTagIsServed) {
    RequestText request = alice.make("INVITE", bob.aor());
    request.from = without_tag(request.from);
    Outgoing call = alice.send(request).expect(100);
    const Incoming leg = bob.expects("INVITE");
    leg.answers(200);
    call.expect(200).ack();
    bob.expects("ACK");
    alice.send(alice.make("OPTIONS", "sip:example.test")).expect(200);
}

TEST_F(DialogRules_Rfc3261_12_1_2, AResponseWithoutAToTagIsForwarded) {
    Outgoing call = alice.invite(bob).expect(100);
    const Incoming leg = bob.expects("INVITE");
    std::string text = leg.response(200);
    const size_t tag = text.find(";tag=bob-tag");
    text.erase(tag, 12);
    bob.send_text(text);
    call.expect(200);
    EXPECT_EQ(call.response().tag("To"), "");
}

TEST_F(TagRules_Rfc3261_19_3, TagsDifferAndTellNothing) {
    std::set<std::string> tags;
    for (int i = 0; i < 200; ++i) {
        Outgoing options = alice.send(alice.make("OPTIONS", "sip:example.test")).expect(200);
        tags.insert(options.response().tag("To"));
        EXPECT_GE(options.response().tag("To").size(), 16U);  // 64 bits in hexadecimal digits
    }
    EXPECT_EQ(tags.size(), 200U);
}

}  // namespace
}  // namespace signalbox::core::testing
