// The location service: order, expiry, connections, pages, restarts and its memory.
// Covers: RFC 3261 §10.3 (what a registrar keeps), §16.5 (what a proxy reads).
// Not covered: the rules of a REGISTER (registrar_test), the way back to a binding
// (reachable_flow_test).
#include "location/location.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace signalbox::location {
namespace {

using ports::kDefaultTenant;
using std::chrono::seconds;

constexpr WallTime kWallStart = WallTime(seconds(1'700'000'000));

transport::Flow udp_flow() {
    transport::Flow flow;
    flow.local = {IpAddress::v4(192, 0, 2, 1), 5060};
    flow.remote = {IpAddress::v4(198, 51, 100, 9), 5062};
    return flow;
}

transport::Flow tcp_flow(uint32_t connection, uint32_t generation = 1, uint8_t shard = 0) {
    transport::Flow flow = udp_flow();
    flow.transport = transport::Transport::Tcp;
    flow.connection = connection;
    flow.generation = generation;
    flow.shard = shard;
    return flow;
}

struct LocationTest : testing::Test {
    TimerWheel wheel{Instant{}};
    Counters counters;
    Location location{{1, 2, 3}, wheel, counters};
    ports::Outbox out;

    static Now at(Duration since_start) {
        return {Instant(since_start),
                kWallStart + std::chrono::duration_cast<WallTime::duration>(since_start)};
    }
    static Binding binding(std::string_view contact, Duration expires, uint16_t q = 1000,
                           const transport::Flow& flow = udp_flow()) {
        Binding made;
        made.record.contact = contact;
        made.record.call_id = "call";
        made.record.q = q;
        made.record.flow = flow;
        made.record.expires = at(expires).wall;
        made.expires = at(expires).monotonic;
        return made;
    }
    bool replace(std::string_view aor, const std::vector<Binding>& bindings,
                 Duration when = seconds(0)) {
        return location.replace(at(when), kDefaultTenant, aor, bindings, 5);
    }
    std::vector<std::string> contacts(std::string_view aor, Duration when = seconds(0),
                                      ports::TenantId tenant = kDefaultTenant) {
        std::vector<std::string> found;
        for (const Binding& each : location.lookup(at(when), tenant, aor)) {
            found.emplace_back(each.record.contact);
        }
        return found;
    }
    void run_timers(Duration when) {
        TimerDue due{};
        while (wheel.pop_due(at(when).monotonic, due)) location.on_timer(at(when), due, out);
    }
};

using Contacts = std::vector<std::string>;
using Location_Rfc3261_10_3 = LocationTest;
using Location_Behaviour = LocationTest;

TEST_F(Location_Rfc3261_10_3, KeepsEveryFieldOfABinding) {
    Binding made = binding("sip:alice@198.51.100.9:5062", seconds(60), 250, tcp_flow(4, 7, 1));
    made.record.parameters = ";+sip.instance=\"<urn:uuid:1>\"";
    made.record.user_agent = "Phone 1.0";
    made.record.cseq = 99;
    made.record.reg_id = 3;
    made.record.path = "<sip:edge.example.net;lr>";
    made.record.has_q = true;
    made.record.is_nated = true;
    made.record.updated = at(seconds(1)).wall;
    ASSERT_TRUE(replace("alice", {made}));
    const auto found = location.lookup(at(seconds(2)), kDefaultTenant, "alice");
    ASSERT_EQ(found.size(), 1U);
    const ports::BindingView& record = found[0].record;
    EXPECT_EQ(record.contact, made.record.contact);
    EXPECT_EQ(record.parameters, made.record.parameters);
    EXPECT_EQ(record.call_id, "call");
    EXPECT_EQ(record.user_agent, "Phone 1.0");
    EXPECT_EQ(record.cseq, 99U);
    EXPECT_EQ(record.reg_id, 3U);
    EXPECT_EQ(record.path, "<sip:edge.example.net;lr>");
    EXPECT_EQ(record.q, 250);
    EXPECT_TRUE(record.has_q);
    EXPECT_TRUE(record.is_nated);
    EXPECT_EQ(record.expires, made.record.expires);
    EXPECT_EQ(record.updated, made.record.updated);
    EXPECT_EQ(record.flow, made.record.flow);
    EXPECT_EQ(found[0].expires, made.expires);
    EXPECT_FALSE(found[0].is_flow_closed);
}

TEST_F(Location_Rfc3261_10_3, GivesTheHighestQFirstAndKeepsTheOrderOfEqualOnes) {
    ASSERT_TRUE(replace(
        "alice", {binding("sip:a@h", seconds(60), 500), binding("sip:b@h", seconds(60), 1000),
                  binding("sip:c@h", seconds(60), 500), binding("sip:d@h", seconds(60), 0),
                  binding("sip:e@h", seconds(60), 1000)}));
    EXPECT_EQ(contacts("alice"), (Contacts{"sip:b@h", "sip:e@h", "sip:a@h", "sip:c@h", "sip:d@h"}));
}

TEST_F(Location_Rfc3261_10_3, RefreshOfWhatLookupGaveKeepsItsPlace) {
    ASSERT_TRUE(
        replace("alice", {binding("sip:a@h", seconds(60)), binding("sip:b@h", seconds(60))}));
    const auto found = location.lookup(at(seconds(1)), kDefaultTenant, "alice");
    std::vector<Binding> again(found.begin(), found.end());
    again[0].expires = at(seconds(500)).monotonic;
    ASSERT_TRUE(replace("alice", again, seconds(1)));
    EXPECT_EQ(contacts("alice", seconds(2)), (Contacts{"sip:a@h", "sip:b@h"}));
    EXPECT_EQ(contacts("alice", seconds(100)), (Contacts{"sip:a@h"}));
}

TEST_F(Location_Rfc3261_10_3, ReplacingByNothingForgetsTheAddress) {
    ASSERT_TRUE(replace("alice", {binding("sip:a@h", seconds(60))}));
    EXPECT_EQ(location.address_count(), 1U);
    EXPECT_EQ(location.binding_count(), 1U);
    ASSERT_TRUE(replace("alice", {}));
    EXPECT_TRUE(contacts("alice").empty());
    EXPECT_EQ(location.address_count(), 0U);
    EXPECT_EQ(location.binding_count(), 0U);
    EXPECT_EQ(location.bytes(), 0U);
    EXPECT_EQ(wheel.next_deadline(), kNever);
}

TEST_F(Location_Rfc3261_10_3, TenantsAndCaseOfTheUserPartAreApart) {
    ASSERT_TRUE(replace("alice", {binding("sip:a@h", seconds(60))}));
    EXPECT_TRUE(contacts("alice", seconds(0), 2).empty());
    EXPECT_TRUE(contacts("Alice").empty());
}

TEST_F(Location_Rfc3261_10_3, BindingEndsAtItsExpiryAndNotBefore) {
    ASSERT_TRUE(replace("alice", {binding("sip:a@h", seconds(60))}));
    EXPECT_EQ(contacts("alice", seconds(60) - Duration(1)).size(), 1U);
    EXPECT_TRUE(contacts("alice", seconds(60)).empty());
}

TEST_F(Location_Rfc3261_10_3, TimerRemovesTheExpiredJournalsAndCountsThem) {
    ASSERT_TRUE(
        replace("alice", {binding("sip:a@h", seconds(60)), binding("sip:b@h", seconds(90))}));
    run_timers(seconds(59));
    EXPECT_EQ(out.journal_count(), 0U);
    run_timers(seconds(61));
    ASSERT_EQ(out.journal_count(), 1U);
    const auto event = ports::decode_bindings_event(out.journal_event(0));
    ASSERT_TRUE(event);
    EXPECT_EQ(event->aor, "alice");
    EXPECT_EQ(event->header.tenant, kDefaultTenant);
    EXPECT_EQ(event->header.node, 1);
    EXPECT_EQ(event->header.shard, 2);
    EXPECT_EQ(event->header.snapshot_version, 5U);
    EXPECT_EQ(event->header.wall, at(seconds(61)).wall);
    ASSERT_EQ(event->bindings.size(), 1U);
    EXPECT_EQ(event->bindings[0].contact, "sip:b@h");
    EXPECT_EQ(counters.value(Counter::bindings_expired_total), 1U);
    EXPECT_EQ(location.binding_count(), 1U);

    run_timers(seconds(91));
    ASSERT_EQ(out.journal_count(), 2U);
    EXPECT_TRUE(ports::decode_bindings_event(out.journal_event(1))->bindings.empty());
    EXPECT_EQ(counters.value(Counter::bindings_expired_total), 2U);
    EXPECT_EQ(location.address_count(), 0U);
}

TEST_F(Location_Rfc3261_10_3, RefreshedBindingOutlivesItsFirstTimer) {
    ASSERT_TRUE(replace("alice", {binding("sip:a@h", seconds(60))}));
    ASSERT_TRUE(replace("alice", {binding("sip:a@h", seconds(120))}, seconds(50)));
    run_timers(seconds(119));
    EXPECT_EQ(contacts("alice", seconds(119)).size(), 1U);
    EXPECT_EQ(out.journal_count(), 0U);
    run_timers(seconds(121));
    EXPECT_EQ(out.journal_count(), 1U);
}

TEST_F(Location_Behaviour, JumpOfTheWallClockEndsNoBinding) {
    ASSERT_TRUE(replace("alice", {binding("sip:a@h", seconds(60))}));
    Now jumped = at(seconds(10));
    jumped.wall += std::chrono::hours(48);
    EXPECT_EQ(location.lookup(jumped, kDefaultTenant, "alice").size(), 1U);
}

TEST_F(Location_Behaviour, ExpiredBindingThatIsReplacedBeforeItsTimerIsCounted) {
    ASSERT_TRUE(replace("alice", {binding("sip:a@h", seconds(10))}));
    ASSERT_TRUE(replace("alice", {binding("sip:b@h", seconds(100))}, seconds(20)));
    EXPECT_EQ(counters.value(Counter::bindings_expired_total), 1U);
}

TEST_F(Location_Behaviour, FullServiceRefusesANewAddressButRefreshesTheOthers) {
    for (const char* aor : {"a", "b", "c"}) {
        ASSERT_TRUE(replace(aor, {binding("sip:x@h", seconds(60))}));
    }
    EXPECT_FALSE(replace("d", {binding("sip:x@h", seconds(60))}));
    EXPECT_TRUE(contacts("d").empty());
    EXPECT_TRUE(replace("a", {binding("sip:y@h", seconds(60))}));
    EXPECT_TRUE(replace("d", {}));
    ASSERT_TRUE(replace("b", {}));
    EXPECT_TRUE(replace("d", {binding("sip:x@h", seconds(60))}));
}

TEST_F(Location_Behaviour, TextsAndCountsPastTheirLimitsAreRefusedWhole) {
    const std::string longest(kBindingTextBytesMax - 4, 'x');
    EXPECT_TRUE(replace("alice", {binding(longest, seconds(60))}));
    const std::string over = longest + "x";
    EXPECT_FALSE(replace("alice", {binding("sip:a@h", seconds(60)), binding(over, seconds(60))}));
    EXPECT_EQ(contacts("alice"), (Contacts{longest}));
    EXPECT_TRUE(replace(std::string(kAorBytesMax, 'a'), {binding("sip:a@h", seconds(60))}));
    EXPECT_FALSE(replace(std::string(kAorBytesMax + 1, 'a'), {binding("sip:a@h", seconds(60))}));
    EXPECT_TRUE(
        replace("bob", std::vector<Binding>(kBindingsMax, binding("sip:a@h", seconds(60)))));
    EXPECT_FALSE(
        replace("bob", std::vector<Binding>(kBindingsMax + 1, binding("sip:a@h", seconds(60)))));
}

TEST_F(Location_Behaviour, ClosedStreamMarksItsBindingsOnly) {
    ASSERT_TRUE(replace("alice", {binding("sip:a@h", seconds(60), 1000, tcp_flow(1)),
                                  binding("sip:b@h", seconds(60), 900, tcp_flow(2)),
                                  binding("sip:c@h", seconds(60), 800)}));
    ASSERT_TRUE(replace("bob", {binding("sip:d@h", seconds(60), 1000, tcp_flow(1))}));
    location.flow_closed(tcp_flow(1));
    const auto alice = location.lookup(at(seconds(1)), kDefaultTenant, "alice");
    ASSERT_EQ(alice.size(), 3U);
    EXPECT_TRUE(alice[0].is_flow_closed);
    EXPECT_FALSE(alice[1].is_flow_closed);
    EXPECT_FALSE(alice[2].is_flow_closed);
    EXPECT_TRUE(location.lookup(at(seconds(1)), kDefaultTenant, "bob")[0].is_flow_closed);
}

TEST_F(Location_Behaviour, AnotherGenerationOrShardIsAnotherConnection) {
    ASSERT_TRUE(replace("alice", {binding("sip:a@h", seconds(60), 1000, tcp_flow(1, 2, 1))}));
    location.flow_closed(tcp_flow(1, 1, 1));
    location.flow_closed(tcp_flow(1, 2, 0));
    location.flow_closed(udp_flow());
    EXPECT_FALSE(location.lookup(at(seconds(1)), kDefaultTenant, "alice")[0].is_flow_closed);
    location.flow_closed(tcp_flow(1, 2, 1));
    EXPECT_TRUE(location.lookup(at(seconds(1)), kDefaultTenant, "alice")[0].is_flow_closed);
}

TEST_F(Location_Behaviour, BindingThatMovedToANewConnectionForgetsTheOld) {
    ASSERT_TRUE(replace("alice", {binding("sip:a@h", seconds(60), 1000, tcp_flow(1))}));
    ASSERT_TRUE(replace("alice", {binding("sip:a@h", seconds(60), 1000, tcp_flow(2))}));
    location.flow_closed(tcp_flow(1));
    EXPECT_FALSE(location.lookup(at(seconds(1)), kDefaultTenant, "alice")[0].is_flow_closed);
}

TEST_F(Location_Behaviour, ManyBindingsOfOneConnectionComeAndGoInAnyOrder) {
    Location many({0, 0, 1000}, wheel, counters);
    const auto put = [&many](int i, const std::vector<Binding>& bindings) {
        return many.replace(at(seconds(0)), kDefaultTenant, std::to_string(i), bindings, 1);
    };
    for (int i = 0; i < 300; ++i) {
        ASSERT_TRUE(put(i, {binding("sip:a@h", seconds(60), 1000, tcp_flow(1))}));
    }
    for (int i = 0; i < 300; ++i) {
        if (i % 3 == 0) {
            ASSERT_TRUE(put(i, {}));
        } else if (i % 3 == 1) {
            ASSERT_TRUE(put(i, {binding("sip:a@h", seconds(60), 1000, tcp_flow(2))}));
        }
    }
    many.flow_closed(tcp_flow(1));
    for (int i = 0; i < 300; ++i) {
        const auto found = many.lookup(at(seconds(1)), kDefaultTenant, std::to_string(i));
        ASSERT_EQ(found.size(), i % 3 == 0 ? 0U : 1U);
        if (i % 3 == 0) continue;
        EXPECT_EQ(found[0].is_flow_closed, i % 3 == 2) << i;
    }
}

TEST_F(Location_Behaviour, TellsWhoIsRegisteredFromWhere) {
    ASSERT_TRUE(replace("alice", {binding("sip:a@h", seconds(60))}));
    const IpAddress source = udp_flow().remote.address;
    const auto has = [this](Duration when, std::string_view aor, const IpAddress& from) {
        return location.has_live_binding_from(at(when), kDefaultTenant, aor, from);
    };
    EXPECT_TRUE(has(seconds(1), "alice", source));
    EXPECT_FALSE(has(seconds(60), "alice", source));
    EXPECT_FALSE(has(seconds(1), "bob", source));
    EXPECT_FALSE(has(seconds(1), "alice", IpAddress::v4(198, 51, 100, 10)));
}

ports::BindingsEvent restorable() {
    ports::BindingsEvent event;
    event.header.tenant = kDefaultTenant;
    event.aor = "alice";
    ports::BindingRecord live;
    live.contact = "sip:live@h";
    live.expires = kWallStart + seconds(100);
    live.flow = udp_flow();
    ports::BindingRecord expired = live;
    expired.contact = "sip:expired@h";
    expired.expires = kWallStart;
    ports::BindingRecord stream = live;
    stream.contact = "sip:stream@h";
    stream.flow = tcp_flow(1);
    event.bindings = {live, expired, stream};
    return event;
}

TEST_F(Location_Behaviour, RestoreTakesTheLiveWithTheTimeThatIsLeft) {
    // The monotonic clock of the new process began elsewhere.
    const Now now{Instant(seconds(5)), kWallStart};
    location.restore(now, restorable());
    const auto found = location.lookup(now, kDefaultTenant, "alice");
    ASSERT_EQ(found.size(), 2U);
    EXPECT_EQ(found[0].record.contact, "sip:live@h");
    EXPECT_EQ(found[0].expires, Instant(seconds(105)));
    EXPECT_FALSE(found[0].is_flow_closed);
    EXPECT_EQ(found[1].record.contact, "sip:stream@h");
    EXPECT_TRUE(found[1].is_flow_closed);
    EXPECT_EQ(location.binding_count(), 2U);
}

TEST_F(Location_Behaviour, RestoredStreamIsNotTakenForANewConnectionOfItsNumber) {
    location.restore({Instant(seconds(5)), kWallStart}, restorable());
    ASSERT_TRUE(replace("bob", {binding("sip:b@h", seconds(60), 1000, tcp_flow(1))}));
    location.flow_closed(tcp_flow(1));
    EXPECT_TRUE(location.lookup(at(seconds(1)), kDefaultTenant, "bob")[0].is_flow_closed);
    ASSERT_TRUE(replace("alice", {}));
    EXPECT_EQ(location.address_count(), 1U);
}

TEST_F(Location_Behaviour, RestoreOfDamagedTimesStaysBounded) {
    ports::BindingsEvent event = restorable();
    event.bindings[0].expires = WallTime::max();
    event.bindings[1].expires = WallTime(WallTime::duration(0));
    location.restore(at(seconds(1)), event);
    EXPECT_EQ(contacts("alice", std::chrono::hours(24)).front(), "sip:live@h");
}

TEST_F(Location_Behaviour, PagesShowEveryLiveAddressOnce) {
    Location many({0, 0, 100}, wheel, counters);
    for (int i = 0; i < 25; ++i) {
        many.replace(at(seconds(0)), kDefaultTenant, std::to_string(i),
                     std::vector<Binding>{binding("sip:a@h", seconds(i == 7 ? 1 : 60))}, 1);
    }
    many.replace(at(seconds(0)), kDefaultTenant, "3", {}, 1);
    std::vector<std::string> seen;
    uint32_t after = 0;
    int pages = 0;
    do {
        ports::RegistrationsReply reply;
        many.page(at(seconds(2)), after, 10, reply);
        EXPECT_LE(reply.bindings.size(), 10U);
        for (const auto& event : reply.bindings) {
            seen.push_back(event.aor);
            EXPECT_EQ(event.bindings.size(), 1U);
        }
        after = reply.next;
        ++pages;
    } while (after != 0);
    EXPECT_EQ(seen.size(), 23U);
    EXPECT_EQ(seen.front(), "0");
    EXPECT_EQ(seen.back(), "24");
    EXPECT_EQ(pages, 3);
}

TEST_F(Location_Behaviour, PageOfNothingIsTheLast) {
    ports::RegistrationsReply reply;
    location.page(at(seconds(0)), 0, 10, reply);
    EXPECT_TRUE(reply.bindings.empty());
    EXPECT_EQ(reply.next, 0U);
}

TEST_F(Location_Behaviour, ContactCostsAtMost450Octets) {
    constexpr int kCount = 5000;
    Location many({0, 0, kCount}, wheel, counters);
    for (int i = 0; i < kCount; ++i) {
        Binding made = binding("sip:subscriber1@198.51.100.9:5062;transport=udp", seconds(3600));
        made.record.parameters =
            ";+sip.instance=\"<urn:uuid:00000000-0000-4000-8000-000000000001>\"";
        made.record.call_id = "1f7d3a5c9b2e4d6f8a0b1c2d3e4f5a6b@198.51.100.9";
        made.record.user_agent = "Example Phone 1.2.3.4 000000000000";
        const std::string aor = "subscriber" + std::to_string(i);
        ASSERT_TRUE(
            many.replace(at(seconds(0)), kDefaultTenant, aor, std::vector<Binding>{made}, 1));
    }
    // Beside the blocks: a slab's place with its timer, and an entry of the index that is at least
    // 7/16 full.
    constexpr size_t kPlace = 88;
    constexpr size_t kIndexEntry = 12;
    EXPECT_LE(many.bytes() / kCount + kPlace + kIndexEntry, 450U);
}

}  // namespace
}  // namespace signalbox::location
