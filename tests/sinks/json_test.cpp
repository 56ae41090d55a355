// Tests of sinks/json: the form of records, registrations and statistics that scripts rely on.
#include "sinks/json.h"

#include <gtest/gtest.h>

namespace signalbox::sinks {
namespace {

WallTime at_ms(int64_t ms) {
    return WallTime(std::chrono::milliseconds(ms));
}

TEST(Json_Rfc3339_5_6, WritesTimesInUtcWithMilliseconds) {
    EXPECT_EQ(rfc3339(at_ms(0)), "1970-01-01T00:00:00.000Z");
    EXPECT_EQ(rfc3339(at_ms(1'700'000'000'123)), "2023-11-14T22:13:20.123Z");
    EXPECT_EQ(rfc3339(at_ms(-1)), "1969-12-31T23:59:59.999Z");
}

TEST(Json_Behaviour, ShowsARecord) {
    ports::CallRecord record;
    record.id = UINT64_MAX;
    record.call_id = "a@192.0.2.1";
    record.started = at_ms(0);
    record.answered = at_ms(1000);
    record.ended = at_ms(3000);
    record.ring_ms = 1000;
    record.talk_ms = 2000;
    record.status = 200;
    record.ended_by = ports::EndedBy::Callee;
    const Json json = record_json(record);
    EXPECT_EQ(json["id"], "18446744073709551615");
    EXPECT_EQ(json["call_id"], "a@192.0.2.1");
    EXPECT_EQ(json["started"], "1970-01-01T00:00:00.000Z");
    EXPECT_TRUE(json["ringing"].is_null());
    EXPECT_EQ(json["answered"], "1970-01-01T00:00:01.000Z");
    EXPECT_EQ(json["talk_ms"], 2000);
    EXPECT_EQ(json["ended_by"], "callee");
    EXPECT_EQ(json["is_answered"], true);
}

TEST(Json_Behaviour, ShowsBindingsThatLive) {
    ports::BindingsEvent event;
    event.aor = "alice";
    event.bindings.resize(2);
    event.bindings[0].contact = "sip:alice@192.0.2.1";
    event.bindings[0].expires = at_ms(60'500);
    event.bindings[0].q = 500;
    event.bindings[1].expires = at_ms(1000);
    const Json json = registration_json(event, at_ms(1000));
    EXPECT_EQ(json["aor"], "alice");
    ASSERT_EQ(json["contacts"].size(), 1u);
    EXPECT_EQ(json["contacts"][0]["expires_in_s"], 60);
    EXPECT_EQ(json["contacts"][0]["q"], 0.5);
    EXPECT_EQ(json["contacts"][0]["transport"], "UDP");
}

TEST(Json_Behaviour, ShowsEveryCounterByItsName) {
    std::array<uint64_t, kCounters> counters{};
    counters[static_cast<size_t>(Counter::calls_started_total)] = 5;
    ports::Gauges gauges;
    gauges.calls = 3;
    const Json json = stats_json(counters, gauges);
    EXPECT_EQ(json["counters"].size(), kCounters);
    EXPECT_EQ(json["counters"]["calls_started_total"], 5);
    EXPECT_EQ(json["gauges"]["calls"], 3);
}

TEST(Json_Behaviour, ShowsALiveCall) {
    ports::OpenCall call;
    call.id = 4;
    EXPECT_TRUE(open_call_json(call)["answered"].is_null());
    call.is_answered = true;
    EXPECT_EQ(open_call_json(call)["answered"], "1970-01-01T00:00:00.000Z");
}

TEST(Json_Behaviour, ReplacesOctetsThatAreNoUtf8AndStaysOnOneLine) {
    const std::string line = dump({{"text", "a\xff\nb"}});
    EXPECT_EQ(line.find('\n'), std::string::npos);
    EXPECT_NE(line.find("\\n"), std::string::npos);
}

}  // namespace
}  // namespace signalbox::sinks
