// Named calls through the whole server: what each phone sees and what the record says.
// Covers: RFC 3261 §9, §13 to §16 as seen from the phones. Not covered here: single transactions
// and steps, which have unit tests.
#include <gmock/gmock.h>

#include "tests/sim/stage.h"

namespace signalbox::sim {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

TEST(BasicCall_Rfc3261_13, IsAnsweredAndEndsWithTheCallersBye) {
    Stage stage;
    Phone& alice = stage.add("alice");
    Phone& bob = stage.add("bob", Answer::Accept);
    stage.begin();
    alice.call(to_bob());
    stage.run(seconds(30));

    ASSERT_EQ(alice.reports().size(), 1U);
    EXPECT_EQ(alice.reports()[0].final_status, 200);
    EXPECT_EQ(bob.calls_received(), 1U);
    EXPECT_EQ(bob.byes_received(), 1U);
    EXPECT_EQ(alice.dialogs_up() + bob.dialogs_up(), 0U);
    stage.end();
    const ports::CallRecord& record = stage.only_record();
    EXPECT_EQ(record.status, 200);
    EXPECT_EQ(record.user, "alice");
    EXPECT_EQ(record.ended_by, ports::EndedBy::Caller);
    EXPECT_NEAR(static_cast<double>(record.talk_ms), 5000, 20);
    EXPECT_TRUE(record.ringing.has_value());
}

TEST(BasicCall_Rfc3261_13, EndsWithTheCalleesBye) {
    Stage stage;
    Phone& alice = stage.add("alice");
    PhoneConfig config = stage.phone_of("bob");
    config.style.hang_up_permille = 1000;
    config.style.talk_max = seconds(2);
    Phone& bob = stage.add(config);
    stage.begin();
    CallPlan plan = to_bob();
    plan.hangs_up = false;
    alice.call(plan);
    stage.run(seconds(30));

    EXPECT_EQ(alice.byes_received(), 1U);
    EXPECT_EQ(bob.dialogs_up(), 0U);
    stage.end();
    EXPECT_EQ(stage.only_record().ended_by, ports::EndedBy::Callee);
}

TEST(BasicCall_Rfc3261_14, IsModifiedByReInvitesOnItsWay) {
    Stage stage;
    Phone& alice = stage.add("alice");
    Phone& bob = stage.add("bob", Answer::Accept);
    stage.begin();
    CallPlan plan = to_bob();
    plan.reinvites = 3;
    alice.call(plan);
    stage.run(seconds(30));

    EXPECT_EQ(bob.requests_received(), 5U);  // INVITE, three more, BYE
    EXPECT_EQ(bob.calls_received(), 1U);
    stage.end();
    EXPECT_EQ(stage.only_record().status, 200);
}

TEST(RefusedCall_Rfc3261_21, BusyReachesTheCallerAndTheRecord) {
    Stage stage;
    Phone& alice = stage.add("alice");
    stage.add("bob", Answer::Busy);
    stage.begin();
    alice.call(to_bob());
    stage.run(seconds(10));

    EXPECT_EQ(alice.reports().at(0).final_status, 486);
    stage.end();
    EXPECT_EQ(stage.only_record().status, 486);
    EXPECT_EQ(stage.only_record().ended_by, ports::EndedBy::Callee);
}

TEST(RefusedCall_Rfc3261_21, DeclineOfOnePhoneStopsTheOthers) {
    Stage stage;
    Phone& alice = stage.add("alice");
    stage.add("bob", Answer::Decline);
    Phone& other = stage.add("bob", Answer::RingForever);
    stage.begin();
    alice.call(to_bob());
    stage.run(seconds(10));

    EXPECT_EQ(alice.reports().at(0).final_status, 603);
    EXPECT_EQ(other.cancels_received(), 1U);
    stage.end();
}

TEST(RefusedCall_Rfc3261_16_7, ASilentPhoneBecomesARequestTimeout) {
    Stage stage;
    Phone& alice = stage.add("alice");
    stage.add("bob", Answer::Silent);
    stage.begin();
    alice.call(to_bob());
    stage.run(seconds(40));

    EXPECT_EQ(alice.reports().at(0).final_status, 408);
    stage.end();
    EXPECT_EQ(stage.only_record().status, 408);
}

TEST(RefusedCall_Rfc3261_16_5, AUserWithoutAPhoneIsUnavailable) {
    Stage stage;
    Phone& alice = stage.add("alice");
    stage.begin();
    alice.call(to_bob());
    stage.run(seconds(10));

    EXPECT_EQ(alice.reports().at(0).final_status, 480);
    stage.end();
}

TEST(TimerC_Rfc3261_16_8, EndsACallThatRingsForever) {
    WorldSetup setup;
    setup.settings.timers.c = seconds(20);
    Stage stage(setup);
    Phone& alice = stage.add("alice");
    Phone& bob = stage.add("bob", Answer::RingForever);
    stage.begin();
    alice.call(to_bob());
    stage.run(seconds(30));

    EXPECT_EQ(bob.cancels_received(), 1U);
    EXPECT_THAT(alice.reports().at(0).final_status, testing::AnyOf(408, 487));
    stage.end();
}

TEST(Fork_Rfc3261_16_7, RingsEveryPhoneAndCancelsTheSlowOnes) {
    Stage stage;
    Phone& alice = stage.add("alice");
    Phone& fast = stage.add("bob", Answer::Accept);
    Phone& slow = stage.add("bob", Answer::RingForever);
    Phone& busy = stage.add("bob", Answer::Busy);
    stage.begin();
    alice.call(to_bob());
    stage.run(seconds(20));

    EXPECT_EQ(alice.reports().at(0).final_status, 200);
    EXPECT_EQ(fast.calls_received(), 1U);
    EXPECT_EQ(slow.cancels_received(), 1U);
    EXPECT_EQ(busy.calls_received(), 1U);
    stage.end();
    EXPECT_EQ(stage.only_record().status, 200);
}

TEST(Fork_Rfc3261_16_7, PassesEverySimultaneousAnswer) {
    Stage stage;
    Phone& alice = stage.add("alice");
    for (int i = 0; i < 4; ++i) stage.add("bob", Answer::Accept);
    stage.begin();
    alice.call(to_bob());
    stage.run(seconds(30));

    EXPECT_EQ(alice.reports().at(0).answers, 4U);
    for (const auto& phone : stage.world().phones()) EXPECT_EQ(phone->dialogs_up(), 0U);
    stage.end();
    EXPECT_EQ(stage.only_record().status, 200);
}

TEST(Caller_Behaviour, WithTheWrongPasswordIsRefusedAndLeavesNoRecord) {
    Stage stage;
    stage.add("bob");
    stage.begin();
    PhoneConfig config = stage.phone_of("alice");
    config.password = "wrong";
    Phone& impostor = stage.add(config);
    impostor.call(to_bob());
    stage.run(seconds(10));

    EXPECT_EQ(impostor.reports().at(0).final_status, 407);
    stage.end();
    EXPECT_TRUE(stage.world().records().records().empty());
}

TEST(Caller_Behaviour, AStrangerReachesAUserButNobodyElse) {
    Stage stage;
    Phone& bob = stage.add("bob", Answer::Busy);
    stage.begin();
    PhoneConfig config = stage.phone_of("mallory");
    config.domain = "stranger.example.org";
    config.has_credentials = false;
    Phone& stranger = stage.add(config);
    stranger.call(to_bob());
    CallPlan foreign;
    foreign.target = "sip:frank@203.0.113.77:5060";
    stranger.call(foreign);
    stage.run(seconds(10));

    EXPECT_EQ(bob.calls_received(), 1U);
    EXPECT_EQ(stranger.reports().at(0).final_status, 486);
    EXPECT_THAT(stranger.reports().at(1).final_status, testing::AnyOf(403, 407));
    stage.end();
}

TEST(OtherRequests_Rfc4320_4, ASlowAnswerPassesAndASilentOneNeverBecomesA408) {
    Stage stage;
    Phone& alice = stage.add("alice");
    PhoneConfig config = stage.phone_of("bob");
    config.style.replies = {Reply::Progress};
    stage.add(config);
    stage.begin();
    alice.send_request("MESSAGE", "sip:bob@example.test");
    stage.run(seconds(20));
    EXPECT_EQ(alice.last_request_status(), 200);

    PhoneConfig silent = stage.phone_of("alice");
    silent.style.replies = {Reply::Silent};
    Phone& second = stage.add(silent);
    second.register_contact();
    alice.unregister();
    stage.run(seconds(2));
    alice.send_request("MESSAGE", "sip:alice@example.test");
    stage.run(seconds(60));
    EXPECT_EQ(alice.last_request_status(), 408);  // the phone's own Timer F
    stage.end();
}

TEST(OtherRequests_Rfc3261_11, OptionsForTheServerItselfIsAnswered) {
    Stage stage;
    Phone& alice = stage.add("alice");
    stage.begin();
    alice.send_request("OPTIONS", "sip:example.test");
    stage.run(seconds(2));
    EXPECT_EQ(alice.last_request_status(), 200);
    stage.end();
}

TEST(Nat_Behaviour, APhoneBehindOneIsReachedByItsFlow) {
    Stage stage;
    Phone& alice = stage.add("alice");
    PhoneConfig config = stage.phone_of("bob");
    config.contact = Endpoint{IpAddress::v4(10, 0, 0, 1), 5062};
    config.endpoint.port = 33333;
    Phone& bob = stage.add(config);
    stage.begin();
    alice.call(to_bob());
    stage.run(seconds(20));

    EXPECT_EQ(bob.calls_received(), 1U);
    EXPECT_EQ(bob.byes_received(), 1U);
    stage.end();
}

/// The CANCEL meets the call at every moment of its life, in steps of 7 ms around its answer.
class CancelRace : public testing::TestWithParam<int> {};

TEST_P(CancelRace, EndsTheCallOnBothSides) {
    WorldSetup setup;
    setup.shards = 3;
    Stage stage(setup);
    Phone& alice = stage.add("alice");
    for (int i = 0; i < 2; ++i) {
        PhoneConfig config = stage.phone_of("bob");
        config.style.answer_after_min = config.style.answer_after_max = milliseconds(70);
        stage.add(config);
    }
    stage.begin();
    CallPlan plan = to_bob();
    plan.cancel_after = milliseconds(7 * GetParam());
    alice.call(plan);
    stage.run(seconds(40));

    const CallReport& report = alice.reports().at(0);
    EXPECT_FALSE(report.has_timed_out);
    EXPECT_THAT(report.final_status, testing::AnyOf(200, 487));
    for (const auto& phone : stage.world().phones()) EXPECT_EQ(phone->dialogs_up(), 0U);
    stage.end();
    EXPECT_EQ(stage.only_record().status, report.final_status);
}

INSTANTIATE_TEST_SUITE_P(Rfc3261_9, CancelRace, testing::Range(1, 18));

}  // namespace
}  // namespace signalbox::sim
