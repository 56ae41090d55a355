// What the proxy does with the responses of one and of several branches.
// Covers: RFC 3261 §16.7 steps 3 to 10, §16.9 (transport errors), RFC 4320 §4, RFC 3326 (Reason),
// RFC 6026 §8 (2xx after 2xx). Not covered: the table of the best response
// (response_selection_test), Timer C (timer_c_test).
#include <gtest/gtest.h>

#include "tests/core/core_harness.h"

namespace signalbox::core::testing {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

/// Three phones of one user.
struct ForkTest : ::testing::Test {
    World world;
    Phone& alice = world.stranger();
    Phone& bob = world.registered("bob", "198.51.100.20:5060");
    Phone& desk = world.phone({"bob", "example.test", "198.51.100.21:5060", {}, {}});
    Outgoing call = ring();
    Incoming at_bob = bob.expects("INVITE");
    Incoming at_desk = desk.expects("INVITE");

    Outgoing ring() {
        world.bind("bob", desk);
        return alice.invite(bob).expect(100);
    }
};

struct OneBranchTest : ::testing::Test {
    World world;
    Phone& alice = world.stranger();
    Phone& bob = world.registered("bob", "198.51.100.20:5060");
    Outgoing call = alice.invite(bob).expect(100);
    Incoming leg = bob.expects("INVITE");
};

using Responses_Rfc3261_16_7 = OneBranchTest;
using Responses_Rfc4320_4_2 = OneBranchTest;
using Forking_Rfc3261_16_7 = ForkTest;
using Forking_Rfc6026_8 = ForkTest;

TEST_F(Responses_Rfc3261_16_7, RemovesOurViaAndNothingElse) {
    leg.answers(180, {"X-Mark: a , b", "v: SIP/2.0/UDP unrelated;branch=z9hG4bK1"});
    call.expect(180);
    EXPECT_EQ(call.response().values("Via").size(), 1U);
    EXPECT_NE(call.response().text().find("X-Mark: a , b\r\n"), std::string::npos);
}

/// What follows a response on its stream is no part of it, and its body is no other message.
TEST(StreamResponse_Rfc3261_18_3, AResponseWithoutContentLengthGetsOne) {
    World world;
    Phone& alice = world.stranger("alice", "198.51.100.10:5060", transport::Transport::Tcp);
    Phone& bob = world.registered("bob", "198.51.100.20:5060");
    Outgoing call = alice.invite(bob).expect(100);
    const Incoming leg = bob.expects("INVITE");
    const std::string inner = "INVITE sip:+900123@gw.test SIP/2.0\r\n\r\n";
    for (const int status : {183, 480}) {
        std::string text = leg.response(status, {}, inner);
        const size_t length = text.find("Content-Length:");
        text.erase(length, text.find("\r\n", length) + 2 - length);
        bob.send_text(text);
        call.expect(status);
        EXPECT_EQ(call.response().header("Content-Length"), std::to_string(inner.size()));
        EXPECT_EQ(call.response().body(), inner);
    }
}

TEST_F(Responses_Rfc3261_16_7, A100GoesNoFurther) {
    leg.answers(100);
    EXPECT_TRUE(alice.is_silent());
}

TEST_F(Responses_Rfc3261_16_7, EveryOtherProvisionalGoesUpstreamAtOnce) {
    leg.answers(180);
    leg.answers(183);
    leg.answers(199);
    leg.answers(101);
    EXPECT_EQ(alice.take_kinds(), "180 183 199 101");
}

TEST_F(Responses_Rfc3261_16_7, AFailureIsForwardedAndAcknowledgedByUs) {
    leg.answers(486, {"Retry-After: 5"});
    call.expect(486).ack();
    EXPECT_EQ(call.response().header("Retry-After"), "5");
    bob.expects("ACK");
    EXPECT_TRUE(alice.is_silent() && bob.is_silent());
    EXPECT_EQ(world.record_lines(), std::vector<std::string>{"486 Callee Busy Here"});
}

TEST_F(Responses_Rfc3261_16_7, A503BecomesA500) {
    leg.answers(503, {"Retry-After: 30"});
    call.expect(500);
    EXPECT_FALSE(call.response().has("Retry-After"));
}

TEST_F(Responses_Rfc3261_16_7, ARedirectionIsLeftToTheCaller) {
    leg.answers(302, {"Contact: <sip:elsewhere@203.0.113.1>"});
    call.expect(302);
    EXPECT_EQ(call.response().header("Contact"), "<sip:elsewhere@203.0.113.1>");
}

TEST_F(Responses_Rfc3261_16_7, ARedirectionPassesWithEachOfItsContacts) {
    const std::vector<std::string> lines = {
        "Contact: <sip:a@one.test?X=1>;q=0.5, \"a, b\" <mailto:a@two.test>", "m: tel:+15550100",
        "Contact: <sip:bob@example.test>;expires=5"};
    leg.answers(300, lines);
    const std::string text = call.expect(300).response().text();
    EXPECT_NE(text.find(lines[0] + "\r\n" + lines[1] + "\r\n" + lines[2] + "\r\n"),
              std::string::npos);
}

TEST_F(Responses_Rfc3261_16_7, WhatComesAfterTheFinalResponseGoesNowhere) {
    for (const int final_status : {486, 200}) {
        Outgoing again = alice.invite(bob).expect(100);
        const Incoming arrived = bob.expects("INVITE");
        arrived.answers(final_status);
        again.expect(final_status).ack();
        bob.expects("ACK");
        for (const int late : {100, 180, 183, 486, 603}) arrived.answers(late);
        EXPECT_TRUE(alice.is_silent()) << final_status;
        bob.take_kinds();
    }
}

TEST_F(Responses_Rfc3261_16_7, AResponseWithOurViaAloneEndsHere) {
    std::string text = leg.response(200);
    const size_t second = text.find("Via:", text.find("Via:") + 4);
    text.erase(second, text.find("\r\n", second) + 2 - second);
    bob.send_text(text);
    call.expect(502);
}

TEST_F(Responses_Rfc3261_16_7, AnInviteNobodyAnswersFailsWithTimerB) {
    world.wait(seconds(31));
    bob.take_kinds();
    EXPECT_TRUE(alice.is_silent());
    world.wait(seconds(2));
    call.expect(408).ack();
    EXPECT_EQ(world.record_lines(), std::vector<std::string>{"408 Server Request Timeout"});
}

TEST_F(Responses_Rfc3261_16_7, ATransportErrorCountsAs503) {
    world.fail_last_transmit();
    call.expect(500).ack();
    world.wait(seconds(64));
    EXPECT_TRUE(world.is_empty());
}

TEST_F(Responses_Rfc3261_16_7, ANonInviteNobodyAnswersGetsNo408) {
    call.cancel();
    alice.take();
    RequestText message = alice.make("MESSAGE", bob.aor());
    alice.send(message);
    world.wait(seconds(40));
    for (std::string kinds = alice.take_kinds(); const char* bad : {"408", "500"})
        EXPECT_EQ(kinds.find(bad), std::string::npos) << kinds;
}

TEST_F(Responses_Rfc3261_16_7, A408OfTheCalleeToANonInviteIsNotPassedOn) {
    Outgoing message = alice.send(alice.make("MESSAGE", bob.aor()));
    bob.expects("MESSAGE").answers(408);
    EXPECT_TRUE(alice.is_silent());
    leg.answers(408);
    call.expect(408);
}

TEST_F(Responses_Rfc4320_4_2, RetransmissionsAfterAWithheld408AreNotForwardedAgain) {
    leg.answers(486);
    call.expect(486).ack();
    bob.take();
    Outgoing message = alice.send(alice.make("MESSAGE", bob.aor()));
    bob.expects("MESSAGE").answers(408);
    for (int i = 0; i < 8; ++i) {
        world.wait(milliseconds(3900));
        message.retransmit();
    }
    EXPECT_TRUE(alice.is_silent());
    EXPECT_TRUE(bob.is_silent());
    world.wait(seconds(33));
    EXPECT_TRUE(world.is_empty());
}

TEST_F(Responses_Rfc3261_16_7, ACallerWhoseConnectionIsGoneIsNotRungFor) {
    Phone& tcp = world.stranger("carol", "198.51.100.60:5060", transport::Transport::Tcp);
    tcp.invite(bob).expect(100);
    const Incoming ringing = bob.expects("INVITE");
    ringing.answers(180);
    tcp.expect(180);
    world.fail_last_transmit();
    bob.expects("CANCEL").answers(200);
    ringing.answers(487);
    bob.expects("ACK");
    EXPECT_EQ(world.record_lines(),
              std::vector<std::string>{"500 Server The caller's connection is gone"});
}

TEST_F(Responses_Rfc3261_16_7, AProvisionalToANonInviteStaysHere) {
    Outgoing options = alice.send(alice.make("OPTIONS", bob.aor()));
    const Incoming got = bob.expects("OPTIONS");
    got.answers(180);
    EXPECT_TRUE(alice.is_silent());
    got.answers(200);
    options.expect(200);
}

TEST_F(Responses_Rfc3261_16_7, AFinalOfANonInviteIsRepeatedToItsRetransmission) {
    Outgoing message = alice.send(alice.make("MESSAGE", bob.aor()));
    bob.expects("MESSAGE").answers(202);
    message.expect(202);
    message.retransmit().expect(202);
    EXPECT_TRUE(bob.is_silent());
}

TEST_F(Forking_Rfc3261_16_7, TheFirst2xxWinsAndTheOthersAreCancelledWithTheReason) {
    at_bob.answers(180);
    at_desk.answers(180);
    EXPECT_EQ(alice.take_kinds(), "180 180");
    at_desk.answers(200);
    call.expect(200);
    const Incoming cancel = bob.expects("CANCEL");
    EXPECT_EQ(cancel.message().header("Reason"), "SIP;cause=200;text=\"Call completed elsewhere\"");
    EXPECT_EQ(cancel.message().branch(), at_bob.message().branch());
    cancel.answers(200);
    at_bob.answers(487);
    bob.expects("ACK");
    EXPECT_TRUE(alice.is_silent() && desk.is_silent());
}

TEST_F(Forking_Rfc3261_16_7, AFailureWaitsForTheOtherBranches) {
    at_bob.answers(486);
    bob.expects("ACK");
    EXPECT_TRUE(alice.is_silent());
    at_desk.answers(404);
    call.expect(486);
}

TEST_F(Forking_Rfc3261_16_7, A6xxEndsTheRinging) {
    at_bob.answers(180);
    alice.take();
    at_desk.answers(603);
    bob.expects("CANCEL").answers(200);
    EXPECT_TRUE(alice.is_silent());
    at_bob.answers(487);
    call.expect(603);
}

TEST_F(Forking_Rfc3261_16_7, A2xxAfterA6xxIsForwarded) {
    at_bob.answers(180);
    alice.take();
    at_desk.answers(603);
    at_bob.answers(200);
    call.expect(200);
    EXPECT_TRUE(alice.is_silent());
}

TEST_F(Forking_Rfc3261_16_7, ChallengesOfAllBranchesAreMerged) {
    at_bob.answers(401, {"WWW-Authenticate: Digest realm=\"one\", nonce=\"1\""});
    at_desk.answers(407, {"Proxy-Authenticate: Digest realm=\"two\", nonce=\"2\""});
    call.expect(401);
    EXPECT_EQ(call.response().header("WWW-Authenticate"), "Digest realm=\"one\", nonce=\"1\"");
    EXPECT_EQ(call.response().header("Proxy-Authenticate"), "Digest realm=\"two\", nonce=\"2\"");
}

TEST_F(Forking_Rfc3261_16_7, AFailureMadeHereNeverOutranksAPhonesAnswer) {
    at_bob.answers(500);
    bob.expects("ACK");
    world.wait(seconds(33));  // Timer B of the other branch: a local 408
    desk.take_kinds();
    call.expect(500);
}

TEST_F(Forking_Rfc6026_8, ALater2xxIsForwardedToo) {
    at_bob.answers(200);
    call.expect(200);
    at_desk.answers(200);
    call.expect(200);
    EXPECT_EQ(call.response().tag("To"), "bob-tag");
    EXPECT_EQ(world.count(Counter::calls_answered_total), 1U);
}

TEST_F(Forking_Rfc6026_8, A2xxOfAnotherPhoneAfterTheContextIsForwarded) {
    at_bob.answers(200);
    call.expect(200).ack();
    bob.expects("ACK");
    at_desk.answers(487);  // nothing was cancelled yet: it had not rung
    EXPECT_EQ(world.gauges().proxied_requests, 0U);
    // A proxy behind bob's address forked: another 2xx of the same branch.
    Incoming other = at_bob;
    other.to_tag = "bob-other";
    other.answers(200);
    call.expect(200);
    EXPECT_EQ(call.response().tag("To"), "bob-other");
}

TEST_F(Forking_Rfc6026_8, RetransmitsNo2xxOfItsOwn) {
    at_bob.answers(200);
    call.expect(200);
    world.wait(seconds(5));
    EXPECT_TRUE(alice.is_silent());
    at_bob.answers(200);
    call.expect(200);
}

TEST_F(Forking_Rfc6026_8, TheCallEndsWhenTheLastOfItsDialogsEnds) {
    at_bob.to_tag = "t1";
    at_desk.to_tag = "t2";
    at_bob.answers(200);
    call.expect(200).ack();
    Dialog first = call.dialog();
    at_desk.answers(200);
    call.expect(200).ack();
    Dialog second = call.dialog();
    bob.take_kinds();
    desk.take_kinds();
    Outgoing bye = alice.send_in(second, "BYE");
    desk.expects("BYE").answers(200);
    bye.expect(200);
    EXPECT_TRUE(world.record_lines().empty());
    bye = alice.send_in(first, "BYE");
    bob.expects("BYE").answers(200);
    bye.expect(200);
    EXPECT_EQ(world.record_lines().size(), 1U);
}

}  // namespace
}  // namespace signalbox::core::testing
