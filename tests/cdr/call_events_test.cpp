// A call as the octets of its events.
// Covers: what is kept of the events, that what follows from them is made anew each time. Not
// covered: what a record says after which events (call_fold_test), the encoding
// (journal_event_test).
#include "cdr/call_events.h"

#include <gtest/gtest.h>

#include "base/byte_io.h"

namespace signalbox::cdr {
namespace {

using ports::CallEvent;
using ports::JournalEventKind;

std::string encoded(JournalEventKind kind, int second, std::string_view text = {}) {
    CallEvent event;
    event.header.kind = kind;
    event.header.call = 7;
    event.header.wall = WallTime(std::chrono::seconds(1'700'000'000 + second));
    event.header.monotonic = Instant(std::chrono::seconds(second));
    if (kind == JournalEventKind::CallStarted) event.call_id = text;
    if (kind == JournalEventKind::CallAnswered) event.callee_tag = text;
    if (kind == JournalEventKind::CallEnded) event.reason = text;
    std::string bytes;
    encode(event, bytes);
    return bytes;
}

CallEvents begun(const std::string& started) {
    return CallEvents(*ports::decode_header(started), started);
}

TEST(CallEvents_Behaviour, KeepsEachEventWithItsLength) {
    const std::string started = encoded(JournalEventKind::CallStarted, 0, "id");
    const std::string answered = encoded(JournalEventKind::CallAnswered, 2, "b1");
    CallEvents call = begun(started);
    call.add(answered);
    EXPECT_EQ(call.id(), 7U);
    EXPECT_EQ(call.started(), WallTime(std::chrono::seconds(1'700'000'000)));
    ByteReader in(call.octets());
    EXPECT_EQ(in.text(), started);
    EXPECT_EQ(in.text(), answered);
    EXPECT_TRUE(in.ok() && in.at_end());
}

TEST(CallEvents_Behaviour, MakesTheSameRecordWheneverSomebodyAsks) {
    CallEvents call = begun(encoded(JournalEventKind::CallStarted, 0, "id"));
    call.add(encoded(JournalEventKind::CallAnswered, 2, "b1"));
    call.add(encoded(JournalEventKind::CallEnded, 9, "BYE"));
    for (int i = 0; i < 2; ++i) {
        const ports::CallRecord record = call.record();
        EXPECT_EQ(record.id, 7U);
        EXPECT_EQ(record.call_id, "id");
        EXPECT_EQ(record.callee_tag, "b1");
        EXPECT_EQ(record.ring_ms, 2000U);
        EXPECT_EQ(record.talk_ms, 7000U);
        EXPECT_EQ(record.reason, "BYE");
    }
}

TEST(CallEvents_Behaviour, GrowsPastItsRoomWithAnyNumberOfEvents) {
    CallEvents call = begun(encoded(JournalEventKind::CallStarted, 0, std::string(5000, 'x')));
    for (int i = 1; i <= 50; ++i) {
        call.add(encoded(JournalEventKind::CallAnswered, i, "b" + std::to_string(i)));
    }
    const ports::OpenCall open = call.open_call();
    EXPECT_EQ(open.call_id.size(), 5000U);
    ASSERT_EQ(open.callee_tags.size(), 50U);
    EXPECT_EQ(open.callee_tags.back(), "b50");
    EXPECT_EQ(open.answered, call.started() + std::chrono::seconds(1));
}

}  // namespace
}  // namespace signalbox::cdr
