// Phones of one user that are tried in groups, and the races between an answer, the end of a
// group's time and the caller's CANCEL.
// Covers: RFC 3261 §16.6, §16.7 steps 5 and 10, §9.1 as seen from the phones. Not covered: other
// orders over many seeds (seeds_test draws them).
#include <gmock/gmock.h>

#include "tests/sim/stage.h"

namespace signalbox::sim {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

WorldSetup one_by_one() {
    WorldSetup setup;
    setup.settings.forking.order = ports::ForkOrder::Sequential;
    setup.settings.forking.ring_time = seconds(2);
    return setup;
}

/// Bob's phone of quality `q`.
PhoneConfig phone(Stage& stage, Answer answer, uint16_t q, Duration answers_after = seconds(1)) {
    PhoneConfig config = stage.phone_of("bob");
    config.style.answers = {answer};
    config.style.answer_after_min = config.style.answer_after_max = answers_after;
    config.q = q;
    return config;
}

TEST(SequentialFork_Rfc3261_16_6, ThePhonesRingInTurnUntilOneAnswers) {
    Stage stage(one_by_one());
    Phone& alice = stage.add("alice");
    Phone& last = stage.add(phone(stage, Answer::Accept, 100));
    Phone& first = stage.add(phone(stage, Answer::RingForever, 1000));
    Phone& second = stage.add(phone(stage, Answer::Busy, 500));
    stage.begin();
    alice.call(to_bob());
    stage.run(seconds(1));
    EXPECT_EQ(second.calls_received() + last.calls_received(), 0U);
    stage.run(seconds(20));
    EXPECT_EQ(alice.reports().at(0).final_status, 200);
    EXPECT_EQ(first.cancels_received(), 1U);
    EXPECT_EQ(second.calls_received(), 1U);
    EXPECT_EQ(last.byes_received(), 1U);
    stage.end();
    EXPECT_EQ(stage.only_record().status, 200);
}

TEST(SequentialFork_Rfc3261_16_6, ASilentPhoneCostsItsTimeOnly) {
    Stage stage(one_by_one());
    Phone& alice = stage.add("alice");
    stage.add(phone(stage, Answer::Silent, 1000));
    stage.add(phone(stage, Answer::Accept, 500));
    stage.begin();
    alice.call(to_bob());
    stage.run(seconds(5));
    EXPECT_TRUE(alice.reports().at(0).answered.has_value());
    stage.run(seconds(40));
    stage.end();
}

TEST(SequentialFork_Rfc3261_16_6, NobodyAnsweringIsToldWhenAllHaveRung) {
    WorldSetup setup = one_by_one();
    setup.settings.timers.c = seconds(10);
    Stage stage(setup);
    Phone& alice = stage.add("alice");
    stage.add(phone(stage, Answer::RingForever, 1000));
    stage.add(phone(stage, Answer::RingForever, 500));
    stage.begin();
    alice.call(to_bob());
    stage.run(seconds(20));
    EXPECT_THAT(alice.reports().at(0).final_status, testing::AnyOf(408, 487));
    stage.end();
}

/// The first phone answers at every moment about the end of its time.
class LateAnswer : public testing::TestWithParam<int> {};

TEST_P(LateAnswer, ConnectsTheCallOnceOrTwiceButNeverLosesIt) {
    WorldSetup setup = one_by_one();
    setup.shards = 3;
    Stage stage(setup);
    Phone& alice = stage.add("alice");
    stage.add(phone(stage, Answer::Accept, 1000, milliseconds(1850 + 10 * GetParam())));
    stage.add(phone(stage, Answer::Accept, 500, milliseconds(30)));
    stage.begin();
    alice.call(to_bob());
    stage.run(seconds(40));
    EXPECT_EQ(alice.reports().at(0).final_status, 200);
    for (const auto& each : stage.world().phones()) EXPECT_EQ(each->dialogs_up(), 0U);
    stage.end();
    EXPECT_EQ(stage.only_record().status, 200);
}

INSTANTIATE_TEST_SUITE_P(Rfc3261_16_7_5, LateAnswer, testing::Range(0, 25));

/// The caller gives up at every moment about the passage from one phone to the next.
class GivingUp : public testing::TestWithParam<int> {};

TEST_P(GivingUp, LeavesNoPhoneRinging) {
    WorldSetup setup = one_by_one();
    setup.shards = 2;
    Stage stage(setup);
    Phone& alice = stage.add("alice");
    stage.add(phone(stage, Answer::RingForever, 1000));
    stage.add(phone(stage, Answer::Accept, 500, milliseconds(60)));
    stage.begin();
    CallPlan plan = to_bob();
    plan.cancel_after = milliseconds(1900 + 11 * GetParam());
    alice.call(plan);
    stage.run(seconds(60));
    EXPECT_THAT(alice.reports().at(0).final_status, testing::AnyOf(200, 487));
    for (const auto& each : stage.world().phones()) EXPECT_EQ(each->dialogs_up(), 0U);
    stage.end();
    EXPECT_EQ(stage.only_record().status, alice.reports().at(0).final_status);
}

INSTANTIATE_TEST_SUITE_P(Rfc3261_16_10, GivingUp, testing::Range(0, 25));

}  // namespace
}  // namespace signalbox::sim
