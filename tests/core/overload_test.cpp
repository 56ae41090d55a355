// Overload as a whole core meets it: what is refused, what never is, and how it ends.
// Covers: 503 with Retry-After (RFC 3261 §21.5.4), proofs by our Record-Route (§16.12), emergency
// services (RFC 5031 §4.2), retransmissions, drops of datagrams, tables, the level that is told.
// Not covered: shares and hysteresis (tests/overload/), the drivers' measurement of the wait.
#include <gmock/gmock.h>

#include "base/text.h"
#include "overload/queue_pressure.h"
#include "tests/core/core_harness.h"

namespace signalbox::core::testing {
namespace {

using ports::OverloadLevel;
using std::chrono::milliseconds;
using std::chrono::seconds;

struct OverloadTest : ::testing::Test {
    explicit OverloadTest(ports::Snapshot snapshot = default_snapshot())
        : world(std::move(snapshot)) {}

    /// Messages wait very long for so many intervals of 20 ms: the pressure becomes 0.08 times that
    /// number. It stays so while no time passes.
    void press(int intervals) {
        world.receive(alice.flow(), "\r\n\r\n");
        world.waited = seconds(10);
        const auto unheeded = static_cast<int>(overload::kLasting / overload::kInterval);
        for (int i = 0; i < unheeded + intervals; ++i) {
            world.now.monotonic += milliseconds(20);
            world.receive(alice.flow(), "\r\n\r\n");
        }
        world.waited = {};
    }
    void press_to_shed_optional() { press(2); }
    void press_to_shed_calls() { press(8); }
    void press_to_survive() { press(32); }

    /// A call that is up, and its caller's side of the dialog.
    Dialog answered_call() {
        Outgoing call = alice.invite(bob).expect(100);
        bob.expects("INVITE").answers(200);
        call.expect(200).ack();
        bob.expects("ACK");
        return call.dialog();
    }
    RequestText emergency_call() {
        RequestText request = alice.make("INVITE", "urn:service:sos.police");
        request.to = "<urn:service:sos.police>";
        return request;
    }
    uint64_t refused() const {
        return world.count(Counter::overload_optional_refused_total) +
               world.count(Counter::overload_registrations_refused_total) +
               world.count(Counter::overload_calls_refused_total);
    }
    OverloadLevel level() const { return world.gauges().overload_level; }

