// Covers: what is refused at which pressure and level, draws by Call-ID, drops, hysteresis of the
// levels, Retry-After. Pressure comes from the tables where a test wants an exact one, and from the
// queue where only that counts. Not covered: requests as a whole core meets them
// (tests/core/overload_test.cpp).
#include "overload/admission.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace signalbox::overload {
namespace {

using ports::OverloadLevel;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr std::string_view kNew = "INVITE sip:c@d SIP/2.0\r\nVia: x\r\n\r\n";
constexpr std::string_view kRouted = "INVITE sip:c@d SIP/2.0\r\nRoute: <sip:x>\r\n\r\n";

class AdmissionTest : public ::testing::Test {
 protected:
    /// The tables are so full that they press so hard, 0 to 1.
    void press_by_tables(double pressure) {
        now += kInterval;
        admission.update(now, settings, 0.9 + 0.08 * pressure);
    }
    /// The pressure of the queue becomes 0.08 times `intervals`.
    void press_by_queue(int intervals) {
        const int unheeded = admission.is_fading() ? 0 : static_cast<int>(kLasting / kInterval);
        for (int i = 0; i < unheeded + intervals; ++i) {
            admission.note(now, seconds(10));
            now += kInterval;
            admission.update(now, settings, 0);
        }
    }
    void be_calm(Duration duration) {
        for (const Instant end = now + duration; now < end;) {
            now += kInterval;
            admission.update(now, settings, 0);
        }
    }
    Verdict judge(Work work, const std::string& call_id, std::string_view bytes = kNew,
                  bool is_reliable = false) {
        return admission.judge(now, {work, call_id, branch, bytes, is_reliable});
    }
    /// How many of 1000 with different Call-IDs are taken.
    int taken(Work work) {
        int count = 0;
        for (int i = 0; i < 1000; ++i)
            count += judge(work, "call-" + std::to_string(i)) == Verdict::Take ? 1 : 0;
        branch += "x";  // the next time they are other requests
        return count;
    }
    uint64_t count(Counter counter) const { return counters.value(counter); }

