// Subscriptions to registrations, from SUBSCRIBE to the last NOTIFY.
// Covers: RFC 3680 §4, §5; RFC 6665 §4.1.2, §4.2.1, §4.2.2, §4.4.
// Not covered: the document's escaping (presence/reg_info_test).
#include <gtest/gtest.h>

#include "tests/core/core_harness.h"

namespace signalbox::core::testing {
namespace {

using std::chrono::seconds;

ports::Snapshot trusting() {
    ports::Snapshot snapshot = default_snapshot();
    snapshot.trusted = {*Network::parse("198.51.100.0/24")};
    return snapshot;
}

struct RegEventTest : ::testing::Test {
    explicit RegEventTest(uint8_t shards = 1) : world(trusting(), shards) {
        world.add_user(user_record("bob"));
    }
    RequestText subscribe(const std::string& expires = "600") {
        RequestText request = watcher.make("SUBSCRIBE", "sip:bob@example.test");
        request.with("Event: reg");
        if (!expires.empty()) request.with("Expires: " + expires);
        return request;
    }
    /// The NOTIFY, answered 200.
    Message notified(int status = 200) {
        const Incoming got = watcher.expects("NOTIFY");
        got.answers(status);
        return got.message();
    }
    void registers(uint32_t expires_s = 60, const std::string& call_id = "r") {
        RequestText request = bob.registration(expires_s);
        request.call_id = call_id;
        request.cseq = ++cseq;
        bob.send(request).expect(200);
    }
    static bool has(const Message& message, std::string_view part) {
        return message.body().find(part) != std::string::npos;
    }