    World world;
    Phone& alice = world.stranger();
    Phone& bob = world.registered("bob", "198.51.100.20:5060");
    Phone& carol = world.stranger("carol", "198.51.100.30:5060", transport::Transport::Tcp);
};

using Overload_Behaviour = OverloadTest;
using Overload_Rfc3261_21_5_4 = OverloadTest;
using Overload_Rfc5031_4_2 = OverloadTest;

TEST_F(Overload_Behaviour, NothingIsRefusedWhileNothingWaits) {
    for (int i = 0; i < 20; ++i) {
        alice.send(alice.make("OPTIONS", "sip:example.test")).expect(200);
        world.wait(milliseconds(20));
    }
    EXPECT_EQ(level(), OverloadLevel::Normal);
    EXPECT_EQ(refused(), 0U);
}

TEST_F(Overload_Rfc3261_21_5_4, WhatIsOptionalIsRefusedFirst) {
    press(3);
    for (const char* method : {"OPTIONS", "SUBSCRIBE", "PUBLISH"}) {
        const Outgoing refused = alice.send(alice.make(method, "sip:example.test")).expect(503);
        const auto retry = text::to_u32(refused.response().header("Retry-After"));
        ASSERT_TRUE(retry.has_value());
        EXPECT_THAT(*retry, ::testing::AllOf(::testing::Ge(5U), ::testing::Le(10U)));
    }
    EXPECT_EQ(world.count(Counter::overload_optional_refused_total), 3U);
}

TEST_F(Overload_Behaviour, CallsGoOnWhileOnlyWhatIsOptionalIsShed) {
    press_to_shed_optional();
    EXPECT_EQ(level(), OverloadLevel::ShedOptional);
    for (int i = 0; i < 20; ++i) {
        alice.invite(bob).expect(100);
        bob.expects("INVITE");
    }
    EXPECT_EQ(world.count(Counter::overload_calls_refused_total), 0U);
}

TEST_F(Overload_Behaviour, ARegisterIsRefusedBeforeItsChallenge) {
    press_to_shed_calls();
    bob.send(bob.registration()).expect(503);
    EXPECT_EQ(world.count(Counter::overload_registrations_refused_total), 1U);
    EXPECT_EQ(world.count(Counter::auth_challenges_total), 0U);
}

TEST_F(Overload_Rfc3261_21_5_4, TheAckOfARefusalEndsHere) {
    press_to_shed_calls();
    int count = 0;
    for (int i = 0; i < 40; ++i) {
        Outgoing call = alice.invite(bob);
        if (alice.take_kinds() == "100") continue;
        ++count;
        alice.send(call.request()).expect(503).ack();
    }
    EXPECT_GT(count, 5);
    EXPECT_LT(count, 35);
    EXPECT_EQ(world.count(Counter::stray_acks_dropped_total), 0U);
    EXPECT_EQ(world.gauges().server_transactions, static_cast<uint64_t>(40 - count));
}

TEST_F(Overload_Behaviour, ADialogThatOurRouteProvesGoesOnAtEveryLevel) {
    Dialog dialog = answered_call();
    press_to_survive();
    EXPECT_EQ(level(), OverloadLevel::Survive);
    Outgoing again = alice.send_in(dialog, "INVITE").expect(100);
    bob.expects("INVITE").answers(200);
    again.expect(200).ack();
    bob.expects("ACK");
    for (const char* method : {"UPDATE", "INFO", "MESSAGE", "OPTIONS", "BYE"}) {
        Outgoing request = alice.send_in(dialog, method);
        bob.expects(method).answers(200);
        request.expect(200);
    }
    EXPECT_EQ(refused(), 0U);
    EXPECT_EQ(world.record_lines(), std::vector<std::string>{"200 Caller BYE"});
}

TEST_F(Overload_Behaviour, ACallInProgressIsAnsweredAndCancelledAtEveryLevel) {
    Outgoing first = alice.invite(bob).expect(100);
    const Incoming leg = bob.expects("INVITE");
    Outgoing second = alice.invite(bob).expect(100);
    const Incoming other = bob.expects("INVITE");
    press_to_survive();
    leg.answers(180);
    first.expect(180);
    leg.answers(200);
    first.expect(200).ack();
    bob.expects("ACK");
    other.answers(180);
    second.expect(180).cancel();
    alice.expect(200);
    bob.expects("CANCEL");
    EXPECT_EQ(refused(), 0U);
}

TEST_F(Overload_Behaviour, ARouteOfAnotherDialogProvesNothing) {
    Dialog dialog = answered_call();
    press_to_shed_calls();
    dialog.call_id = "forged";
    alice.send_in(dialog, "OPTIONS").expect(503);
    EXPECT_TRUE(bob.is_silent());
}

TEST_F(Overload_Behaviour, ARouteThatProvesNothingIsNotEvenAnsweredWhenItIsWorst) {
    Dialog dialog = answered_call();
    press_to_survive();
    dialog.call_id = "forged";
    alice.send_in(dialog, "INVITE");
    EXPECT_TRUE(alice.is_silent());
    EXPECT_TRUE(bob.is_silent());
    EXPECT_EQ(world.count(Counter::overload_dropped_unanswered_total), 1U);
}

TEST_F(Overload_Rfc5031_4_2, EmergencyCallsAreTakenAtEveryLevel) {
    alice.send(emergency_call());
    const std::string calm = alice.take_kinds();
    EXPECT_NE(calm, "");
    press_to_survive();
    for (int i = 0; i < 20; ++i) {
        alice.send(emergency_call());
        EXPECT_EQ(alice.take_kinds(), calm);
    }
    EXPECT_EQ(world.count(Counter::overload_emergency_calls_taken_total), 20U);
}

TEST_F(Overload_Behaviour, WhatWasAdmittedIsNotRefusedWhenItComesAgain) {
    std::vector<Outgoing> calls;
    for (int i = 0; i < 20; ++i) {
        calls.push_back(alice.invite(bob).expect(100));
        bob.expects("INVITE");
    }
    press_to_shed_calls();
    for (Outgoing& call : calls) call.retransmit().expect(100);
    EXPECT_EQ(refused(), 0U);
    EXPECT_TRUE(bob.is_silent());
}

TEST_F(Overload_Behaviour, NewDatagramsAreDroppedUnreadWhenItIsWorstAndStreamsAreAnswered) {
    press_to_survive();
    alice.invite(bob);
    EXPECT_TRUE(alice.is_silent());
    EXPECT_EQ(world.count(Counter::overload_dropped_unread_total), 1U);
    carol.invite(bob).expect(503);
    EXPECT_TRUE(bob.is_silent());
}

TEST_F(Overload_Behaviour, ItEndsByItselfWithinThreeSeconds) {
    press_to_survive();
    world.wait(seconds(3));
    EXPECT_EQ(level(), OverloadLevel::Normal);
    for (int i = 0; i < 20; ++i) alice.invite(bob).expect(100);
    alice.send(alice.make("OPTIONS", "sip:example.test")).expect(200);
}

TEST_F(Overload_Behaviour, EachChangeOfLevelIsToldOnce) {
    press_to_survive();
    world.wait(seconds(3));
    std::vector<std::pair<OverloadLevel, OverloadLevel>> told;
    for (const auto& change : world.level_changes) told.push_back({change.from, change.to});
    const std::vector<std::pair<OverloadLevel, OverloadLevel>> expected{
        {OverloadLevel::Normal, OverloadLevel::ShedOptional},
        {OverloadLevel::ShedOptional, OverloadLevel::ShedCalls},
        {OverloadLevel::ShedCalls, OverloadLevel::Survive},
        {OverloadLevel::Survive, OverloadLevel::Normal}};
    EXPECT_EQ(told, expected);
    EXPECT_EQ(world.count(Counter::overload_level_changes_total), 4U);
}

TEST_F(Overload_Behaviour, ARefusalKeepsNothing) {
    press_to_shed_calls();
    for (int i = 0; i < 200; ++i) alice.send(alice.make("OPTIONS", "sip:bob@example.test"));
    EXPECT_EQ(alice.take_kinds().size(), 200U * 4 - 1);
    EXPECT_TRUE(world.is_empty());
    EXPECT_TRUE(world.records().empty());
}

TEST_F(Overload_Behaviour, AWarmRefusalTakesNothingFromTheAllocator) {
    press_to_shed_calls();
    const auto refuse_some = [&] {
        for (int i = 0; i < 100; ++i) alice.send(alice.make("OPTIONS", "sip:bob@example.test"));
        alice.take_kinds();
    };
    refuse_some();
    world.core_allocations = 0;
    refuse_some();
    EXPECT_EQ(world.core_allocations, 0U);
}

struct OverloadOffTest : OverloadTest {
    static ports::Snapshot off() {
        ports::Snapshot snapshot = default_snapshot();
        snapshot.overload.is_enabled = false;
        return snapshot;
    }
    OverloadOffTest() : OverloadTest(off()) {}
};
using OverloadOff_Behaviour = OverloadOffTest;

TEST_F(OverloadOff_Behaviour, TakesEverythingHoweverLate) {
    press_to_survive();
    alice.send(alice.make("OPTIONS", "sip:example.test")).expect(200);
    alice.invite(bob).expect(100);
    EXPECT_EQ(level(), OverloadLevel::Normal);
}

struct FullTablesTest : OverloadTest {
    static ports::Snapshot small() {
        ports::Snapshot snapshot = default_snapshot();
        snapshot.limits.transactions_max = 100;
        return snapshot;
    }
    FullTablesTest() : OverloadTest(small()) {}

    /// Calls that ring until no more are admitted; returns how many there are.
    int fill() {
        for (int calls = 0; calls < 200; ++calls) {
            world.now.monotonic += milliseconds(20);
            Outgoing call = alice.invite(bob);
            const std::string answer = alice.take_kinds();
            if (answer == "503" && world.count(Counter::overload_calls_refused_total) > 20)
                return calls;
            bob.take_kinds();
        }
        return 200;
    }
};
using FullTables_Behaviour = FullTablesTest;

TEST_F(FullTables_Behaviour, NewCallsAreRefusedBeforeNothingIsLeftForThoseInProgress) {
    Dialog dialog = answered_call();
    fill();
    EXPECT_EQ(world.count(Counter::transactions_refused_limit_total), 0U);
    EXPECT_EQ(world.count(Counter::overload_refused_tables_total), refused());
    EXPECT_EQ(level(), OverloadLevel::ShedCalls);
    Outgoing bye = alice.send_in(dialog, "BYE");
    bob.expects("BYE").answers(200);
    bye.expect(200);
}

}  // namespace
}  // namespace signalbox::core::testing