    std::string branch = "z9hG4bK1";
    Instant now{seconds(1000)};
    Random random{{1, 2}};
    Counters counters;
    ports::OverloadSettings settings;
    Admission admission{now, random, counters};
};

using Admission_Behaviour = AdmissionTest;
using AdmissionLevel_Behaviour = AdmissionTest;
using RetryAfter_Rfc3261_21_5_4 = AdmissionTest;

TEST_F(Admission_Behaviour, TakesEverythingWithoutPressure) {
    press_by_tables(0);
    for (const Work work : {Work::Emergency, Work::Call, Work::Registration, Work::Optional})
        EXPECT_EQ(taken(work), 1000);
    EXPECT_EQ(admission.level(), OverloadLevel::Normal);
}

TEST_F(Admission_Behaviour, RefusesWhatIsOptionalFirstAndByShares) {
    press_by_tables(0.125);
    EXPECT_NEAR(taken(Work::Optional), 500, 60);
    EXPECT_EQ(taken(Work::Registration), 1000);
    EXPECT_EQ(taken(Work::Call), 1000);
    press_by_tables(0.2);
    EXPECT_EQ(taken(Work::Optional), 0);
    EXPECT_GE(taken(Work::Call), 999);
}

TEST_F(Admission_Behaviour, RefusesRegistrationsBeforeCalls) {
    press_by_tables(0.4);
    EXPECT_NEAR(taken(Work::Registration), 500, 60);
    EXPECT_NEAR(taken(Work::Call), 750, 60);
    press_by_tables(0.6);
    EXPECT_EQ(taken(Work::Registration), 0);
    EXPECT_NEAR(taken(Work::Call), 500, 60);
}

TEST_F(Admission_Behaviour, RefusesEveryCallAtFullPressureButNoEmergencyCall) {
    press_by_tables(1);
    EXPECT_EQ(taken(Work::Call), 0);
    EXPECT_EQ(taken(Work::Emergency), 1000);
    EXPECT_EQ(count(Counter::overload_calls_refused_total), 1000U);
    EXPECT_EQ(count(Counter::overload_emergency_calls_taken_total), 1000U);
}

TEST_F(Admission_Behaviour, CountsEachRefusalByItsKindAndReason) {
    press_by_tables(1);
    judge(Work::Optional, "a");
    judge(Work::Registration, "b");
    judge(Work::Call, "c");
    EXPECT_EQ(count(Counter::overload_optional_refused_total), 1U);
    EXPECT_EQ(count(Counter::overload_registrations_refused_total), 1U);
    EXPECT_EQ(count(Counter::overload_calls_refused_total), 1U);
    EXPECT_EQ(count(Counter::overload_refused_tables_total), 3U);
    be_calm(seconds(5));
    press_by_queue(8);
    judge(Work::Optional, "a");
    EXPECT_EQ(count(Counter::overload_optional_refused_total), 2U);
    EXPECT_EQ(count(Counter::overload_refused_tables_total), 3U);
}

TEST_F(Admission_Behaviour, GivesRepeatedRequestsAndSecondTriesTheSameFate) {
    press_by_tables(0.6);
    for (int i = 0; i < 200; ++i) {
        const std::string call_id = "call-" + std::to_string(i);
        branch = "z9hG4bK1";
        const Verdict first = judge(Work::Call, call_id);
        EXPECT_EQ(judge(Work::Call, call_id), first);
        branch = "z9hG4bK2";  // with credentials
        EXPECT_EQ(judge(Work::Call, call_id), first);
    }
}

TEST_F(Admission_Behaviour, DoesNotRefuseTheSameCallIdForEver) {
    press_by_tables(0.6);
    std::set<Verdict> verdicts;
    for (int i = 0; i < 20; ++i, now += seconds(32)) {
        branch = "z9hG4bK" + std::to_string(i);
        verdicts.insert(judge(Work::Call, "phone"));
    }
    EXPECT_EQ(verdicts.size(), 2U);
}

TEST_F(Admission_Behaviour, ACopyOfWhatWasRefusedIsRefusedWhenThePressureHasFallen) {
    press_by_tables(1);
    EXPECT_EQ(judge(Work::Call, "a"), Verdict::Refuse);
    press_by_tables(0);
    EXPECT_EQ(judge(Work::Call, "a"), Verdict::Refuse);
    EXPECT_EQ(judge(Work::Call, "b"), Verdict::Take);
    branch = "z9hG4bK2";  // its sender tries again
    EXPECT_EQ(judge(Work::Call, "a"), Verdict::Take);
    branch = "z9hG4bK1";
    now += seconds(34);
    EXPECT_EQ(judge(Work::Call, "a"), Verdict::Take);
}

TEST_F(Admission_Behaviour, DropsUnreadOnlyAtTheHighestPressureOfTheQueue) {
    press_by_queue(11);
    for (int i = 0; i < 100; ++i) EXPECT_FALSE(admission.drops_unread(kNew));
    press_by_queue(21);
    EXPECT_EQ(admission.level(), OverloadLevel::Survive);
    EXPECT_TRUE(admission.drops_unread(kNew));
    EXPECT_FALSE(admission.drops_unread(kRouted));
    EXPECT_FALSE(admission.drops_unread("INVITE urn:service:sos SIP/2.0\r\nVia: x\r\n\r\n"));
    EXPECT_FALSE(admission.drops_unread("BYE sip:c@d SIP/2.0\r\nVia: x\r\n\r\n"));
    EXPECT_FALSE(admission.drops_unread("SIP/2.0 200 OK\r\nVia: x\r\n\r\n"));
    EXPECT_EQ(count(Counter::overload_dropped_unread_total), 1U);
}

TEST_F(Admission_Behaviour, DropsAShareAndRefusesTheRest) {
    press_by_queue(13);  // the excess rises by 0.012 and by 0.06
    int dropped = 0;
    for (int i = 0; i < 1000; ++i) dropped += admission.drops_unread(kNew) ? 1 : 0;
    EXPECT_NEAR(dropped, 72, 30);
}

TEST_F(Admission_Behaviour, DropsNothingBecauseOfTheTables) {
    press_by_tables(1);
    for (int i = 0; i < 100; ++i) EXPECT_FALSE(admission.drops_unread(kNew));
    EXPECT_EQ(judge(Work::Call, "a", kRouted), Verdict::Refuse);
}

TEST_F(Admission_Behaviour, ARouteThatProvesNothingBuysNoAnswer) {
    press_by_queue(32);
    EXPECT_EQ(judge(Work::Call, "a", kRouted), Verdict::Drop);
    EXPECT_EQ(count(Counter::overload_dropped_unanswered_total), 1U);
    EXPECT_EQ(judge(Work::Call, "a", kRouted, true), Verdict::Refuse);
    EXPECT_EQ(judge(Work::Call, "a", kNew), Verdict::Refuse);
}

TEST_F(Admission_Behaviour, TurnedOffOnlyTheTablesCount) {
    settings.is_enabled = false;
    press_by_queue(13);
    EXPECT_EQ(taken(Work::Optional), 1000);
    EXPECT_EQ(admission.level(), OverloadLevel::Normal);
    press_by_tables(1);
    EXPECT_EQ(taken(Work::Call), 0);
}

TEST_F(AdmissionLevel_Behaviour, IsNamedAfterWhatIsGivenUp) {
    press_by_tables(0.04);
    EXPECT_EQ(admission.level(), OverloadLevel::Normal);
    press_by_tables(0.1);
    EXPECT_EQ(admission.level(), OverloadLevel::ShedOptional);
    press_by_tables(0.3);
    EXPECT_EQ(admission.level(), OverloadLevel::ShedCalls);
    press_by_tables(1);
    EXPECT_EQ(admission.level(), OverloadLevel::ShedCalls);
    press_by_queue(32);
    EXPECT_EQ(admission.level(), OverloadLevel::Survive);
    EXPECT_EQ(ports::level_name(admission.level()), "survive");
}

TEST_F(AdmissionLevel_Behaviour, IsKeptForASecondAfterThePressureFell) {
    press_by_tables(0.3);
    press_by_tables(0);
    for (int i = 0; i < 48; ++i) press_by_tables(0);
    EXPECT_EQ(admission.level(), OverloadLevel::ShedCalls);
    press_by_tables(0);
    press_by_tables(0);
    EXPECT_EQ(admission.level(), OverloadLevel::Normal);
}

TEST_F(AdmissionLevel_Behaviour, StaysWhileThePressureSwingsAroundItsBorder) {
    int changes = 0;
    OverloadLevel last = admission.level();
    for (int i = 0; i < 1000; ++i) {
        press_by_tables(i % 2 == 0 ? 0.21 : 0.17);
        if (admission.level() != last) ++changes;
        last = admission.level();
    }
    EXPECT_EQ(changes, 1);
}

TEST_F(AdmissionLevel_Behaviour, IsKeptWhileThePressureIsJustBelowItsBorder) {
    press_by_tables(0.3);
    for (int i = 0; i < 200; ++i) press_by_tables(0.18);
    EXPECT_EQ(admission.level(), OverloadLevel::ShedCalls);
    for (int i = 0; i < 200; ++i) press_by_tables(0.14);
    EXPECT_EQ(admission.level(), OverloadLevel::ShedOptional);
}

TEST_F(AdmissionLevel_Behaviour, ReturnsToNormalWithinThreeSecondsOfCalm) {
    press_by_queue(32);
    EXPECT_TRUE(admission.is_fading());
    be_calm(seconds(3));
    EXPECT_EQ(admission.level(), OverloadLevel::Normal);
    EXPECT_EQ(taken(Work::Optional), 1000);
    be_calm(seconds(3));
    EXPECT_FALSE(admission.is_fading());
}

TEST_F(RetryAfter_Rfc3261_21_5_4, IsDrawnBetweenTheSettingAndTwiceOfIt) {
    settings.retry_after_s = 5;
    std::set<uint32_t> drawn;
    for (int i = 0; i < 1000; ++i) drawn.insert(admission.retry_after_s(settings));
    EXPECT_EQ(drawn, (std::set<uint32_t>{5, 6, 7, 8, 9, 10}));
}

}  // namespace
}  // namespace signalbox::overload
