// Calls and registrations across a kill of the server and a reload of its configuration.
// Covers: what the journal must bring back. Not covered here: the journal's files, which the
// store's tests cover.
#include "tests/sim/stage.h"

namespace signalbox::sim {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

TEST(Restart_Behaviour, InACallItsByePassesAndItsRecordIsWhole) {
    for (const uint8_t shards : std::initializer_list<uint8_t>{1, 3}) {
        WorldSetup setup;
        setup.shards = shards;
        Stage stage(setup);
        Phone& alice = stage.add("alice");
        Phone& bob = stage.add("bob");
        stage.begin();
        CallPlan plan = to_bob();
        plan.talk = seconds(20);
        alice.call(plan);
        stage.run(seconds(8));
        EXPECT_EQ(bob.dialogs_up(), 1U);
        stage.world().kill_server();
        stage.run(seconds(2));
        stage.world().start_server();
        stage.run(seconds(30));

        EXPECT_EQ(bob.byes_received(), 1U);
        stage.end();
        EXPECT_EQ(stage.only_record().status, 200);
        EXPECT_NEAR(static_cast<double>(stage.only_record().talk_ms), 20000, 50);
    }
}

TEST(Restart_Behaviour, ARegisteredPhoneRingsWithoutRegisteringAgain) {
    WorldSetup setup;
    setup.shards = 2;
    Stage stage(setup);
    Phone& alice = stage.add("alice");
    PhoneConfig config = stage.phone_of("bob");
    config.contact = Endpoint{IpAddress::v4(10, 0, 0, 1), 5062};  // behind a NAT
    Phone& bob = stage.add(config);
    stage.begin();
    stage.world().kill_server();
    stage.run(milliseconds(500));
    stage.world().start_server();
    stage.world().compare_bindings();
    alice.call(to_bob());
    stage.run(seconds(20));

    EXPECT_EQ(bob.calls_received(), 1U);
    EXPECT_EQ(alice.reports().at(0).final_status, 200);
    stage.end();
}

TEST(Restart_Behaviour, AStreamPhoneIsTriedAtItsContact) {
    Stage stage;
    Phone& alice = stage.add("alice");
    PhoneConfig config = stage.phone_of("bob");
    config.transport = transport::Transport::Tcp;
    Phone& bob = stage.add(config);
    stage.begin();
    stage.world().kill_server();
    stage.run(milliseconds(500));
    stage.world().start_server();
    alice.call(to_bob());
    stage.run(seconds(20));

    EXPECT_EQ(bob.calls_received(), 1U);
    EXPECT_EQ(alice.reports().at(0).final_status, 200);
    stage.end();
}

TEST(Restart_Behaviour, WhileRingingTheCallGetsOneRecord) {
    Stage stage;
    Phone& alice = stage.add("alice");
    stage.add("bob", Answer::RingForever);
    stage.begin();
    alice.call(to_bob());
    stage.run(seconds(2));
    stage.world().kill_server();
    stage.run(seconds(1));
    stage.world().start_server();
    stage.run(seconds(40));

    stage.end();
    EXPECT_EQ(stage.only_record().status, 500);
    EXPECT_EQ(stage.only_record().ended_by, ports::EndedBy::Server);
}

TEST(Reload_Behaviour, InACallChangesNothingForItAndReleasesTheOldSnapshot) {
    WorldSetup setup;
    setup.shards = 2;
    Stage stage(setup);
    Phone& alice = stage.add("alice");
    Phone& bob = stage.add("bob");
    stage.begin();
    alice.call(to_bob());
    stage.run(milliseconds(500));
    stage.world().reload([](ports::Snapshot& settings) { settings.registrar.expires_max_s = 250; });
    EXPECT_EQ(stage.world().server().snapshots_live(), 2U);
    stage.run(seconds(60));

    EXPECT_EQ(alice.reports().at(0).final_status, 200);
    EXPECT_EQ(bob.byes_received(), 1U);
    bob.register_contact();
    stage.run(seconds(1));
    stage.end();
}

}  // namespace
}  // namespace signalbox::sim