    World world;
    Phone& watcher = world.stranger("watcher", "198.51.100.40:5060");
    Phone& bob = world.phone({"bob", "example.test", "198.51.100.20:5060", {}, {}});
    uint32_t cseq = 0;
};

using RegEvent_Rfc3680_5 = RegEventTest;
using RegEvent_Rfc6665_4_2 = RegEventTest;
using RegEvent_Rfc6665_4_1 = RegEventTest;
using RegEvent_Rfc3680_4_8 = RegEventTest;

TEST_F(RegEvent_Rfc6665_4_2, SubscribeIsAcceptedAndFollowedByAllThatIsRegistered) {
    registers();
    Outgoing sent = watcher.send(subscribe()).expect(200);
    EXPECT_EQ(sent.response().header("Expires"), "600");
    EXPECT_EQ(sent.response().header("Contact"), "<sip:bob@192.0.2.1:5060>");
    const Message first = notified();
    EXPECT_EQ(first.header("Event"), "reg");
    EXPECT_EQ(first.header("Subscription-State"), "active;expires=600");
    EXPECT_EQ(first.header("Content-Type"), "application/reginfo+xml");
    EXPECT_EQ(first.header("To"), sent.request().from);
    EXPECT_EQ(first.header("From"), sent.response().header("To"));
    EXPECT_EQ(first.header("Call-ID"), sent.request().call_id);
    EXPECT_TRUE(has(first, "version=\"0\" state=\"full\""));
    EXPECT_TRUE(has(first, "aor=\"sip:bob@example.test\""));
    EXPECT_TRUE(has(first, "state=\"active\" event=\"registered\" expires=\"60\""));
    EXPECT_TRUE(has(first, "<uri>" + bob.contact() + "</uri>"));
}

TEST_F(RegEvent_Rfc3680_5, ChangesAreToldAsPartialDocuments) {
    watcher.send(subscribe()).expect(200);
    EXPECT_TRUE(has(notified(), "state=\"init\""));
    registers();
    const Message created = notified();
    EXPECT_TRUE(has(created, "version=\"1\" state=\"partial\""));
    EXPECT_TRUE(has(created, "event=\"created\""));
    world.wait(seconds(1));
    registers(60);
    EXPECT_TRUE(has(notified(), "event=\"refreshed\""));
    world.wait(seconds(1));
    registers(0);
    const Message gone = notified();
    EXPECT_TRUE(has(gone, "event=\"unregistered\""));
    EXPECT_TRUE(has(gone, "<uri>" + bob.contact() + "</uri>"));
    EXPECT_TRUE(has(gone, "state=\"terminated\">\n<contact"));
}

TEST_F(RegEvent_Rfc3680_5, ExpiryIsToldToo) {
    registers(60);
    watcher.send(subscribe()).expect(200);
    notified();
    world.wait(seconds(61));
    EXPECT_TRUE(has(notified(), "event=\"expired\""));
}

TEST_F(RegEvent_Rfc3680_5, FetchOfAPhoneChangesNothing) {
    registers();
    watcher.send(subscribe()).expect(200);
    notified();
    RequestText fetch = bob.registration();
    fetch.contact.clear();
    bob.send(fetch).expect(200);
    EXPECT_TRUE(watcher.is_silent());
}

TEST_F(RegEvent_Rfc6665_4_2, OneNotifyAtATimeAndThenWhatCameMeanwhile) {
    watcher.send(subscribe()).expect(200);
    const Incoming first = watcher.expects("NOTIFY");
    registers();
    EXPECT_TRUE(watcher.is_silent());
    first.answers(200);
    EXPECT_TRUE(has(notified(), "event=\"created\""));
    EXPECT_TRUE(watcher.is_silent());
}

TEST_F(RegEvent_Rfc6665_4_2, EndsWithItsTime) {
    registers(600);
    watcher.send(subscribe("60")).expect(200);
    notified();
    world.wait(seconds(61));
    const Message last = notified();
    EXPECT_EQ(last.header("Subscription-State"), "terminated;reason=timeout");
    watcher.take_kinds();  // what was sent again before it was answered
    registers(0);
    EXPECT_TRUE(watcher.is_silent());
}

TEST_F(RegEvent_Rfc6665_4_1, RefreshProlongsAndShowsEverything) {
    registers(600);
    Outgoing sent = watcher.send(subscribe("60")).expect(200);
    notified();
    world.wait(seconds(40));
    Dialog dialog = sent.dialog();
    RequestText refresh = watcher.make_in(dialog, "SUBSCRIBE");
    watcher.send(refresh.with("Event: reg").with("Expires: 60")).expect(200);
    EXPECT_TRUE(has(notified(), "version=\"1\" state=\"full\""));
    world.wait(seconds(40));
    EXPECT_TRUE(watcher.is_silent());
}

TEST_F(RegEvent_Rfc6665_4_1, UnsubscribingIsAnsweredByTheLastNotify) {
    Outgoing sent = watcher.send(subscribe()).expect(200);
    notified();
    Dialog dialog = sent.dialog();
    RequestText end = watcher.make_in(dialog, "SUBSCRIBE");
    watcher.send(end.with("Event: reg").with("Expires: 0")).expect(200);
    EXPECT_EQ(notified().header("Subscription-State"), "terminated;reason=timeout");
    RequestText late = watcher.make_in(dialog, "SUBSCRIBE");
    watcher.send(late.with("Event: reg")).expect(481);
    registers();
    EXPECT_TRUE(watcher.is_silent());
}

TEST_F(RegEvent_Rfc6665_4_1, ExpiresZeroFetchesOnce) {
    registers();
    watcher.send(subscribe("0")).expect(200);
    const Message only = notified();
    EXPECT_EQ(only.header("Subscription-State"), "terminated;reason=timeout");
    EXPECT_TRUE(has(only, bob.contact()));
    world.wait(seconds(1));
    registers();
    EXPECT_TRUE(watcher.is_silent());
}

TEST_F(RegEvent_Rfc6665_4_2, FailedNotifyEndsTheSubscription) {
    watcher.send(subscribe()).expect(200);
    notified(481);
    registers();
    EXPECT_TRUE(watcher.is_silent());
    EXPECT_EQ(world.count(Counter::notifications_failed_total), 1U);
}

TEST_F(RegEvent_Rfc6665_4_2, UnansweredNotifyEndsTheSubscription) {
    watcher.send(subscribe()).expect(200);
    watcher.expects("NOTIFY");
    world.wait(seconds(33));
    watcher.take_kinds();
    registers();
    EXPECT_TRUE(watcher.is_silent());
}

TEST_F(RegEvent_Rfc6665_4_2, RecordRouteBecomesTheRouteOfTheNotify) {
    RequestText request = subscribe();
    request.with("Record-Route: <sip:198.51.100.40;lr>, <sip:inner.test;lr>");
    watcher.send(request).expect(200);
    const Message first = notified();
    EXPECT_EQ(first.values("Route"),
              (std::vector<std::string>{"<sip:198.51.100.40;lr>", "<sip:inner.test;lr>"}));
}

TEST_F(RegEvent_Rfc3680_4_8, OnlyTheUserHimselfAndTrustedPeersMayWatch) {
    world.add_user(user_record("eve"));
    Phone& eve = world.phone({"eve", "example.test", "203.0.113.7:5060", {}, {}});
    RequestText request = eve.make("SUBSCRIBE", "sip:bob@example.test");
    request.with("Event: reg");
    Outgoing refused = eve.send(request).expect(401);
    eve.send(eve.with_credentials(request, refused.response(), "secret")).expect(403);
    Phone& own = world.phone({"bob", "example.test", "203.0.113.8:5060", {}, {}});
    RequestText mine = own.make("SUBSCRIBE", "sip:bob@example.test");
    mine.with("Event: reg");
    Outgoing challenged = own.send(mine).expect(401);
    own.send(own.with_credentials(mine, challenged.response(), "secret")).expect(200);
    own.expects("NOTIFY");
}

TEST_F(RegEvent_Rfc6665_4_2, WhatCannotBeServedIsRefused) {
    watcher.send(subscribe("30")).expect(423);
    RequestText no_type = subscribe();
    watcher.send(no_type.with("Accept: text/plain")).expect(406);
    RequestText nobody = watcher.make("SUBSCRIBE", "sip:nobody@example.test");
    watcher.send(nobody.with("Event: reg")).expect(404);
    RequestText no_contact = subscribe();
    no_contact.contact.clear();
    watcher.send(no_contact).expect(400);
    EXPECT_TRUE(watcher.is_silent());
}

TEST_F(RegEvent_Rfc6665_4_2, OtherPackagesGoToThePhone) {
    registers();
    RequestText request = watcher.make("SUBSCRIBE", "sip:bob@example.test");
    watcher.send(request.with("Event: dialog"));
    bob.expects("SUBSCRIBE");
}

TEST_F(RegEvent_Rfc6665_4_2, WatchersOfOneUserAreBounded) {
    for (int i = 0; i < 32; ++i) {
        watcher.send(subscribe()).expect(200);
        notified();
    }
    watcher.send(subscribe()).expect(503);
}

struct RegEventOverShardsTest : RegEventTest {
    RegEventOverShardsTest() : RegEventTest(3) {}
};
using RegEvent_Shards = RegEventOverShardsTest;

TEST_F(RegEvent_Shards, SubscriptionAndItsRefreshFindTheShardOfTheUser) {
    for (int i = 0; i < 6; ++i) {
        Outgoing sent = watcher.send(subscribe()).expect(200);
        notified();
        Dialog dialog = sent.dialog();
        RequestText refresh = watcher.make_in(dialog, "SUBSCRIBE");
        watcher.send(refresh.with("Event: reg")).expect(200);
        notified();
    }
}

}  // namespace
}  // namespace signalbox::core::testing
