// What the tracker tells the journal: each thing once, whatever comes twice.
// Covers: RFC 3261 §8.1.3 (answers after which a caller tries again), §12, §15 as observed; RFC
// 4028 §10 as observed; limits;
// restarts. Not covered: which messages lead to which call (call_record_test of the core).
#include "cdr/call_tracker.h"

#include <gtest/gtest.h>

#include "cdr/call_fold.h"

namespace signalbox::cdr {
namespace {

using ports::EndedBy;
using ports::JournalEventKind;
using std::chrono::hours;
using std::chrono::seconds;

/// A tracker with all that it needs: one run of the server.
struct TrackerRun {
    Now now{Instant(seconds(100)), WallTime(seconds(1'700'000'000))};
    TimerWheel wheel{now.monotonic};
    BlockPool pool;
    Random random{{1, 2}};
    Counters counters;
    CallTracker tracker{{1, 2, 3}, wheel, pool, random, counters};
    CallFold fold;

    ports::Outbox out;

    /// The kinds of the events since the last call.
    std::string events() {
        std::string kinds;
        for (size_t i = 0; i < out.journal_count(); ++i) {
            const auto header = ports::decode_header(out.journal_event(i));
            kinds += "?SRAEBDH"[static_cast<size_t>(header->kind)];
            fold.apply(out.journal_event(i));
        }
        out.clear();
        return kinds;
    }
    CallHandle begin(std::string_view call_id = "c1", std::string_view tag = "a1") {
        CallStart start;
        start.call_id = call_id;
        start.caller_tag = tag;
        start.call_max = hours(2);
        return tracker.begin(now, start, out);
    }
    void wait(Duration duration) {
        now.monotonic += duration;
        now.wall += std::chrono::duration_cast<std::chrono::microseconds>(duration);
        TimerDue due;
        while (wheel.pop_due(now.monotonic, due)) tracker.on_timer(now, due, out);
    }
    /// What the journal would bring back after a kill.
    std::vector<ports::OpenCall> journalled_calls() {
        events();
        return fold.open_calls();
    }
    void take_up(const std::vector<ports::OpenCall>& calls) {
        for (const ports::OpenCall& call : calls) tracker.restore(now, call, hours(2));
    }
    ports::CallRecord ended() {
        events();
        const auto all = fold.take_ended();
        EXPECT_EQ(all.size(), 1U);
        return all.empty() ? ports::CallRecord{} : all[0].record();
    }
};

struct TrackerTest : ::testing::Test, TrackerRun {};

using CallTracker_Rfc4028_10 = TrackerTest;
using CallTracker_Behaviour = TrackerTest;
using CallTracker_Rfc3261_15_1_1 = TrackerTest;
using CallTracker_Rfc3261_8_1_3 = TrackerTest;

TEST_F(CallTracker_Rfc3261_15_1_1, WhoSaysByeBeforeTheAnswerEndsTheCall) {
    const CallHandle call = begin();
    tracker.bye_before_answer(call, EndedBy::Caller);
    tracker.failed(now, call, 487, EndedBy::Callee, "Request Terminated", out);
    EXPECT_EQ(ended().ended_by, EndedBy::Caller);
    const CallHandle busy = begin("c2");
    tracker.bye_before_answer(busy, EndedBy::Caller);
    tracker.failed(now, busy, 486, EndedBy::Callee, "Busy Here", out);
    EXPECT_EQ(ended().ended_by, EndedBy::Callee);
}

TEST_F(CallTracker_Behaviour, TellsEachThingOnce) {
    const CallHandle call = begin();
    tracker.ringing(now, call, 1, "x", out);
    tracker.ringing(now, call, 2, "y", out);
    tracker.answered(now, call, 1, "b1", "x", out);
    tracker.answered(now, call, 1, "b1", "x", out);
    tracker.ringing(now, call, 1, "x", out);
    EXPECT_EQ(events(), "SRA");
    tracker.dialog_ended(call, now, "b1", EndedBy::Caller, "BYE", out);
    EXPECT_EQ(events(), "E");
    tracker.dialog_ended(call, now, "b1", EndedBy::Caller, "BYE", out);
    tracker.answered(now, call, 1, "b1", "x", out);
    tracker.failed(now, call, 486, EndedBy::Callee, "", out);
    EXPECT_EQ(events(), "");
    EXPECT_EQ(tracker.size(), 0U);
    EXPECT_EQ(pool.bytes_out(), 0U);
    EXPECT_EQ(wheel.next_deadline(), kNever);
}

TEST_F(CallTracker_Behaviour, TheSameCallIsFoundByEitherTag) {
    const CallHandle call = begin();
    EXPECT_EQ(begin(), call);
    EXPECT_EQ(tracker.find("c1", "a1", "b1"), call);
    EXPECT_EQ(tracker.find("c1", "b1", "a1"), call);
    EXPECT_FALSE(tracker.find("c1", "b1", "b2"));
    EXPECT_FALSE(tracker.find("c2", "a1", "b1"));
    EXPECT_TRUE(tracker.is_caller_tag(call, "a1"));
    EXPECT_FALSE(tracker.is_caller_tag(call, "b1"));
    EXPECT_EQ(events(), "S");
}

TEST_F(CallTracker_Behaviour, ACallerWithoutATagHasNoOtherCallersCall) {
    CallStart start;
    start.call_id = "c1";
    const CallHandle tagless = tracker.begin(now, start, out);
    start.caller_tag = "a1";
    EXPECT_FALSE(tracker.find("c1", "a1"));
    EXPECT_NE(tracker.begin(now, start, out), tagless);
    EXPECT_EQ(tracker.find("c1", ""), tagless);
    EXPECT_EQ(events(), "SS");
}

TEST_F(CallTracker_Rfc3261_8_1_3, AFailureThatInvitesARetryIsHeld) {
    for (const int status : {300, 302, 399, 401, 407, 413, 415, 416, 420, 421, 422, 423}) {
        const CallHandle call = begin(std::to_string(status));
        tracker.failed(now, call, status, EndedBy::Callee, "held", out);
        EXPECT_EQ(events(), "SH") << status;
        wait(seconds(31));
        EXPECT_EQ(events(), "") << status;
        wait(seconds(2));
        const ports::CallRecord record = ended();
        EXPECT_EQ(record.status, status);
        EXPECT_EQ(record.reason, "held");
        EXPECT_EQ(record.ring_ms, 0U);  // it ended when it failed, not when we stopped waiting
    }
}

TEST_F(CallTracker_Rfc3261_8_1_3, EveryOtherFailureEndsTheCallAtOnce) {
    for (const int status : {400, 403, 404, 408, 480, 481, 486, 487, 488, 500, 503, 600, 603}) {
        const CallHandle call = begin(std::to_string(status));
        tracker.failed(now, call, status, EndedBy::Callee, "", out);
        EXPECT_EQ(events(), "SE") << status;
    }
}

TEST_F(CallTracker_Rfc3261_8_1_3, TheRetryGoesOnWithTheHeldCall) {
    const CallHandle call = begin();
    tracker.failed(now, call, 407, EndedBy::Server, "", out);
    wait(seconds(10));
    EXPECT_EQ(begin(), call);
    wait(seconds(100));
    EXPECT_EQ(events(), "SHH");
    tracker.failed(now, call, 486, EndedBy::Callee, "Busy Here", out);
    EXPECT_EQ(ended().status, 486);
}

TEST_F(CallTracker_Rfc3261_8_1_3, AHeldFailureOutlivesARestart) {
    for (const bool has_tried_again : {false, true}) {
        TrackerRun before, after;
        const CallHandle call = before.begin();
        before.wait(seconds(2));
        before.tracker.failed(before.now, call, 302, EndedBy::Callee, "Moved", before.out);
        before.wait(seconds(10));
        if (has_tried_again) before.begin();
        after.now = before.now;
        after.wait(seconds(5));
        after.take_up(before.journalled_calls());
        after.wait(seconds(16));
        EXPECT_EQ(after.events(), "");
        after.wait(seconds(has_tried_again ? 17 : 2));
        after.fold = std::move(before.fold);
        const ports::CallRecord record = after.ended();
        EXPECT_EQ(record.status, has_tried_again ? 500 : 302);
        EXPECT_EQ(record.ended_by, has_tried_again ? EndedBy::Server : EndedBy::Callee);
        EXPECT_EQ(record.reason, has_tried_again ? "Server restarted" : "Moved");
        EXPECT_EQ(record.ring_ms, has_tried_again ? 17000U : 2000U);
    }
}

TEST_F(CallTracker_Rfc3261_8_1_3, ACallerWhoTriesForEverFillsNoJournal) {
    for (int i = 0; i < 100; ++i) {
        tracker.failed(now, begin(), 302, EndedBy::Callee, "Moved", out);
        wait(seconds(1));
    }
    EXPECT_EQ(events(), "S" + std::string(16, 'H'));
    wait(seconds(33));
    EXPECT_EQ(ended().status, 302);
}

TEST_F(CallTracker_Behaviour, AForkedCallEndsWithTheLastOfItsDialogs) {
    const CallHandle call = begin();
    tracker.answered(now, call, 1, "b1", "x", out);
    tracker.answered(now, call, 2, "b2", "y", out);
    EXPECT_EQ(events(), "SAA");
    tracker.dialog_ended(call, now, "b3", EndedBy::Callee, "BYE", out);
    tracker.dialog_ended(call, now, "b1", EndedBy::Callee, "BYE", out);
    tracker.dialog_ended(call, now, "b1", EndedBy::Callee, "BYE", out);
    EXPECT_EQ(events(), "D");
    tracker.dialog_ended(call, now, "b2", EndedBy::Caller, "BYE", out);
    EXPECT_EQ(ended().ended_by, EndedBy::Caller);
}

TEST_F(CallTracker_Behaviour, ARepeatedAnswerDoesNotReviveADialogThatHasEnded) {
    const CallHandle call = begin();
    tracker.answered(now, call, 1, "b1", "x", out);
    tracker.answered(now, call, 2, "b2", "y", out);
    tracker.dialog_ended(call, now, "b1", EndedBy::Caller, "BYE", out);
    tracker.answered(now, call, 1, "b1", "x", out);
    tracker.dialog_ended(call, now, "b2", EndedBy::Callee, "BYE", out);
    EXPECT_EQ(ended().ended_by, EndedBy::Callee);
}

TEST_F(CallTracker_Behaviour, ARestoredForkEndsWithTheLastOfTheDialogsThatWereUp) {
    const CallHandle call = begin();
    for (const char* tag : {"b1", "b2", "b3"}) tracker.answered(now, call, 1, tag, "x", out);
    tracker.dialog_ended(call, now, "b2", EndedBy::Caller, "BYE", out);
    TrackerRun after;
    after.take_up(journalled_calls());
    const auto hang_up = [&](std::string_view tag) {
        after.tracker.dialog_ended(after.tracker.find("c1", "a1", tag), after.now, tag,
                                   EndedBy::Callee, "BYE", after.out);
        return after.events();
    };
    EXPECT_EQ(hang_up("b2"), "");
    EXPECT_EQ(hang_up("b4"), "");
    EXPECT_EQ(hang_up("b1"), "D");
    EXPECT_EQ(hang_up("b3"), "E");
    EXPECT_EQ(after.tracker.size(), 0U);
}

TEST_F(CallTracker_Behaviour, PastEightDialogsTheOthersAreNotFollowed) {
    const CallHandle call = begin();
    for (int i = 0; i < 9; ++i) tracker.answered(now, call, 1, "b" + std::to_string(i), "x", out);
    EXPECT_EQ(events(), "SAAAAAAAA");
    for (int i = 0; i < 8; ++i)
        tracker.dialog_ended(call, now, "b" + std::to_string(i), EndedBy::Callee, "BYE", out);
    EXPECT_EQ(events(), "DDDDDDDE");
}

TEST_F(CallTracker_Behaviour, AByeBeforeTheAnswerEndsNothing) {
    const CallHandle call = begin();
    tracker.dialog_ended(call, now, "b1", EndedBy::Caller, "BYE", out);
    EXPECT_EQ(events(), "S");
}

TEST_F(CallTracker_Behaviour, TheEndIsWhenTheByeWasSent) {
    const CallHandle call = begin();
    tracker.answered(now, call, 1, "b1", "x", out);
    wait(seconds(10));
    const Now bye_at = now;
    wait(seconds(32));
    tracker.dialog_ended(call, bye_at, "b1", EndedBy::Caller, "BYE", out);
    EXPECT_EQ(ended().talk_ms, 10000U);
}

TEST_F(CallTracker_Behaviour, ACallWithoutAByeEndsAtItsLimit) {
    const CallHandle call = begin();
    tracker.answered(now, call, 1, "b1", "x", out);
    wait(hours(2) - seconds(1));
    EXPECT_EQ(tracker.size(), 1U);
    wait(seconds(2));
    const ports::CallRecord record = ended();
    EXPECT_EQ(record.ended_by, EndedBy::Server);
    EXPECT_EQ(record.reason, "No BYE within call_max");
}

TEST_F(CallTracker_Rfc4028_10, ASessionThatNobodyRefreshesEndsTheCall) {
    const CallHandle call = begin();
    tracker.session_refreshed(now, call, seconds(1800));
    wait(seconds(30));  // it rings
    tracker.answered(now, call, 1, "b1", "x", out);
    wait(seconds(1799));
    EXPECT_EQ(tracker.size(), 1U);
    wait(seconds(1));
    const ports::CallRecord record = ended();
    EXPECT_EQ(record.ended_by, EndedBy::Server);
    EXPECT_EQ(record.reason, "Session expired");
    EXPECT_EQ(record.talk_ms, 1'800'000U);
    EXPECT_EQ(tracker.size(), 0U);
}

TEST_F(CallTracker_Rfc4028_10, EachRefreshProlongsTheSessionPastCallMaxToo) {
    const CallHandle call = begin();
    tracker.session_refreshed(now, call, seconds(1800));
    tracker.answered(now, call, 1, "b1", "x", out);
    for (int i = 0; i < 10; ++i) {
        wait(seconds(900));
        tracker.session_refreshed(now, call, seconds(1800));
    }
    wait(seconds(1799));
    EXPECT_EQ(tracker.size(), 1U);
    wait(seconds(1));
    EXPECT_EQ(ended().reason, "Session expired");
}

TEST_F(CallTracker_Rfc4028_10, ARefreshWithoutALimitLiftsIt) {
    const CallHandle call = begin();
    tracker.session_refreshed(now, call, seconds(90));
    tracker.answered(now, call, 1, "b1", "x", out);
    wait(seconds(60));
    tracker.session_refreshed(now, call, std::nullopt);
    wait(hours(2) - seconds(1));
    EXPECT_EQ(tracker.size(), 1U);
    wait(seconds(1));
    EXPECT_EQ(ended().reason, "No BYE within call_max");
}

TEST_F(CallTracker_Rfc4028_10, ALimitAboveCallMaxIsNone) {
    const CallHandle call = begin();
    tracker.session_refreshed(now, call, seconds(4'294'967'295));
    tracker.answered(now, call, 1, "b1", "x", out);
    wait(hours(2));
    EXPECT_EQ(ended().reason, "No BYE within call_max");
}

TEST_F(CallTracker_Behaviour, PastTheLimitACallIsNotTrackedButCounted) {
    for (const char* id : {"c1", "c2", "c3"}) EXPECT_TRUE(begin(id));
    const CallHandle none = begin("c4");
    EXPECT_FALSE(none);
    EXPECT_EQ(counters.value(Counter::calls_untracked_total), 1U);
    tracker.answered(now, none, 1, "b1", "x", out);
    tracker.failed(now, none, 486, EndedBy::Callee, "", out);
    EXPECT_EQ(events(), "SSS");
}

TEST_F(CallTracker_Behaviour, RemembersTheLastTwoContactsOfEachSide) {
    const CallHandle call = begin();
    tracker.contact_shown(call, true, 9);
    for (uint64_t hash = 1; hash <= 5; ++hash) tracker.contact_shown(call, false, hash);
    tracker.contact_shown(call, false, 5);
    EXPECT_FALSE(tracker.has_shown(call, 3));
    for (const uint64_t hash : {4, 5, 9}) EXPECT_TRUE(tracker.has_shown(call, hash)) << hash;
    EXPECT_FALSE(tracker.has_shown({}, 9));
    EXPECT_FALSE(tracker.has_shown(call, 0));
}

TEST_F(CallTracker_Behaviour, ARestoredCallKeepsItsIdentityAndItsLimit) {
    ports::OpenCall open;
    open.id = 77;
    open.tenant = 1;
    open.call_id = "c1";
    open.caller_tag = "a1";
    open.callee_tags = {"b1"};
    open.is_answered = true;
    open.started = now.wall - seconds(3601);
    open.answered = now.wall - hours(1);
    open.snapshot_version = 4;
    tracker.restore(now, open, hours(2));
    tracker.restore(now, open, hours(2));
    EXPECT_EQ(tracker.size(), 1U);
    EXPECT_EQ(events(), "");
    const auto page = tracker.page(0, 10);
    ASSERT_EQ(page.calls.size(), 1U);
    EXPECT_EQ(page.calls[0].id, 77U);
    EXPECT_EQ(page.next, 0U);
    wait(hours(1) + seconds(1));
    EXPECT_EQ(events(), "E");
}

TEST_F(CallTracker_Behaviour, ARestoredCallEndsWithItsBye) {
    ports::OpenCall open;
    open.id = 77;
    open.call_id = "c1";
    open.caller_tag = "a1";
    open.callee_tags = {"b1"};
    open.is_answered = true;
    open.answered = now.wall;
    tracker.restore(now, open, hours(2));
    tracker.dialog_ended(tracker.find("c1", "b1", "a1"), now, "b1", EndedBy::Callee, "BYE", out);
    EXPECT_EQ(events(), "E");
}

TEST_F(CallTracker_Behaviour, ARestoredRingingCallWaitsForItsInvite) {
    ports::OpenCall open;
    open.id = 78;
    open.call_id = "c1";
    open.caller_tag = "a1";
    tracker.restore(now, open, hours(2));
    const CallHandle again = begin();
    EXPECT_TRUE(again);
    wait(seconds(40));
    EXPECT_EQ(events(), "");
    ports::OpenCall other = open;
    other.call_id = "c2";
    tracker.restore(now, other, hours(2));
    wait(seconds(33));
    EXPECT_EQ(events(), "E");
}

TEST_F(CallTracker_Behaviour, LongIdentitiesAreCutNotMixedUp) {
    const std::string id(700, 'i'), tag(300, 't');
    const CallHandle call = begin(id, tag);
    ASSERT_TRUE(call);
    EXPECT_EQ(tracker.find(id, tag), call);
    EXPECT_FALSE(tracker.find(id + "x", tag));
    EXPECT_TRUE(tracker.is_caller_tag(call, tag));
    tracker.answered(now, call, 1, std::string(300, 'b'), "x", out);
    tracker.dialog_ended(call, now, std::string(300, 'b'), EndedBy::Caller, "BYE", out);
    EXPECT_EQ(events(), "SAE");
}

TEST_F(CallTracker_Behaviour, PagesWalkOverAllCalls) {
    for (const char* id : {"c1", "c2", "c3"}) begin(id);
    const auto first = tracker.page(0, 2);
    EXPECT_EQ(first.calls.size(), 2U);
    ASSERT_NE(first.next, 0U);
    const auto second = tracker.page(first.next, 2);
    ASSERT_EQ(second.calls.size(), 1U);
    EXPECT_EQ(second.calls[0].call_id, "c3");
    EXPECT_EQ(second.next, 0U);
}

}  // namespace
}  // namespace signalbox::cdr
