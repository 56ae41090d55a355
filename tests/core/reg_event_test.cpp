// Subscriptions to registrations, from SUBSCRIBE to the last NOTIFY.
// Covers: RFC 3680 §4, §5; RFC 5627 §4.4 (our NOTIFY); RFC 5628 §5; RFC 6665 §4.1.2, §4.2.1,
// §4.2.2, §4.4.
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
using RegEvent_Rfc3261_20_1 = RegEventTest;
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

TEST_F(RegEvent_Rfc3261_20_1, AQOfZeroSaysThatATypeIsNotAcceptable) {
    for (const char* accept : {"application/reginfo+xml;q=0", "application/reginfo+xml ; Q=0.000",
                               "*/*, application/reginfo+xml;q=0", "application/*;q=0, */*;q=0.5",
                               "text/plain, application/reginfo+xml;level=1;q=0.0"}) {
        RequestText request = subscribe();
        Outgoing refused = watcher.send(request.with("Accept: " + std::string(accept)));
        refused.expect(406);
        EXPECT_EQ(refused.response().header("Accept"), "application/reginfo+xml");
    }
    EXPECT_TRUE(watcher.is_silent());
    for (const char* accept :
         {"application/reginfo+xml;q=0.001", "*/*;q=0, application/reginfo+xml",
          "application/reginfo+xml, application/*;q=0"}) {
        RequestText request = subscribe();
        watcher.send(request.with("Accept: " + std::string(accept))).expect(200);
        watcher.expects("NOTIFY");
    }
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

TEST_F(RegEvent_Rfc6665_4_2, FailureWithARetryAfterPutsTheNotifyOff) {
    watcher.send(subscribe()).expect(200);
    watcher.expects("NOTIFY").answers(503, {"Retry-After: 20"});
    registers(600);
    EXPECT_TRUE(watcher.is_silent());
    world.wait(seconds(19));
    EXPECT_TRUE(watcher.is_silent());
    world.wait(seconds(1));
    const Message again = notified();
    EXPECT_EQ(again.header("Subscription-State"), "active;expires=580");
    EXPECT_TRUE(has(again, "state=\"full\""));
    EXPECT_TRUE(has(again, bob.contact()));
    EXPECT_EQ(world.count(Counter::notifications_put_off_total), 1U);
}

TEST_F(RegEvent_Rfc6665_4_2, RetryAfterOfNothingIsFiveSeconds) {
    watcher.send(subscribe()).expect(200);
    watcher.expects("NOTIFY").answers(503, {"Retry-After: 0"});
    world.wait(std::chrono::milliseconds(4900));
    EXPECT_TRUE(watcher.is_silent());
    world.wait(std::chrono::milliseconds(200));
    notified();
}

TEST_F(RegEvent_Rfc6665_4_2, RetryAfterDoesNotSave481NorPutTheEndOff) {
    watcher.send(subscribe()).expect(200);
    watcher.expects("NOTIFY").answers(481, {"Retry-After: 20"});
    world.wait(seconds(30));
    EXPECT_TRUE(watcher.is_silent());
    watcher.send(subscribe("60")).expect(200);
    watcher.expects("NOTIFY").answers(500, {"Retry-After: 1000"});
    world.wait(seconds(60));
    EXPECT_EQ(notified().header("Subscription-State"), "terminated;reason=timeout");
    world.wait(seconds(1000));
    watcher.take_kinds();
    registers();
    EXPECT_TRUE(watcher.is_silent());
}

TEST_F(RegEvent_Rfc6665_4_2, ADrainEndsSubscriptionsSoThatTheyAreMadeAnew) {
    Outgoing sent = watcher.send(subscribe()).expect(200);
    notified();
    world.command(0, ports::Drain{});
    world.wait(seconds(0));
    world.command(0, ports::QueryStats{1});
    EXPECT_FALSE(std::get<ports::StatsReply>(world.replies.back().value).is_idle);
    EXPECT_EQ(notified().header("Subscription-State"), "terminated;reason=deactivated");
    world.command(0, ports::QueryStats{2});
    EXPECT_TRUE(std::get<ports::StatsReply>(world.replies.back().value).is_idle);
    Outgoing refused = watcher.send(subscribe()).expect(503);
    EXPECT_FALSE(refused.response().header("Retry-After").empty());
    Dialog dialog = sent.dialog();
    RequestText refresh = watcher.make_in(dialog, "SUBSCRIBE");
    watcher.send(refresh.with("Event: reg")).expect(481);
}

TEST_F(RegEvent_Rfc6665_4_2, ADrainDoesNotWaitForAWatcherThatIsSilent) {
    watcher.send(subscribe()).expect(200);
    watcher.expects("NOTIFY");
    world.command(0, ports::Drain{});
    world.wait(seconds(2));
    world.command(0, ports::QueryStats{1});
    EXPECT_TRUE(std::get<ports::StatsReply>(world.replies.back().value).is_idle);
}

TEST_F(RegEvent_Rfc6665_4_2, ShortExpiryIsToldTheShortestOne) {
    Outgoing refused = watcher.send(subscribe("30")).expect(423);
    EXPECT_EQ(refused.response().header("Min-Expires"), "60");
}

TEST_F(RegEvent_Rfc6665_4_2, ForkedSubscribeIsServedOnce) {
    RequestText request = subscribe();
    watcher.send(request).expect(200);
    notified();
    request.via = watcher.fresh_via();
    watcher.send(request).expect(482);
    EXPECT_TRUE(watcher.is_silent());
}

TEST_F(RegEvent_Rfc6665_4_2, RetransmittedSubscribeGetsTheSameAnswerAndNoMoreNotifies) {
    Outgoing sent = watcher.send(subscribe()).expect(200);
    notified();
    sent.retransmit().expect(200);
    EXPECT_TRUE(watcher.is_silent());
}

TEST_F(RegEvent_Rfc6665_4_2, RefreshOfAnotherPackageIs489AndOfAnotherIdIs481) {
    Outgoing sent = watcher.send(subscribe()).expect(200);
    notified();
    Dialog dialog = sent.dialog();
    for (const char* event : {"", "Event: presence"}) {
        RequestText refresh = watcher.make_in(dialog, "SUBSCRIBE");
        if (*event != 0) refresh.with(event);
        Outgoing refused = watcher.send(refresh).expect(489);
        EXPECT_EQ(refused.response().header("Allow-Events"), "reg");
    }
    RequestText other = watcher.make_in(dialog, "SUBSCRIBE");
    watcher.send(other.with("Event: reg;id=2")).expect(481);
    RequestText same = watcher.make_in(dialog, "SUBSCRIBE");
    watcher.send(same.with("Event: reg")).expect(200);
}

// --- GRUUs

constexpr const char* kInstance =
    ";+sip.instance=\"<urn:uuid:00000000-0000-4000-8000-0000000000a0>\"";

struct GruuWatcherTest : RegEventTest {
    explicit GruuWatcherTest(uint8_t shards = 1) : RegEventTest(shards) {
        world.add_user(user_record("ann"));
    }
    Phone& ann_at(const std::string& address) {
        return world.phone({"ann", "example.test", address, transport::Transport::Tcp, {}});
    }
    /// The phone's public GRUU.
    std::string ann_registers(Phone& phone, const std::string& call_id) {
        RequestText request = phone.registration();
        request.contact = "<" + phone.contact() + ">" + kInstance;
        request.call_id = call_id;
        const std::string contact =
            phone.send(request.with("Supported: gruu")).expect(200).response().header("Contact");
        const size_t begin = contact.find("pub-gruu=\"") + 10;
        return contact.substr(begin, contact.find('"', begin) - begin);
    }
    RequestText subscribe_by(Phone& phone, const std::string& contact) {
        RequestText request = phone.make("SUBSCRIBE", "sip:bob@example.test");
        request.contact = contact;
        return request.with("Event: reg").with("Expires: 600");
    }
};
using RegEvent_Rfc5627_4_4 = GruuWatcherTest;
using RegEvent_Rfc5628_5 = GruuWatcherTest;

TEST_F(RegEvent_Rfc5628_5, ContactsWithAnInstanceAreShownWithTheirGruus) {
    RequestText request = bob.registration(60);
    request.contact = "<" + bob.contact() + ">" + kInstance;
    bob.send(request).expect(200);
    watcher.send(subscribe()).expect(200);
    const Message first = notified();
    EXPECT_TRUE(has(first,
                    "<gr:pub-gruu uri=\"sip:bob@example.test;"
                    "gr=urn:uuid:00000000-0000-4000-8000-0000000000a0\"/>"));
    const std::string body = first.body();
    const size_t begin = body.find("<gr:temp-gruu uri=\"") + 19;
    const std::string gruu = body.substr(begin, body.find('"', begin) - begin);
    watcher.send(watcher.make("INVITE", gruu)).expect(100);
    EXPECT_EQ(bob.expects("INVITE").message().uri(), bob.contact());
}

TEST_F(RegEvent_Rfc5628_5, OthersAreShownWithout) {
    registers(60);
    watcher.send(subscribe()).expect(200);
    EXPECT_FALSE(has(notified(), "gr:pub-gruu"));
}

TEST_F(RegEvent_Rfc5627_4_4, NotifyToAGruuFollowsThePhoneToItsNewConnection) {
    Phone& before = ann_at("198.51.100.50:40001");
    const std::string gruu = ann_registers(before, "c1");
    before.send(subscribe_by(before, "<" + gruu + ">")).expect(200);
    const Incoming first = before.expects("NOTIFY");
    EXPECT_EQ(first.message().uri(), before.contact());
    std::string answer = first.response(200);
    const size_t contact = answer.find("Contact: <") + 10;
    answer.replace(contact, answer.find('>', contact) - contact, gruu);
    before.send_text(answer);
    Phone& after = ann_at("198.51.100.50:40002");
    world.close_flow(before);
    ann_registers(after, "c2");
    registers(600);
    EXPECT_EQ(after.expects("NOTIFY").message().uri(), after.contact());
    EXPECT_TRUE(before.is_silent());
}

TEST_F(RegEvent_Rfc5627_4_4, GruuOfAPhoneThatIsNotRegisteredTakesTheFlowOfItsSubscribe) {
    Phone& phone = ann_at("198.51.100.50:40001");
    const std::string gruu =
        "sip:ann@example.test;gr=urn:uuid:00000000-0000-4000-8000-0000000000a0";
    phone.send(subscribe_by(phone, "<" + gruu + ">")).expect(200);
    EXPECT_EQ(phone.expects("NOTIFY").message().uri(), gruu);
}

TEST_F(RegEvent_Rfc5627_4_4, WhenTheFlowIsGoneThatOfTheInstanceIsUsed) {
    Phone& before = ann_at("198.51.100.50:40001");
    before.send(subscribe_by(before, std::string("<sip:ann@10.0.0.5>") + kInstance)).expect(200);
    before.expects("NOTIFY");
    Phone& after = ann_at("198.51.100.50:40002");
    ann_registers(after, "c2");
    world.fail_last_request();
    const Message notify = after.expects("NOTIFY").message();
    EXPECT_EQ(notify.uri(), after.contact());
    EXPECT_TRUE(has(notify, "state=\"full\""));
}

TEST_F(RegEvent_Rfc5627_4_4, WhenNoWayIsLeftTheSubscriptionEnds) {
    Phone& phone = ann_at("198.51.100.50:40001");
    phone.send(subscribe_by(phone, std::string("<sip:ann@10.0.0.5>") + kInstance)).expect(200);
    phone.expects("NOTIFY");
    world.fail_last_request();
    EXPECT_EQ(world.count(Counter::subscriptions_unreachable_total), 1U);
    registers();
    EXPECT_TRUE(phone.is_silent());
}

struct GruuWatcherOverShardsTest : GruuWatcherTest {
    GruuWatcherOverShardsTest() : GruuWatcherTest(3) {}
};
using RegEvent_Rfc5627_4_4_Shards = GruuWatcherOverShardsTest;

TEST_F(RegEvent_Rfc5627_4_4_Shards, AnyShardFindsTheWatchersPhone) {
    for (const char* user : {"bob", "carl", "dora", "emil", "fritz", "gerd"}) {
        world.add_user(user_record(user));
        Phone& phone = ann_at("198.51.100.50:40001");
        const std::string gruu = ann_registers(phone, user);
        RequestText request = phone.make("SUBSCRIBE", std::string("sip:") + user + "@example.test");
        request.contact = "<" + gruu + ">";
        phone.send(request.with("Event: reg")).expect(200);
        EXPECT_EQ(phone.expects("NOTIFY").message().uri(), phone.contact()) << user;
    }
}

TEST_F(RegEvent_Rfc5627_4_4_Shards, AShardThatDoesNotAnswerIsNotWaitedForLong) {
    world.drops_shard_messages = true;
    for (const char* user : {"bob", "carl", "dora", "emil", "fritz", "gerd"}) {
        world.add_user(user_record(user));
        Phone& phone = ann_at("198.51.100.50:40001");
        RequestText request = phone.make("SUBSCRIBE", std::string("sip:") + user + "@example.test");
        request.contact = "<sip:ann@example.test;gr=urn:x:1>";
        phone.send(request.with("Event: reg")).expect(200);
        world.wait(seconds(5));
        EXPECT_EQ(phone.take_kinds().substr(0, 6), "NOTIFY") << user;
    }
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
        RequestText other = watcher.make_in(dialog, "SUBSCRIBE");
        watcher.send(other.with("Event: presence")).expect(489);
    }
}

}  // namespace
}  // namespace signalbox::core::testing
