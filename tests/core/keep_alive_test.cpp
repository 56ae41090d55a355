// Phones behind NATs that are kept reachable by an OPTIONS now and then.
// Covers: RFC 3261 §11.1 (the request), RFC 4787 §4.3 (the interval), RFC 5626 §4.4 (who needs
// none). Not covered: a router that forgets (e2e/nat).
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/core/core_harness.h"

namespace signalbox::core::testing {
namespace {

using std::chrono::seconds;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::StartsWith;
using transport::Transport;

constexpr Duration kInterval = seconds(20);
constexpr std::string_view kPrivate = "10.0.0.7:5060";

ports::Snapshot keeping(Duration interval) {
    ports::Snapshot snapshot = default_snapshot();
    snapshot.registrar.nat_keep_alive = interval;
    snapshot.trusted = {*Network::parse("203.0.113.0/24")};
    return snapshot;
}

/// A phone of each user behind a router of its own.
struct KeepAliveWorld : World {
    using World::phone;
    explicit KeepAliveWorld(Duration interval = kInterval, uint8_t shards = 1)
        : World(keeping(interval), shards) {}
    Phone& phone_of(const std::string& user, std::string_view contact = kPrivate,
                    Transport transport = Transport::Udp) {
        add_user(user_record(user));
        return phone({user, "example.test", "203.0.113.30:" + std::to_string(++port_), transport,
                      std::string(contact)});
    }

