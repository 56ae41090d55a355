// Journal events folded into call records.
// Covers: the record of each way in which a call ends, restarts in the middle, what is ignored. Not
// covered: the encoding (journal_event_test), the journal's files (store tests).
#include "cdr/call_fold.h"

#include <gtest/gtest.h>

#include <string>

#include "base/byte_io.h"

namespace signalbox::cdr {
namespace {

using ports::CallEvent;
using ports::EndedBy;
using ports::JournalEventKind;
using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr WallTime kStart = WallTime(seconds(1'700'000'000));

struct FoldTest : ::testing::Test {
    CallFold fold;
    Duration time{};  // since the start
    Duration boot{};  // of the machine, on the same axis
    bool is_wall_stepped = false;

    CallEvent event(JournalEventKind kind, uint64_t call) const {
        CallEvent made;
        made.header.kind = kind;
        made.header.call = call;
        made.header.tenant = 1;
        made.header.node = 3;
        made.header.shard = 2;
        made.header.snapshot_version = 9;
        made.header.wall = kStart + std::chrono::duration_cast<std::chrono::microseconds>(time) -
                           (is_wall_stepped ? hours(5) : hours(0));
        made.header.monotonic = Instant(time - boot);
        return made;
    }
    void apply(const CallEvent& given) {
        std::string bytes;
        encode(given, bytes);
        EXPECT_TRUE(fold.apply(bytes));
    }
    void start(uint64_t call) {
        CallEvent started = event(JournalEventKind::CallStarted, call);
        started.call_id = "id-" + std::to_string(call);
        const std::string id = "id-" + std::to_string(call);
        started.call_id = id;
        started.caller_tag = "a1";
        started.from = "sip:alice@elsewhere.test";
        started.from_display = "Alice";
        started.to = "sip:bob@example.test";
        started.request_uri = "sip:bob@example.test";
        started.user = "alice";
        started.source = "198.51.100.1:5060";
        apply(started);
    }
    void ring(uint64_t call, std::string_view contact) {
        CallEvent ringing = event(JournalEventKind::CallRinging, call);
        ringing.contact = contact;
        apply(ringing);
    }
    void answer(uint64_t call, std::string_view contact = "sip:bob@198.51.100.2",
                std::string_view tag = "b1") {
        CallEvent answered = event(JournalEventKind::CallAnswered, call);
        answered.contact = contact;
        answered.callee_tag = tag;
        apply(answered);
    }
    void hold(uint64_t call, uint16_t status, std::string_view reason) {
        CallEvent held = event(JournalEventKind::CallHeld, call);
        held.status = status;
        held.ended_by = status == 0 ? EndedBy::Nobody : EndedBy::Callee;
        held.reason = reason;
        apply(held);
    }
    void end(uint64_t call, uint16_t status, EndedBy by, std::string_view reason) {
        CallEvent ended = event(JournalEventKind::CallEnded, call);
        ended.status = status;
        ended.ended_by = by;
        ended.reason = reason;
        apply(ended);
    }
    ports::CallRecord only() {
        const auto ended = fold.take_ended();
        EXPECT_EQ(ended.size(), 1U);
        return ended.empty() ? ports::CallRecord{} : ended[0].record();
    }
};

using CallFold_Behaviour = FoldTest;

TEST_F(CallFold_Behaviour, AnAnsweredCallHasItsTimes) {
    start(1);
    time = seconds(2);
    ring(1, "sip:bob@198.51.100.2");
    time = milliseconds(5250);
    answer(1);
    time = seconds(65);
    EXPECT_TRUE(fold.take_ended().empty());
    end(1, 200, EndedBy::Callee, "BYE");
    const ports::CallRecord record = only();
    EXPECT_EQ(record.id, 1U);
    EXPECT_EQ(record.call_id, "id-1");
    EXPECT_EQ(record.caller_tag, "a1");
    EXPECT_EQ(record.callee_tag, "b1");
    EXPECT_EQ(record.from, "sip:alice@elsewhere.test");
    EXPECT_EQ(record.from_display, "Alice");
    EXPECT_EQ(record.user, "alice");
    EXPECT_EQ(record.source, "198.51.100.1:5060");
    EXPECT_EQ(record.contact, "sip:bob@198.51.100.2");
    EXPECT_EQ(record.ring_ms, 5250U);
    EXPECT_EQ(record.talk_ms, 59750U);
    EXPECT_EQ(record.status, 200);
    EXPECT_EQ(record.ended_by, EndedBy::Callee);
    EXPECT_EQ(record.reason, "BYE");
    EXPECT_EQ(record.node, 3);
    EXPECT_EQ(record.shard, 2);
    EXPECT_EQ(record.snapshot_version, 9U);
    EXPECT_EQ(record.started, kStart);
    EXPECT_EQ(record.ringing, kStart + seconds(2));
    EXPECT_EQ(record.ended, kStart + seconds(65));
    EXPECT_TRUE(fold.take_ended().empty());
}

TEST_F(CallFold_Behaviour, AFailedCallRangUntilItsEnd) {
    start(1);
    time = seconds(3);
    ring(1, "sip:first@198.51.100.2");
    time = seconds(9);
    end(1, 486, EndedBy::Callee, "Busy Here");
    const ports::CallRecord record = only();
    EXPECT_FALSE(record.is_answered());
    EXPECT_EQ(record.ring_ms, 9000U);
    EXPECT_EQ(record.talk_ms, 0U);
    EXPECT_EQ(record.contact, "sip:first@198.51.100.2");
    EXPECT_TRUE(record.callee_tag.empty());
}

TEST_F(CallFold_Behaviour, TheFirstAnswerCounts) {
    start(1);
    time = seconds(1);
    answer(1, "sip:one@198.51.100.2");
    time = seconds(2);
    answer(1, "sip:two@198.51.100.3");
    ring(1, "sip:three@198.51.100.4");
    end(1, 200, EndedBy::Caller, "BYE");
    const ports::CallRecord record = only();
    EXPECT_EQ(record.contact, "sip:one@198.51.100.2");
    EXPECT_EQ(record.ring_ms, 1000U);
}

TEST_F(CallFold_Behaviour, CallsInterleaveAndEndInTheirOrder) {
    start(1);
    start(2);
    start(3);
    answer(2);
    end(3, 404, EndedBy::Server, "Not Found");
    end(1, 487, EndedBy::Caller, "Request Terminated");
    const auto ended = fold.take_ended();
    ASSERT_EQ(ended.size(), 2U);
    EXPECT_EQ(ended[0].record().id, 3U);
    EXPECT_EQ(ended[1].record().id, 1U);
    const auto open = fold.open_calls();
    ASSERT_EQ(open.size(), 1U);
    EXPECT_EQ(open[0].id, 2U);
    EXPECT_TRUE(open[0].is_answered);
    EXPECT_EQ(open[0].callee_tags, std::vector<std::string>{"b1"});
    EXPECT_EQ(open[0].call_id, "id-2");
}

TEST_F(CallFold_Behaviour, OpenCallsComeInTheOrderOfTheirBeginnings) {
    for (uint64_t call : {50, 3, 999, 7}) start(call);
    std::vector<uint64_t> ids;
    for (const ports::OpenCall& open : fold.open_calls()) ids.push_back(open.id);
    EXPECT_EQ(ids, (std::vector<uint64_t>{50, 3, 999, 7}));
}

TEST_F(CallFold_Behaviour, AnOpenCallHasTheDialogsThatAreUp) {
    start(1);
    for (const char* tag : {"b1", "b2", "b3"}) answer(1, "sip:bob@198.51.100.2", tag);
    CallEvent over = event(JournalEventKind::DialogEnded, 1);
    over.callee_tag = "b1";
    apply(over);
    ASSERT_EQ(fold.open_calls().size(), 1U);
    EXPECT_EQ(fold.open_calls()[0].callee_tags, (std::vector<std::string>{"b2", "b3"}));
    end(1, 200, EndedBy::Caller, "BYE");
    EXPECT_EQ(only().callee_tag, "b1");
}

TEST_F(CallFold_Behaviour, AnOpenCallHasItsHeldFailureUntilItsCallerTriesAgain) {
    start(1);
    time = seconds(3);
    hold(1, 302, "Moved");
    ports::OpenCall open = fold.open_calls().at(0);
    EXPECT_EQ(open.held_status, 302);
    EXPECT_EQ(open.held_by, EndedBy::Callee);
    EXPECT_EQ(open.held_reason, "Moved");
    EXPECT_EQ(open.held_at, kStart + seconds(3));
    hold(1, 0, "");
    open = fold.open_calls().at(0);
    EXPECT_EQ(open.held_status, 0);
    EXPECT_FALSE(open.is_answered);
}

TEST_F(CallFold_Behaviour, AStepOfTheWallClockDoesNotChangeTheTalk) {
    start(1);
    answer(1);
    time = seconds(60);
    is_wall_stepped = true;
    end(1, 200, EndedBy::Caller, "BYE");
    EXPECT_EQ(only().talk_ms, 60000U);
}

TEST_F(CallFold_Behaviour, ARestartInTheMiddleIsMeasuredByTheWallClock) {
    time = hours(50);
    start(1);
    answer(1);
    time += hours(3);
    boot = time - seconds(10);  // the machine came up ten seconds ago
    end(1, 200, EndedBy::Server, "No BYE within call_max");
    EXPECT_EQ(only().talk_ms, 3U * 3600 * 1000);
}

TEST_F(CallFold_Behaviour, ARestartIsNoticedThoughTheMachineIsUpForLongerThanBefore) {
    time = hours(50);
    boot = time - seconds(1);
    start(1);
    answer(1);
    time += hours(3);
    boot = time - seconds(10);
    end(1, 200, EndedBy::Server, "No BYE within call_max");
    EXPECT_EQ(only().talk_ms, 3U * 3600 * 1000);
}

TEST_F(CallFold_Behaviour, ADurationIsNeverNegative) {
    time = hours(10);
    start(1);
    answer(1);
    boot = hours(10);
    is_wall_stepped = true;
    end(1, 200, EndedBy::Caller, "BYE");
    EXPECT_EQ(only().talk_ms, 0U);
}

TEST_F(CallFold_Behaviour, EventsOfUnknownCallsAreIgnored) {
    ring(1, "x");
    answer(1);
    end(1, 200, EndedBy::Caller, "BYE");
    EXPECT_TRUE(fold.take_ended().empty());
    EXPECT_TRUE(fold.open_calls().empty());
}

TEST_F(CallFold_Behaviour, ASecondBeginningOfAnOpenCallIsIgnored) {
    start(1);
    start(2);
    time = seconds(5);
    start(1);
    EXPECT_EQ(fold.open_calls().at(0).id, 1U);
    time = seconds(7);
    end(1, 486, EndedBy::Callee, "Busy Here");
    const ports::CallRecord record = only();
    EXPECT_EQ(record.started, kStart);
    EXPECT_EQ(record.ring_ms, 7000U);
}

TEST_F(CallFold_Behaviour, SaysWhetherItTookAnEventAndKeepsTheOctetsOfThoseOnly) {
    const auto take = [this](JournalEventKind kind, std::string& encoded) {
        const CallEvent given = event(kind, 1);
        encoded.clear();
        encode(given, encoded);
        return fold.take(given, encoded);
    };
    std::string encoded;
    EXPECT_FALSE(take(JournalEventKind::CallAnswered, encoded));
    EXPECT_EQ(fold.octets_of(1), "");
    std::string taken;
    EXPECT_TRUE(take(JournalEventKind::CallStarted, encoded));
    ByteWriter(taken).text(encoded);
    time = seconds(1);
    EXPECT_FALSE(take(JournalEventKind::CallStarted, encoded));
    EXPECT_TRUE(take(JournalEventKind::CallHeld, encoded));
    ByteWriter(taken).text(encoded);
    EXPECT_EQ(fold.octets_of(1), taken);
    EXPECT_TRUE(take(JournalEventKind::CallEnded, encoded));
    EXPECT_EQ(fold.octets_of(1), "");
    EXPECT_FALSE(take(JournalEventKind::CallEnded, encoded));
}

TEST_F(CallFold_Behaviour, WhatCannotBeReadChangesNothing) {
    EXPECT_FALSE(fold.apply(""));
    EXPECT_FALSE(fold.apply("nonsense"));
    std::string bytes;
    encode(event(JournalEventKind::CallStarted, 1), bytes);
    EXPECT_FALSE(fold.apply(std::string_view(bytes).substr(0, bytes.size() - 1)));
    EXPECT_TRUE(fold.open_calls().empty());
    start(1);
    const std::string before(fold.octets_of(1));
    bytes.clear();
    encode(event(JournalEventKind::CallEnded, 1), bytes);
    EXPECT_FALSE(fold.apply(std::string_view(bytes).substr(0, bytes.size() - 1)));
    EXPECT_EQ(fold.octets_of(1), before);
    EXPECT_TRUE(fold.take_ended().empty());
}

TEST_F(CallFold_Behaviour, BindingsAreNoCalls) {
    ports::BindingsEvent bindings;
    bindings.header.kind = JournalEventKind::BindingsChanged;
    bindings.aor = "bob";
    std::string bytes;
    encode(bindings, bytes);
    EXPECT_TRUE(fold.apply(bytes));
    EXPECT_TRUE(fold.open_calls().empty());
}

}  // namespace
}  // namespace signalbox::cdr
