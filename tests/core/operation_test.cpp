// What the operator does to a core: new configurations, draining, restarts and questions.
// Covers: the commands of ports/command.h. Not covered: the pages of registrations beyond one
// (location_test).
#include <gtest/gtest.h>

#include "tests/core/core_harness.h"

namespace signalbox::core::testing {
namespace {

using std::chrono::hours;
using std::chrono::seconds;

struct OperationTest : ::testing::Test {
    World world;
    Phone& alice = world.stranger();
    Phone& bob = world.registered("bob", "198.51.100.20:5060");

    ports::StatsReply stats() {
        world.command(0, ports::QueryStats{9});
        EXPECT_EQ(world.replies.back().id, 9U);
        return std::get<ports::StatsReply>(world.replies.back().value);
    }
};

using Snapshots_Behaviour = OperationTest;
using Drain_Behaviour = OperationTest;
using Restart_Behaviour = OperationTest;
using Query_Behaviour = OperationTest;

TEST_F(Snapshots_Behaviour, ACallKeepsTheConfigurationWithWhichItBegan) {
    Outgoing call = alice.invite(bob).expect(100);
    const Incoming leg = bob.expects("INVITE");
    ports::Snapshot next = default_snapshot();
    next.version = 2;
    next.server_name = "Second";
    world.command(0, ports::InstallSnapshot{&next});
    EXPECT_TRUE(world.released.empty());
    // Timer B ends the old call with a response of the old configuration.
    Outgoing fresh = alice.send(alice.make("OPTIONS", "sip:example.test")).expect(200);
    EXPECT_EQ(fresh.response().header("Server"), "Second");
    world.wait(seconds(33));
    bob.take_kinds();
    call.expect(408);
    EXPECT_FALSE(call.response().has("Server"));
    EXPECT_EQ(world.released, (std::vector<const ports::Snapshot*>{&world.snapshot}));
    EXPECT_EQ(world.records().at(0).snapshot_version, 1U);
}

TEST_F(Snapshots_Behaviour, AnUnusedConfigurationIsReleasedAtOnce) {
    ports::Snapshot second = default_snapshot(), third = default_snapshot();
    world.command(0, ports::InstallSnapshot{&second});
    EXPECT_EQ(world.released.size(), 1U);
    world.command(0, ports::InstallSnapshot{&third});
    EXPECT_EQ(world.released, (std::vector<const ports::Snapshot*>{&world.snapshot, &second}));
    EXPECT_EQ(world.count(Counter::config_reloads_total), 2U);
}

TEST_F(Snapshots_Behaviour, TheSeventeenthLiveConfigurationIsRefused) {
    std::vector<ports::Snapshot> more(16, default_snapshot());
    for (size_t i = 0; i < 15; ++i) {
        alice.invite(bob).expect(100);  // keeps the current one in use
        world.command(0, ports::InstallSnapshot{&more[i]});
    }
    EXPECT_TRUE(world.released.empty());
    EXPECT_EQ(world.count(Counter::config_reloads_total), 15U);
    alice.invite(bob).expect(100);
    world.command(0, ports::InstallSnapshot{&more[15]});
    EXPECT_EQ(world.released, (std::vector<const ports::Snapshot*>{&more[15]}));
    EXPECT_EQ(world.count(Counter::config_reloads_refused_total), 1U);
}

TEST_F(Drain_Behaviour, RefusesNewCallsAndLetsTheOthersGoOn) {
    Outgoing call = alice.invite(bob).expect(100);
    const Incoming leg = bob.expects("INVITE");
    world.command(0, ports::Drain{});
    EXPECT_FALSE(stats().is_idle);
    Outgoing refused = alice.invite(bob).expect(503);
    EXPECT_TRUE(refused.response().has("Retry-After"));
    refused.ack();
    leg.answers(200);
    call.expect(200).ack();
    bob.expects("ACK");
    Dialog dialog = call.dialog();
    alice.send_in(dialog, "INVITE").expect(100);
    bob.expects("INVITE").answers(488);
    alice.take_kinds();
    bob.take_kinds();
    Outgoing bye = alice.send_in(dialog, "BYE");
    bob.expects("BYE").answers(200);
    bye.expect(200);
    EXPECT_TRUE(stats().is_idle);
}

TEST_F(Restart_Behaviour, BindingsAreTakenUpAgain) {
    Phone& dora = world.phone({"dora", "example.test", "198.51.100.40:5060", {}, {}});
    world.bind("dora", dora);
    alice.invite(dora).expect(100);
    dora.expects("INVITE");
}

TEST_F(Restart_Behaviour, AnExpiredBindingIsNotTakenUp) {
    ports::BindingsEvent event;
    event.header.tenant = ports::kDefaultTenant;
    event.aor = "late";
    ports::BindingRecord record;
    record.contact = "sip:late@198.51.100.41";
    record.expires = world.now.wall;
    record.flow = bob.flow();
    event.bindings = {record};
    world.command(0, ports::RestoreBindings{{event}});
    EXPECT_EQ(world.gauges().bindings, 1U);  // bob's
}

TEST_F(Restart_Behaviour, ACallGoesOnInANewCoreByItsToken) {
    Outgoing call = alice.invite(bob).expect(100);
    const Incoming leg = bob.expects("INVITE");
    leg.answers(200);
    call.expect(200).ack();
    world.command(0, ports::QueryLiveCalls{1, 0, 10});
    const auto open = std::get<ports::LiveCallsReply>(world.replies.back().value).calls;
    ASSERT_EQ(open.size(), 1U);
    EXPECT_TRUE(open[0].is_answered);

    World after;
    after.now = world.now;
    Phone& alice2 = after.stranger();
    Phone& bob2 = after.registered("bob", "198.51.100.20:5060");
    after.command(0, ports::RestoreCalls{open});
    Dialog dialog = call.dialog();
    Outgoing bye = alice2.send_in(dialog, "BYE");
    bob2.expects("BYE").answers(200);
    bye.expect(200);
    EXPECT_EQ(after.count(Counter::calls_ended_total), 1U);
}

TEST_F(Restart_Behaviour, NewCallsGetHigherNumbersThanAllOfBeforeThoughTheClockWasSetBack) {
    const auto number_of = [](World& of) {
        of.command(0, ports::QueryLiveCalls{1, 0, 10});
        return std::get<ports::LiveCallsReply>(of.replies.back().value).calls.at(0).id;
    };
    alice.invite(bob).expect(100);
    const uint64_t before = number_of(world);
    World after;
    after.now = world.now;
    after.now.wall -= std::chrono::hours(1);
    after.command(0, ports::RestoreCalls{{}, before});
    Phone& alice2 = after.stranger();
    alice2.invite(after.registered("bob", "198.51.100.20:5060")).expect(100);
    EXPECT_GT(number_of(after), before);
    EXPECT_EQ(number_of(after) & 63, 0U) << "the shard";
}

TEST_F(Restart_Behaviour, ACallThatWasRingingEndsUnlessItsInviteComesAgain) {
    Outgoing call = alice.invite(bob).expect(100);
    world.command(0, ports::QueryLiveCalls{1, 0, 10});
    const auto open = std::get<ports::LiveCallsReply>(world.replies.back().value).calls;
    World after, again;
    after.command(0, ports::RestoreCalls{open});
    after.wait(seconds(33));
    EXPECT_EQ(after.count(Counter::calls_ended_total), 1U);
    Phone& alice2 = again.stranger();
    again.registered("bob", "198.51.100.20:5060");
    again.command(0, ports::RestoreCalls{open});
    alice2.send(call.request()).expect(100);
    again.wait(seconds(31));
    EXPECT_EQ(again.count(Counter::calls_ended_total), 0U);
    EXPECT_EQ(again.count(Counter::calls_started_total), 0U);
}

TEST_F(Restart_Behaviour, AForkThatWasAnsweredTwiceEndsWithItsLastDialog) {
    Phone& desk = world.phone({"bob", "example.test", "198.51.100.21:5060", {}, {}});
    world.bind("bob", desk);
    Outgoing call = alice.invite(bob).expect(100);
    Incoming at_bob = bob.expects("INVITE");
    Incoming at_desk = desk.expects("INVITE");
    at_desk.to_tag = "d1";
    at_bob.answers(200);
    at_desk.answers(200);
    call.expect(200);
    Dialog with_bob = call.dialog();
    call.expect(200);
    Dialog with_desk = call.dialog();
    cdr::CallFold fold;
    for (const std::string& event : world.journal) fold.apply(event);

    World after;
    after.now = world.now;
    Phone& alice2 = after.stranger();
    Phone& bob2 = after.registered("bob", "198.51.100.20:5060");
    Phone& desk2 = after.phone({"bob", "example.test", "198.51.100.21:5060", {}, {}});
    after.command(0, ports::RestoreCalls{fold.open_calls()});
    Outgoing bye = alice2.send_in(with_bob, "BYE");
    bob2.expects("BYE").answers(200);
    bye.expect(200);
    EXPECT_EQ(after.count(Counter::calls_ended_total), 0U);
    bye = alice2.send_in(with_desk, "BYE");
    desk2.expects("BYE").answers(200);
    bye.expect(200);
    EXPECT_EQ(after.count(Counter::calls_ended_total), 1U);
}

TEST_F(Query_Behaviour, StatsCountWhatLives) {
    alice.invite(bob).expect(100);
    const ports::StatsReply reply = stats();
    EXPECT_EQ(reply.gauges.calls, 1U);
    EXPECT_EQ(reply.gauges.proxied_requests, 1U);
    EXPECT_EQ(reply.gauges.server_transactions, 1U);
    EXPECT_EQ(reply.gauges.client_transactions, 1U);
    EXPECT_EQ(reply.gauges.users, 1U);
    EXPECT_EQ(reply.gauges.bindings, 1U);
    EXPECT_GT(reply.counters[static_cast<size_t>(Counter::rx_packets_total)], 0U);
}

TEST_F(Query_Behaviour, RegistrationsAndCallsComeInPages) {
    for (int i = 0; i < 3; ++i) alice.invite(bob).expect(100);
    std::vector<std::string> seen;
    uint32_t after = 0;
    do {
        world.command(0, ports::QueryLiveCalls{1, after, 2});
        const auto& page = std::get<ports::LiveCallsReply>(world.replies.back().value);
        EXPECT_LE(page.calls.size(), 2U);
        for (const ports::OpenCall& call : page.calls) seen.push_back(call.call_id);
        after = page.next;
    } while (after != 0);
    EXPECT_EQ(seen.size(), 3U);
    world.command(0, ports::QueryRegistrations{2, 0, 10});
    EXPECT_EQ(std::get<ports::RegistrationsReply>(world.replies.back().value).bindings.size(), 1U);
}

TEST_F(Query_Behaviour, AUserWhoIsRemovedIsNotKnownAnyMore) {
    ports::UserRecord gone = user_record("bob");
    gone.is_removed = true;
    world.add_user(gone);
    EXPECT_EQ(world.gauges().users, 0U);
}

}  // namespace
}  // namespace signalbox::core::testing