 private:
    uint16_t port_ = 20000;
};

void registers(Phone& phone) {
    phone.send(phone.registration()).expect(200);
}

struct KeepAliveTest : ::testing::Test {
    KeepAliveWorld world;
    Phone& phone = world.phone_of("bob");
};

using KeepAlive_Rfc4787_4_3 = KeepAliveTest;
using KeepAlive_Rfc3261_11_1 = KeepAliveTest;
using KeepAlive_Rfc5626_4_4 = KeepAliveTest;

TEST_F(KeepAlive_Rfc4787_4_3, APhoneBehindANatIsAskedOnceInEachInterval) {
    registers(phone);
    world.wait(kInterval - seconds(1));
    EXPECT_TRUE(phone.is_silent());
    for (int i = 0; i < 5; ++i) {
        world.wait(seconds(1));
        phone.expects("OPTIONS").answers(200);
        world.wait(kInterval - seconds(1));
        EXPECT_TRUE(phone.is_silent()) << i;
    }
    EXPECT_EQ(world.count(Counter::nat_keep_alives_sent_total), 5U);
    EXPECT_EQ(world.count(Counter::nat_keep_alives_answered_total), 5U);
    EXPECT_EQ(world.count(Counter::stray_responses_dropped_total), 0U);
}

TEST(KeepAlive_Behaviour, NobodyWaitsLongerThanAnIntervalAndAQuarter) {
    for (int after = 1; after < 20; ++after) {
        KeepAliveWorld world;
        registers(world.phone_of("bob"));
        world.wait(seconds(after));
        Phone& late = world.phone_of("carol");
        registers(late);
        world.wait(kInterval * 5 / 4);
        EXPECT_THAT(late.take_kinds(), StartsWith("OPTIONS")) << after;
    }
}

TEST_F(KeepAlive_Rfc4787_4_3, ManyPhonesTakeTheirTurnsOverTheInterval) {
    std::vector<Phone*> phones;
    for (int i = 0; i < 200; ++i) {
        phones.push_back(&world.phone_of("user" + std::to_string(i)));
        registers(*phones.back());
    }
    world.wait(kInterval - std::chrono::milliseconds(50));
    for (Phone* each : phones) each->take_kinds();
    uint64_t before = world.count(Counter::nat_keep_alives_sent_total);
    for (int second = 0; second < 20; ++second) {
        world.wait(seconds(1));
        const uint64_t sent = world.count(Counter::nat_keep_alives_sent_total);
        EXPECT_LE(sent - before, 11U) << second;
        before = sent;
    }
    for (Phone* each : phones) EXPECT_EQ(each->take_kinds(), "OPTIONS");
}

TEST_F(KeepAlive_Rfc3261_11_1, TheRequestIsWholeAndGoesWhereThePhoneIsSeen) {
    registers(phone);
    world.wait(kInterval);
    const Message request = phone.expects("OPTIONS").message();
    EXPECT_EQ(request.uri(), phone.contact());
    EXPECT_THAT(request.header("Via"),
                StartsWith("SIP/2.0/UDP 192.0.2.1:5060;rport;branch=z9hG4bK"));
    EXPECT_THAT(request.header("From"), HasSubstr(";tag="));
    EXPECT_EQ(request.header("To"), "<" + phone.contact() + ">");
    EXPECT_EQ(request.header("CSeq"), "1 OPTIONS");
    EXPECT_EQ(request.header("Max-Forwards"), "70");
    EXPECT_EQ(request.header("Content-Length"), "0");
    world.wait(kInterval);
    const Message next = phone.expects("OPTIONS").message();
    for (const char* name : {"Via", "From", "Call-ID"})
        EXPECT_NE(next.header(name), request.header(name)) << name;
}

TEST_F(KeepAlive_Rfc5626_4_4, WhoNeedsNoneGetsNone) {
    Phone& open = world.phone_of("alice", "203.0.113.30:5060");
    registers(open);
    Phone& connected = world.phone_of("dora", kPrivate, Transport::Tcp);
    registers(connected);
    Phone& promising = world.phone_of("carol");
    RequestText request = promising.registration();
    request.contact =
        "<" + promising.contact() +
        ">;reg-id=1;+sip.instance=\"<urn:uuid:00000000-0000-4000-8000-00000000000a>\"";
    request.with("Supported: outbound, path");
    promising.send(request).expect(200);
    world.wait(kInterval * 3);
    EXPECT_TRUE(open.is_silent() && connected.is_silent() && promising.is_silent());
    EXPECT_EQ(world.count(Counter::nat_keep_alives_sent_total), 0U);
}

TEST_F(KeepAlive_Rfc4787_4_3, EndsWithTheBindingAndBeginsAgainWithTheNext) {
    registers(phone);
    phone.send(phone.registration(0)).expect(200);
    world.wait(kInterval * 3);
    EXPECT_TRUE(phone.is_silent());
    EXPECT_TRUE(world.is_empty());
    registers(phone);
    world.wait(kInterval * 5 / 4);
    phone.expects("OPTIONS");
}

TEST_F(KeepAlive_Rfc4787_4_3, ARestoredBindingIsAskedToo) {
    ports::RestoreBindings restore;
    ports::BindingsEvent event;
    event.header.tenant = ports::kDefaultTenant;
    event.aor = "bob";
    ports::BindingRecord record;
    record.contact = phone.contact();
    record.is_nated = true;
    record.flow = phone.flow();
    record.expires = world.now.wall + std::chrono::hours(1);
    event.bindings.push_back(record);
    restore.bindings.push_back(event);
    world.command(0, restore);
    world.wait(kInterval);
    phone.expects("OPTIONS");
}

TEST(KeepAlive_Rfc3261_19_1_1, AContactThatDoesNotFitIsNotAsked) {
    for (const std::string contact :
         {"<sips:bob@10.0.0.7:5060>", "<sip:bob@10.0.0.7:5060?Subject=x>",
          "<sip:bob@10.0.0.7:5060;method=INVITE>", "<tel:+4930123>"}) {
        KeepAliveWorld world;
        Phone& phone = world.phone_of("bob");
        RequestText request = phone.registration();
        request.contact = contact;
        phone.send(request).expect(200);
        world.wait(kInterval * 3);
        EXPECT_TRUE(phone.is_silent()) << contact;
    }
}

TEST(KeepAlive_Behaviour, NothingIsSentWhereItIsTurnedOff) {
    KeepAliveWorld world(Duration{});
    Phone& phone = world.phone_of("bob");
    registers(phone);
    world.wait(kInterval * 10);
    EXPECT_TRUE(phone.is_silent());
}

TEST(KeepAlive_Behaviour, AnotherIntervalHoldsAtOnce) {
    KeepAliveWorld world(std::chrono::hours(1));
    for (int i = 0; i < 3; ++i) {
        Phone& phone = world.phone_of("user" + std::to_string(i));
        registers(phone);
        world.wait(seconds(30));
        EXPECT_TRUE(phone.is_silent());
    }
    ports::Snapshot sooner = world.snapshot;
    sooner.version += 1;
    sooner.registrar.nat_keep_alive = kInterval;
    world.command(0, ports::InstallSnapshot{&sooner});
    world.wait(kInterval);
    EXPECT_GE(world.count(Counter::nat_keep_alives_sent_total), 3U);
}

TEST(KeepAlive_Behaviour, TheAnswerFindsTheShardThatAsked) {
    KeepAliveWorld world(kInterval, 2);
    for (int i = 0; i < 8; ++i) {
        Phone& phone = world.phone_of("user" + std::to_string(i));
        registers(phone);
        world.wait(kInterval * 5 / 4);
        phone.expects("OPTIONS").answers(404);
    }
    EXPECT_EQ(world.count(Counter::nat_keep_alives_answered_total), 8U);
    EXPECT_EQ(world.count(Counter::rx_response_sent_by_mismatch_dropped_total), 0U);
}

}  // namespace
}  // namespace signalbox::core::testing
