// Sessions that end by themselves, seen by a proxy that only watches.
// Covers: RFC 4028 §5 (422 and Min-SE pass), §7.2, §7.4, §8.2 (a proxy that asks for nothing), §10.
// Not covered: a proxy's own wish for a session timer (§8.1), which is its choice.
#include <gtest/gtest.h>

#include "tests/core/core_harness.h"

namespace signalbox::core::testing {
namespace {

using std::chrono::seconds;
using Lines = std::vector<std::string>;

struct SessionTest : ::testing::Test {
    World world;
    Phone& alice = world.stranger();
    Phone& bob = world.registered("bob", "198.51.100.20:5060");
    Dialog at_caller, at_callee;

    void answer(const Lines& lines) {
        Outgoing call = alice.invite(bob).expect(100);
        const Incoming leg = bob.expects("INVITE");
        leg.answers(200, lines);
        call.expect(200).ack();
        bob.expects("ACK");
        at_caller = call.dialog();
        at_callee = leg.dialog();
    }
    void refresh(Phone& from, Dialog& dialog, Phone& to, std::string_view method,
                 const Lines& lines) {
        Outgoing sent = from.send_in(dialog, method);
        if (method == "INVITE") sent.expect(100);
        to.expects(method).answers(200, lines);
        sent.expect(200);
        if (method == "INVITE") {
            sent.ack();
            to.expects("ACK");
        }
    }
};

using Session_Rfc4028_5 = SessionTest;
using Session_Rfc4028_8_2 = SessionTest;
using Session_Rfc4028_10 = SessionTest;

TEST_F(Session_Rfc4028_10, ACallWhoseSessionExpiresEndsInTheRecordAndLeavesNothing) {
    answer({"Session-Expires: 600;refresher=uas"});
    world.wait(seconds(599));
    EXPECT_EQ(world.gauges().calls, 1U);
    world.wait(seconds(1));
    EXPECT_EQ(world.record_lines(), Lines{"200 Server Session expired"});
    EXPECT_TRUE(world.is_empty());
    EXPECT_TRUE(alice.is_silent() && bob.is_silent());
}

TEST_F(Session_Rfc4028_10, AnUpdateOrAReInviteFromEitherSideProlongsIt) {
    const Lines granted{"Session-Expires: 600"};
    answer(granted);
    for (int i = 0; i < 3; ++i) {
        world.wait(seconds(500));
        refresh(bob, at_callee, alice, "UPDATE", granted);
        world.wait(seconds(500));
        refresh(alice, at_caller, bob, "INVITE", granted);
    }
    world.wait(seconds(599));
    EXPECT_TRUE(world.records().empty());
    world.wait(seconds(1));
    EXPECT_EQ(world.record_lines(), Lines{"200 Server Session expired"});
}

TEST_F(Session_Rfc4028_10, ARefreshThatIsRefusedProlongsNothing) {
    answer({"Session-Expires: 600"});
    world.wait(seconds(300));
    Outgoing sent = alice.send_in(at_caller, "UPDATE");
    bob.expects("UPDATE").answers(500);
    sent.expect(500);
    world.wait(seconds(300));
    EXPECT_EQ(world.record_lines(), Lines{"200 Server Session expired"});
}

TEST_F(Session_Rfc4028_10, AnotherRequestIsNoRefresh) {
    answer({"Session-Expires: 600"});
    world.wait(seconds(300));
    refresh(alice, at_caller, bob, "INFO", {"Session-Expires: 600"});
    world.wait(seconds(300));
    EXPECT_EQ(world.record_lines(), Lines{"200 Server Session expired"});
}

TEST_F(Session_Rfc4028_10, ARefreshWithoutAnIntervalEndsTheTimer) {
    answer({"Session-Expires: 600"});
    refresh(alice, at_caller, bob, "UPDATE", {});
    world.wait(seconds(6000));
    EXPECT_EQ(world.gauges().calls, 1U);
}

TEST_F(Session_Rfc4028_10, AByeInTimeIsAnOrdinaryEnd) {
    answer({"Session-Expires: 600"});
    world.wait(seconds(100));
    refresh(alice, at_caller, bob, "BYE", {});
    EXPECT_EQ(world.record_lines(), Lines{"200 Caller BYE"});
    world.wait(seconds(1000));
    EXPECT_TRUE(world.records().empty());
}

TEST_F(Session_Rfc4028_10, WhoOnlyKnowsTheTagsShortensNobodysSession) {
    answer({"Session-Expires: 3600"});
    Phone& mallory = world.stranger("mallory", "203.0.113.66:5060");
    Phone& accomplice = world.registered("eve", "203.0.113.67:5060");
    RequestText forged = mallory.make("INVITE", accomplice.aor());
    forged.from = at_caller.local;
    forged.call_id = at_caller.call_id;
    Outgoing call = mallory.send(forged);
    accomplice.expects("INVITE").answers(200, {"Session-Expires: 90"});
    world.wait(seconds(3599));
    EXPECT_TRUE(world.records().empty());
}

TEST_F(Session_Rfc4028_8_2, TheTimersAreTheUserAgents) {
    RequestText request = alice.make("INVITE", bob.aor());
    request.with("Session-Expires: 1800;refresher=uac")
        .with("Min-SE: 120")
        .with("Supported: timer");
    Outgoing call = alice.send(request).expect(100);
    const Incoming leg = bob.expects("INVITE");
    EXPECT_EQ(leg.message().header("Session-Expires"), "1800;refresher=uac");
    EXPECT_EQ(leg.message().header("Min-SE"), "120");
    EXPECT_EQ(leg.message().header("Supported"), "timer");
    leg.answers(200, {"Session-Expires: 900;refresher=uas", "Require: timer"});
    call.expect(200);
    EXPECT_EQ(call.response().header("Session-Expires"), "900;refresher=uas");
    EXPECT_EQ(call.response().header("Require"), "timer");
}

TEST_F(Session_Rfc4028_5, ATooSmallIntervalIsForTheCallersToMend) {
    RequestText request = alice.make("INVITE", bob.aor());
    Outgoing call = alice.send(request.with("Session-Expires: 90")).expect(100);
    bob.expects("INVITE").answers(422, {"Min-SE: 3600"});
    bob.expects("ACK");
    EXPECT_EQ(call.expect(422).response().header("Min-SE"), "3600");
    call.ack();
}

}  // namespace
}  // namespace signalbox::core::testing
