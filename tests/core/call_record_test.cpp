// The record of each call, as its messages make it.
// Covers: one record per call (a challenge and its retry, a spiral), who ended it, RFC 3261 §15.1.1
// (BYE), RFC 3326 (its Reason). Not covered: the fold and the tracker by themselves
// (call_fold_test, call_tracker_test).
#include <gtest/gtest.h>

#include "tests/core/core_harness.h"

namespace signalbox::core::testing {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;
using Lines = std::vector<std::string>;

struct RecordTest : ::testing::Test {
    World world;
    Phone& alice = world.stranger();
    Phone& bob = world.registered("bob", "198.51.100.20:5060");
    Phone& dora = world.registered("dora", "198.51.100.40:5060");
    Dialog at_caller, at_callee;

    void answer(Outgoing& call) {
        call.expect(100);
        const Incoming leg = bob.expects("INVITE");
        world.wait(seconds(2));
        bob.take_kinds();
        leg.answers(180);
        call.expect(180);
        world.wait(seconds(3));
        leg.answers(200);
        call.expect(200).ack();
        bob.expects("ACK");
        at_caller = call.dialog();
        at_callee = leg.dialog();
    }
};

using Record_Behaviour = RecordTest;
using Record_Rfc3261_15_1_1 = RecordTest;

TEST_F(Record_Behaviour, TellsWhoCalledWhomAndForHowLong) {
    RequestText request = alice.make("INVITE", bob.aor());
    request.from = "\"Alice \\\"A\\\"\" <sip:alice@elsewhere.test>;tag=a1";
    Outgoing call = alice.send(request);
    answer(call);
    world.wait(seconds(60));
    Outgoing bye = alice.send_in(at_caller, "BYE");
    bob.expects("BYE").answers(200);
    bye.expect(200);
    const auto records = world.records();
    ASSERT_EQ(records.size(), 1U);
    const ports::CallRecord& record = records[0];
    EXPECT_EQ(record.call_id, request.call_id);
    EXPECT_EQ(record.caller_tag, "a1");
    EXPECT_EQ(record.callee_tag, "bob-tag");
    EXPECT_EQ(record.from, "sip:alice@elsewhere.test");
    EXPECT_EQ(record.from_display, "Alice \"A\"");
    EXPECT_EQ(record.to, "sip:bob@example.test");
    EXPECT_EQ(record.request_uri, "sip:bob@example.test");
    EXPECT_EQ(record.user, "");
    EXPECT_EQ(record.source, "198.51.100.10:5060");
    EXPECT_EQ(record.contact, bob.contact());
    EXPECT_EQ(record.status, 200);
    EXPECT_EQ(record.ring_ms, 5000U);
    EXPECT_EQ(record.talk_ms, 60000U);
    EXPECT_EQ(record.ended_by, ports::EndedBy::Caller);
    EXPECT_EQ(record.reason, "BYE");
    EXPECT_EQ(record.node, 1U);
    ASSERT_TRUE(record.ringing && record.answered);
    EXPECT_EQ(*record.ringing - record.started, seconds(2));
    EXPECT_EQ(*record.answered - record.started, seconds(5));
}

TEST_F(Record_Rfc3261_15_1_1, AByeBeforeTheAnswerEndsTheCallForWhoSentIt) {
    Outgoing call = alice.invite(bob).expect(100);
    const Incoming leg = bob.expects("INVITE");
    leg.answers(180);
    call.expect(180);
    Dialog early = call.dialog();
    Outgoing bye = alice.send_in(early, "BYE");
    const Incoming at_bob = bob.expects("BYE");
    at_bob.answers(200);
    bye.expect(200);
    leg.answers(487);
    call.expect(487).ack();
    EXPECT_EQ(world.record_lines(), Lines{"487 Caller Request Terminated"});
}

TEST_F(Record_Rfc3261_15_1_1, The487MayOvertakeTheAnswerToTheBye) {
    Outgoing call = alice.invite(bob).expect(100);
    const Incoming leg = bob.expects("INVITE");
    leg.answers(180);
    call.expect(180);
    Dialog early = call.dialog();
    alice.send_in(early, "BYE");
    const Incoming at_bob = bob.expects("BYE");
    leg.answers(487);
    call.expect(487).ack();
    at_bob.answers(200);
    EXPECT_EQ(world.record_lines(), Lines{"487 Caller Request Terminated"});
}

TEST_F(Record_Rfc3261_15_1_1, AnotherFailureAfterAnEarlyByeIsTheCallees) {
    Outgoing call = alice.invite(bob).expect(100);
    const Incoming leg = bob.expects("INVITE");
    leg.answers(180);
    call.expect(180);
    Dialog early = call.dialog();
    alice.send_in(early, "BYE");
    bob.expects("BYE").answers(481);
    alice.expect(481);
    leg.answers(486);
    call.expect(486).ack();
    EXPECT_EQ(world.record_lines(), Lines{"486 Callee Busy Here"});
}

TEST_F(Record_Behaviour, AChallengeAndItsRetryAreOneCall) {
    Outgoing first = dora.invite(bob).expect(407);
    first.ack();
    EXPECT_TRUE(world.journal.empty());
    Outgoing call = dora.send(dora.with_credentials(first.request(), first.response(), "secret"));
    answer(call);
    dora.send_in(at_caller, "BYE");
    bob.expects("BYE").answers(200);
    const auto records = world.records();
    ASSERT_EQ(records.size(), 1U);
    EXPECT_EQ(records[0].user, "dora");
}

TEST_F(Record_Behaviour, AChallengeOfTheCalleeIsHeldForTheRetry) {
    Outgoing call = alice.invite(bob).expect(100);
    bob.expects("INVITE").answers(401, {"WWW-Authenticate: Digest realm=\"b\", nonce=\"1\""});
    call.expect(401).ack();
    bob.expects("ACK");
    EXPECT_TRUE(world.records().empty());
    RequestText again = call.request();
    again.via = alice.fresh_via();
    ++again.cseq;
    Outgoing second = alice.send(again);
    answer(second);
    alice.send_in(at_caller, "BYE");
    bob.expects("BYE").answers(200);
    EXPECT_EQ(world.record_lines(), Lines{"200 Caller BYE"});
    EXPECT_EQ(world.count(Counter::calls_started_total), 1U);
}

TEST_F(Record_Behaviour, AChallengeThatNobodyAnswersFailsTheCall) {
    Outgoing call = alice.invite(bob).expect(100);
    bob.expects("INVITE").answers(401, {"WWW-Authenticate: Digest realm=\"b\", nonce=\"1\""});
    call.expect(401).ack();
    world.wait(seconds(33));
    EXPECT_EQ(world.record_lines(), Lines{"401 Callee Unauthorized"});
}

TEST_F(Record_Behaviour, ASpiralIsOneCall) {
    Phone& forwarder = world.phone({"fwd", "example.test", "198.51.100.66:5060", {}, {}});
    world.bind("fwd", forwarder);
    Outgoing call = alice.send(alice.make("INVITE", "sip:fwd@example.test")).expect(100);
    const Incoming outer = forwarder.expects("INVITE");
    std::string text = outer.message().text();
    text.replace(text.find("sip:fwd@198.51.100.66:5060"), 26, "sip:bob@example.test");
    const std::string via = "Via: " + forwarder.fresh_via() + "\r\n";
    text.insert(text.find("Via:"), via);
    forwarder.send_text(text);
    forwarder.expect(100);
    const Incoming inner = bob.expects("INVITE");
    inner.answers(200);
    std::string ok = forwarder.expect(200).text();
    const size_t top = ok.find("Via:");
    ok.erase(top, ok.find("\r\n", top) + 2 - top);
    forwarder.send_text(ok);
    call.expect(200);
    EXPECT_EQ(world.count(Counter::calls_started_total), 1U);
    EXPECT_EQ(world.count(Counter::calls_answered_total), 1U);
    EXPECT_EQ(world.gauges().calls, 1U);
}

TEST_F(Record_Behaviour, ARefusalBeforeAuthenticationMakesNoRecord) {
    dora.invite(bob).expect(407);
    alice.send(alice.make("INVITE", "mailto:x@y.test")).expect(416);
    world.wait(seconds(64));
    EXPECT_TRUE(world.journal.empty());
}

TEST_F(Record_Behaviour, AFailureOfOursIsTheServers) {
    world.add_user(user_record("carol"));
    alice.send(alice.make("INVITE", "sip:carol@example.test")).expect(100).expect(480);
    EXPECT_EQ(world.record_lines(), Lines{"480 Server Temporarily Unavailable"});
}

TEST_F(Record_Rfc3261_15_1_1, AByeOfTheCalleeWithItsReason) {
    Outgoing call = alice.invite(bob);
    answer(call);
    RequestText bye = bob.make_in(at_callee, "BYE");
    bob.send(bye.with("Reason: Q.850;cause=16"));
    alice.expects("BYE").answers(200);
    EXPECT_EQ(world.record_lines(), Lines{"200 Callee Q.850;cause=16"});
}

TEST_F(Record_Rfc3261_15_1_1, ARefusedByeEndsTheCallAllTheSame) {
    Outgoing call = alice.invite(bob);
    answer(call);
    alice.send_in(at_caller, "BYE");
    bob.expects("BYE").answers(481);
    EXPECT_EQ(world.record_lines(), Lines{"200 Caller BYE"});
}

TEST_F(Record_Rfc3261_15_1_1, AChallengedByeDoesNotEndTheCall) {
    Outgoing call = alice.invite(bob);
    answer(call);
    Outgoing bye = alice.send_in(at_caller, "BYE");
    bob.expects("BYE").answers(401, {"WWW-Authenticate: Digest realm=\"b\", nonce=\"1\""});
    bye.expect(401);
    EXPECT_TRUE(world.records().empty());
    alice.send_in(at_caller, "BYE");
    bob.expects("BYE").answers(200);
    EXPECT_EQ(world.record_lines(), Lines{"200 Caller BYE"});
}

TEST_F(Record_Rfc3261_15_1_1, AByeThatIsRefusedForItsFormLeavesTheCall) {
    Outgoing call = alice.invite(bob);
    answer(call);
    Outgoing bye = alice.send_in(at_caller, "BYE");
    bob.expects("BYE").answers(500);
    bye.expect(500);
    EXPECT_TRUE(world.records().empty());
    EXPECT_EQ(world.gauges().calls, 1U);
}

TEST_F(Record_Rfc3261_15_1_1, AByeOfSomebodyWhoOnlyKnowsTheTagsEndsNoRecord) {
    Outgoing call = alice.invite(bob);
    answer(call);
    Phone& mallory = world.stranger();
    RequestText forged = mallory.make("BYE", bob.aor());
    forged.from = "<sip:x@elsewhere.test>;tag=" +
                  call.request().from.substr(call.request().from.find("tag=") + 4);
    forged.to = "<sip:bob@example.test>;tag=bob-tag";
    forged.call_id = call.request().call_id;
    forged.cseq = 99;
    mallory.send(forged);
    bob.expects("BYE").answers(481);
    EXPECT_TRUE(world.records().empty());
    EXPECT_EQ(world.gauges().calls, 1U);
}

TEST_F(Record_Rfc3261_15_1_1, AByeThatNobodyAnswersEndsTheCallWhenItWasSent) {
    Outgoing call = alice.invite(bob);
    answer(call);
    world.wait(seconds(10));
    alice.send_in(at_caller, "BYE");
    world.wait(seconds(40));
    const auto records = world.records();
    ASSERT_EQ(records.size(), 1U);
    EXPECT_EQ(records[0].talk_ms, 10000U);
}

TEST_F(Record_Behaviour, ACallWithoutAByeEndsAtItsLimit) {
    Outgoing call = alice.invite(bob);
    answer(call);
    world.wait(hours(24) - seconds(1));
    EXPECT_TRUE(world.records().empty());
    world.wait(seconds(2));
    EXPECT_EQ(world.record_lines(), Lines{"200 Server No BYE within call_max"});
    EXPECT_TRUE(world.is_empty());
}

}  // namespace
}  // namespace signalbox::core::testing
