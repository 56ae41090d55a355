// Journal events as bytes: every field survives, and nothing else is taken for an event.
// Covers the encoding of ports/journal_event. Not covered: framing and checksums, which are the
// journal's.
#include "ports/journal_event.h"

#include <gtest/gtest.h>

#include "ports/outbox.h"

namespace signalbox::ports {
namespace {

EventHeader sample_header(JournalEventKind kind) {
    EventHeader header;
    header.kind = kind;
    header.call = 0x1122334455667788ULL;
    header.leg = 3;
    header.tenant = 7;
    header.node = 513;
    header.shard = 9;
    header.snapshot_version = 42;
    header.wall = WallTime(std::chrono::microseconds(1'700'000'000'123'456));
    header.monotonic = Instant(std::chrono::nanoseconds(987'654'321));
    return header;
}

CallEvent sample_call() {
    CallEvent event;
    event.header = sample_header(JournalEventKind::CallStarted);
    event.call_id = "c1@phone.example.test";
    event.caller_tag = "tag-a";
    event.from = "sip:alice@example.test";
    event.from_display = "Alice \"A\"";
    event.to = "sip:bob@example.test";
    event.request_uri = "sip:bob@example.test";
    event.user = "alice";
    event.source = "192.0.2.1:5060";
    event.contact = "sip:bob@198.51.100.2";
    event.callee_tag = "tag-b";
    event.status = 486;
    event.ended_by = EndedBy::Callee;
    event.reason = "Busy Here";
    return event;
}

BindingsEvent sample_bindings() {
    BindingsEvent event;
    event.header = sample_header(JournalEventKind::BindingsChanged);
    event.aor = "alice";
    BindingRecord udp;
    udp.contact = "sip:alice@192.0.2.9:5062";
    udp.parameters = ";+sip.instance=\"<urn:uuid:1>\"";
    udp.call_id = "r1";
    udp.cseq = 17;
    udp.q = 500;
    udp.has_q = true;
    udp.is_nated = true;
    udp.expires = WallTime(std::chrono::seconds(1'700'003'600));
    udp.updated = WallTime(std::chrono::seconds(1'700'000'000));
    udp.flow.listener = 2;
    udp.flow.local = {IpAddress::v4(192, 0, 2, 1), 5060};
    udp.flow.remote = {IpAddress::v4(192, 0, 2, 9), 5062};
    udp.user_agent = "Phone 1.0";
    udp.reg_id = 2;
    udp.path = "<sip:edge.example.net;lr>";
    event.bindings.push_back(udp);
    BindingRecord tcp;
    tcp.contact = "sip:alice@[2001:db8::9]";
    tcp.flow.transport = transport::Transport::Tcp;
    tcp.flow.shard = 1;
    tcp.flow.connection = 77;
    tcp.flow.generation = 5;
    tcp.flow.local = {*IpAddress::parse("2001:db8::1"), 5060};
    tcp.flow.remote = {*IpAddress::parse("2001:db8::9"), 40000};
    event.bindings.push_back(tcp);
    return event;
}

void expect_same(const EventHeader& a, const EventHeader& b) {
    EXPECT_EQ(a.kind, b.kind);
    EXPECT_EQ(a.call, b.call);
    EXPECT_EQ(a.leg, b.leg);
    EXPECT_EQ(a.tenant, b.tenant);
    EXPECT_EQ(a.node, b.node);
    EXPECT_EQ(a.shard, b.shard);
    EXPECT_EQ(a.snapshot_version, b.snapshot_version);
    EXPECT_EQ(a.wall, b.wall);
    EXPECT_EQ(a.monotonic, b.monotonic);
}

TEST(JournalEvent_Behaviour, CallEventSurvivesWithEveryField) {
    const CallEvent event = sample_call();
    std::string bytes;
    encode(event, bytes);
    const auto read = decode_call_event(bytes);
    ASSERT_TRUE(read);
    expect_same(read->header, event.header);
    EXPECT_EQ(read->call_id, event.call_id);
    EXPECT_EQ(read->caller_tag, event.caller_tag);
    EXPECT_EQ(read->from, event.from);
    EXPECT_EQ(read->from_display, event.from_display);
    EXPECT_EQ(read->to, event.to);
    EXPECT_EQ(read->request_uri, event.request_uri);
    EXPECT_EQ(read->user, event.user);
    EXPECT_EQ(read->source, event.source);
    EXPECT_EQ(read->contact, event.contact);
    EXPECT_EQ(read->callee_tag, event.callee_tag);
    EXPECT_EQ(read->status, event.status);
    EXPECT_EQ(read->ended_by, event.ended_by);
    EXPECT_EQ(read->reason, event.reason);
}

TEST(JournalEvent_Behaviour, BindingsEventSurvivesWithEveryField) {
    const BindingsEvent event = sample_bindings();
    std::string bytes;
    encode(event, bytes);
    const auto read = decode_bindings_event(bytes);
    ASSERT_TRUE(read);
    expect_same(read->header, event.header);
    EXPECT_EQ(read->aor, "alice");
    ASSERT_EQ(read->bindings.size(), 2U);
    for (size_t i = 0; i < 2; ++i) {
        const BindingRecord& a = read->bindings[i];
        const BindingRecord& b = event.bindings[i];
        EXPECT_EQ(a.contact, b.contact);
        EXPECT_EQ(a.parameters, b.parameters);
        EXPECT_EQ(a.call_id, b.call_id);
        EXPECT_EQ(a.cseq, b.cseq);
        EXPECT_EQ(a.q, b.q);
        EXPECT_EQ(a.has_q, b.has_q);
        EXPECT_EQ(a.reg_id, b.reg_id);
        EXPECT_EQ(a.path, b.path);
        EXPECT_EQ(a.is_nated, b.is_nated);
        EXPECT_EQ(a.expires, b.expires);
        EXPECT_EQ(a.updated, b.updated);
        EXPECT_EQ(a.flow, b.flow);
        EXPECT_EQ(a.user_agent, b.user_agent);
    }
}

TEST(JournalEvent_Behaviour, BindingsEventWithoutBindingsSurvives) {
    BindingsEvent event;
    event.aor = "alice";
    std::string bytes;
    encode(event, bytes);
    const auto read = decode_bindings_event(bytes);
    ASSERT_TRUE(read);
    EXPECT_EQ(read->header.kind, JournalEventKind::BindingsChanged);
    EXPECT_TRUE(read->bindings.empty());
}

TEST(JournalEvent_Behaviour, HeaderOfBothKindsIsReadAlone) {
    std::string call, bindings;
    encode(sample_call(), call);
    encode(sample_bindings(), bindings);
    ASSERT_TRUE(decode_header(call));
    ASSERT_TRUE(decode_header(bindings));
    EXPECT_EQ(decode_header(call)->kind, JournalEventKind::CallStarted);
    EXPECT_EQ(decode_header(bindings)->kind, JournalEventKind::BindingsChanged);
}

TEST(JournalEvent_Behaviour, EventOfTheOtherKindIsRefused) {
    std::string call, bindings;
    encode(sample_call(), call);
    encode(sample_bindings(), bindings);
    EXPECT_FALSE(decode_bindings_event(call));
    EXPECT_FALSE(decode_call_event(bindings));
}

TEST(JournalEvent_Behaviour, EveryCutIsRefused) {
    std::string call, bindings;
    encode(sample_call(), call);
    encode(sample_bindings(), bindings);
    for (size_t size = 0; size < call.size(); ++size) {
        EXPECT_FALSE(decode_call_event(std::string_view(call).substr(0, size))) << size;
    }
    for (size_t size = 0; size < bindings.size(); ++size) {
        EXPECT_FALSE(decode_bindings_event(std::string_view(bindings).substr(0, size))) << size;
    }
}

TEST(JournalEvent_Behaviour, OctetsBehindTheEndAreRefused) {
    std::string call, bindings;
    encode(sample_call(), call);
    encode(sample_bindings(), bindings);
    EXPECT_FALSE(decode_call_event(call + "x"));
    EXPECT_FALSE(decode_bindings_event(bindings + "x"));
}

TEST(JournalEvent_Behaviour, UnknownVersionAndKindAreRefused) {
    std::string bytes;
    encode(sample_call(), bytes);
    std::string version = bytes;
    version[0] = static_cast<char>(kJournalVersion + 1);
    EXPECT_FALSE(decode_header(version));
    for (const char kind : {'\0', '\10', '\xff'}) {
        std::string other = bytes;
        other[1] = kind;
        EXPECT_FALSE(decode_header(other));
        EXPECT_FALSE(decode_call_event(other));
    }
    EXPECT_FALSE(decode_header(""));
}

TEST(JournalEvent_Behaviour, BindingsOfVersionOneAreStillRead) {
    BindingsEvent event = sample_bindings();
    event.bindings.resize(1);
    event.bindings[0].path.clear();
    std::string bytes;
    encode(event, bytes);
    // Version 1 ended with the user agent: without the four octets of reg_id and an empty path.
    std::string old = bytes.substr(0, bytes.size() - 8);
    old[0] = 1;
    const auto read = decode_bindings_event(old);
    ASSERT_TRUE(read);
    ASSERT_EQ(read->bindings.size(), 1U);
    EXPECT_EQ(read->bindings[0].user_agent, "Phone 1.0");
    EXPECT_EQ(read->bindings[0].reg_id, 0U);
    EXPECT_EQ(read->bindings[0].path, "");
}

TEST(JournalEvent_Behaviour, NoChangedOctetCrashesTheReader) {
    std::string bytes;
    encode(sample_bindings(), bytes);
    for (size_t at = 0; at < bytes.size(); ++at) {
        for (const char value : {'\0', '\1', '\x7f', '\xff'}) {
            std::string changed = bytes;
            changed[at] = value;
            const auto read = decode_bindings_event(changed);
            if (!read) continue;
            for (const BindingRecord& binding : read->bindings) {
                EXPECT_LE(binding.q, 1000);
                EXPECT_LE(binding.flow.transport, transport::Transport::Tcp);
            }
        }
    }
}

TEST(JournalEvent_Behaviour, EncoderWritesWhatTheEventWouldBe) {
    const BindingsEvent event = sample_bindings();
    std::string whole;
    encode(event, whole);
    Outbox out;
    out.journal_with([&event](std::string& bytes) {
        BindingsEncoder encoder(event.header, event.aor, event.bindings.size(), bytes);
        for (const BindingRecord& binding : event.bindings) encoder.add(view_of(binding));
    });
    out.journal(sample_call());
    ASSERT_EQ(out.journal_count(), 2U);
    EXPECT_EQ(out.journal_event(0), whole);
    EXPECT_TRUE(decode_call_event(out.journal_event(1)));
}

TEST(JournalEvent_Behaviour, RecordAndViewHoldTheSame) {
    const BindingRecord record = sample_bindings().bindings[0];
    const BindingRecord again = record_of(view_of(record));
    std::string a, b;
    BindingsEvent one;
    one.bindings = {record};
    encode(one, a);
    one.bindings = {again};
    encode(one, b);
    EXPECT_EQ(a, b);
}

}  // namespace
}  // namespace signalbox::ports
