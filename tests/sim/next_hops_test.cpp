// Calls to a domain with several servers, some of which are dead, over many seeds.
// Covers: RFC 3263 §4.2 and §4.3 as seen from the phones; RFC 3261 §18.1.1 (large requests).
#include <gmock/gmock.h>

#include "tests/sim/stage.h"

namespace signalbox::sim {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using transport::Transport;

const IpAddress kCarrier = IpAddress::v4(203, 0, 113, 77);

CallPlan to_carrier() {
    CallPlan plan;
    plan.target = "sip:frank@carrier.example.org";
    plan.talk = seconds(2);
    return plan;
}

WorldSetup with_dead_servers(uint64_t seed, uint8_t dead) {
    WorldSetup setup;
    setup.seed = seed;
    setup.shards = static_cast<uint8_t>(1 + seed % 3);
    auto& services = setup.zone["_sip._udp.carrier.example.org"].services;
    for (uint8_t i = 0; i < dead; ++i) {
        const std::string name = "dead" + std::to_string(i) + ".example.org";
        services.push_back({1, 10, 5060, name});
        setup.zone[name].addresses = {IpAddress::v4(203, 0, 113, static_cast<uint8_t>(200 + i))};
    }
    services.push_back({1, 10, 5060, "live.example.org"});
    setup.zone["live.example.org"].addresses = {kCarrier};
    return setup;
}

Phone& add_carrier(Stage& stage, Answer answer = Answer::Accept) {
    PhoneConfig config = stage.phone_of("frank");
    config.has_credentials = false;
    config.domain = "carrier.example.org";
    config.endpoint = config.contact = Endpoint{kCarrier, 5060};
    config.style.answers = {answer};
    return stage.add(config);
}

void begin(Stage& stage, Phone& alice) {
    stage.world().start();
    alice.register_contact();
    stage.run(seconds(2));
    ASSERT_EQ(alice.last_register_status(), 200);
}

class NextHops : public testing::TestWithParam<uint64_t> {};

TEST_P(NextHops, ACallReachesTheOneServerThatLives) {
    WorldSetup setup = with_dead_servers(GetParam(), 2);
    setup.shards = 1;  // each shard learns for itself
    Stage stage(setup);
    Phone& alice = stage.add("alice");
    add_carrier(stage);
    begin(stage, alice);
    alice.call(to_carrier());
    // At most two dead servers at four seconds each, DNS, ringing.
    stage.run(seconds(20));
    EXPECT_EQ(alice.reports().at(0).final_status, 200);
    // The dead ones are known now: the next call does not wait for them.
    alice.call(to_carrier());
    stage.run(seconds(11));
    EXPECT_EQ(alice.reports().at(1).final_status, 200);
    stage.end();
}

TEST_P(NextHops, ACallToADeadDomainEndsWithinItsBudget) {
    WorldSetup setup = with_dead_servers(GetParam(), 4);
    setup.zone["live.example.org"].addresses = {IpAddress::v4(203, 0, 113, 210)};
    Stage stage(setup);
    Phone& alice = stage.add("alice");
    begin(stage, alice);
    alice.call(to_carrier());
    stage.run(seconds(40));
    EXPECT_EQ(alice.reports().at(0).final_status, 408);
    stage.end();
}

TEST_P(NextHops, ACancelAtAnyMomentEndsTheCall) {
    Stage stage(with_dead_servers(GetParam(), 2));
    Phone& alice = stage.add("alice");
    Phone& frank = add_carrier(stage, Answer::RingForever);
    begin(stage, alice);
    CallPlan plan = to_carrier();
    plan.cancel_after = milliseconds(GetParam() * 370 % 12'000);
    alice.call(plan);
    stage.run(seconds(60));
    EXPECT_EQ(alice.reports().at(0).final_status, 487);
    EXPECT_EQ(frank.dialogs_up(), 0U);
    stage.end();
}

TEST_P(NextHops, DnsThatFailsNowAndThenLosesNoCallForGood) {
    WorldSetup setup = with_dead_servers(GetParam(), 1);
    setup.dns_failure_permille = 300;
    Stage stage(setup);
    Phone& alice = stage.add("alice");
    add_carrier(stage);
    begin(stage, alice);
    for (int i = 0; i < 5; ++i) {
        alice.call(to_carrier());
        stage.run(seconds(40));
    }
    for (const CallReport& report : alice.reports()) EXPECT_NE(report.final_status, 0);
    stage.end();
}

TEST_P(NextHops, LargeRequestsTryTcpAndReachPhonesThatHaveNone) {
    WorldSetup setup;
    setup.seed = GetParam();
    setup.settings.proxy.datagram_max = 500;
    Stage stage(setup);
    Phone& alice = stage.add("alice");
    PhoneConfig callee = stage.phone_of("bob");
    callee.style.hang_up_permille = 1000;
    callee.refuses_streams = GetParam() % 2 == 0;
    stage.add(callee);
    stage.begin();
    alice.call(to_bob());
    stage.run(seconds(40));
    EXPECT_EQ(alice.reports().at(0).final_status, 200);
    stage.end();
}

INSTANTIATE_TEST_SUITE_P(Rfc3263_4_3, NextHops, testing::Range<uint64_t>(1, 41));

}  // namespace
}  // namespace signalbox::sim
