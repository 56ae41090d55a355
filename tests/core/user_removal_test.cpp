// What is left of a user who was removed: nothing but the calls that are up.
// Covers: RFC 3261 §10.3 (bindings that the operator ends), §16.5 (404); RFC 3680 §3.4, §5.3
// (deactivated). Not covered: how the core learns of it (node/user_updates_test).
#include <gtest/gtest.h>

#include "tests/core/core_harness.h"

namespace signalbox::core::testing {
namespace {

ports::UserRecord removed(std::string_view name) {
    ports::UserRecord user;
    user.name = name;
    user.is_removed = true;
    return user;
}

struct UserRemovalTest : ::testing::Test {
    World world;
    Phone& alice = world.stranger();
    Phone& bob = world.registered("bob", "198.51.100.20:5060");

    ports::BindingsEvent last_journalled() {
        CHECK(!world.journal.empty());
        auto event = ports::decode_bindings_event(world.journal.back());
        CHECK(event.has_value());
        return *event;
    }
};

using UserRemoval_Rfc3261_10_3 = UserRemovalTest;
using UserRemoval_Rfc3680_5 = UserRemovalTest;

TEST_F(UserRemoval_Rfc3261_10_3, HisBindingsEndAtOnceAndInTheJournal) {
    world.bind("bob", bob);
    world.add_user(removed("bob"));
    EXPECT_EQ(world.gauges().bindings, 0U);
    EXPECT_GE(world.count(Counter::bindings_of_removed_users_total), 1U);
    ASSERT_FALSE(world.journal.empty());
    EXPECT_EQ(last_journalled().aor, "bob");
    EXPECT_TRUE(last_journalled().bindings.empty());
    alice.invite(bob).expect(100).expect(404);
    EXPECT_TRUE(bob.is_silent());
}

TEST_F(UserRemoval_Rfc3261_10_3, ACallThatIsUpGoesOnAndIsEnded) {
    Outgoing call = alice.invite(bob).expect(100);
    const Incoming leg = bob.expects("INVITE");
    leg.answers(200);
    call.expect(200).ack();
    bob.expects("ACK");
    world.add_user(removed("bob"));
    Dialog his = leg.dialog();
    Outgoing info = bob.send_in(his, "INFO");
    alice.expects("INFO").answers(200);
    info.expect(200);
    Dialog hers = call.dialog();
    Outgoing bye = alice.send_in(hers, "BYE");
    bob.expects("BYE").answers(200);
    bye.expect(200);
    EXPECT_EQ(world.record_lines(), std::vector<std::string>{"200 Caller BYE"});
}

TEST_F(UserRemoval_Rfc3261_10_3, AddressesThatHeWasGrantedEndWithHimUnlessTheyAreUsers) {
    world.add_user(user_record("dora"));
    for (const char* name : {"+15550100", "dora"}) world.bind(name, bob);
    world.command(0,
                  ports::UpdateUsers{
                      {}, {{ports::kDefaultTenant, "+15550100"}, {ports::kDefaultTenant, "dora"}}});
    alice.send(alice.make("INVITE", "sip:+15550100@example.test")).expect(100).expect(404);
    EXPECT_TRUE(bob.is_silent());
    alice.send(alice.make("INVITE", "sip:dora@example.test")).expect(100);
    bob.expects("INVITE");
}

TEST_F(UserRemoval_Rfc3261_10_3, AfterARestartHisRestoredBindingsEnd) {
    World restarted;
    Phone& phone = restarted.phone({"bob", "example.test", "198.51.100.20:5060", {}, {}});
    Phone& caller = restarted.stranger();
    restarted.bind("bob", phone);
    EXPECT_EQ(restarted.gauges().bindings, 1U);
    restarted.command(0, ports::UpdateUsers{{removed("bob")}});
    EXPECT_EQ(restarted.gauges().bindings, 0U);
    caller.invite(phone).expect(100).expect(404);
}

TEST_F(UserRemoval_Rfc3680_5, HisWatchersAreToldThatTheOperatorEndedThem) {
    RequestText request = bob.make("SUBSCRIBE", bob.aor());
    request.with("Event: reg");
    Outgoing first = bob.send(request).expect(401);
    bob.send(bob.with_credentials(request, first.response(), "secret")).expect(200);
    bob.expects("NOTIFY").answers(200);
    world.add_user(removed("bob"));
    const Incoming told = bob.expects("NOTIFY");
    const std::string body = told.message().body();
    EXPECT_NE(body.find("state=\"terminated\">"), std::string::npos) << body;
    EXPECT_NE(body.find("state=\"terminated\" event=\"deactivated\""), std::string::npos) << body;
}

}  // namespace
}  // namespace signalbox::core::testing
