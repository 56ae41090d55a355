// Calls over TCP, alone and mixed with UDP, and with streams that break.
// Covers: RFC 3261 §18 as seen from the phones; the doubled Record-Route of RFC 5658.
#include <gmock/gmock.h>

#include "tests/sim/stage.h"

namespace signalbox::sim {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using transport::Transport;

class StreamCall : public testing::TestWithParam<std::tuple<Transport, Transport, int>> {};

TEST_P(StreamCall, IsMadeAndEndedAcrossTransports) {
    const auto& [of_caller, of_callee, shards] = GetParam();
    WorldSetup setup;
    setup.shards = static_cast<uint8_t>(shards);
    Stage stage(setup);
    PhoneConfig caller = stage.phone_of("alice");
    caller.transport = of_caller;
    Phone& alice = stage.add(caller);
    PhoneConfig callee = stage.phone_of("bob");
    callee.transport = of_callee;
    callee.style.hang_up_permille = 1000;
    Phone& bob = stage.add(callee);
    stage.begin();
    CallPlan plan = to_bob();
    plan.reinvites = 1;
    alice.call(plan);
    stage.run(seconds(30));

    EXPECT_EQ(alice.reports().at(0).final_status, 200);
    EXPECT_EQ(alice.dialogs_up() + bob.dialogs_up(), 0U);
    stage.end();
    EXPECT_EQ(stage.only_record().status, 200);
}

INSTANTIATE_TEST_SUITE_P(Rfc3261_18, StreamCall,
                         testing::Combine(testing::Values(Transport::Udp, Transport::Tcp),
                                          testing::Values(Transport::Udp, Transport::Tcp),
                                          testing::Values(1, 3)));

TEST(Stream_Rfc3261_18_4, APhoneThatIsGoneFailsTheCallAtOnce) {
    Stage stage;
    Phone& alice = stage.add("alice");
    PhoneConfig config = stage.phone_of("bob");
    config.transport = Transport::Tcp;
    Phone& bob = stage.add(config);
    stage.begin();
    bob.crash();
    stage.run(seconds(1));
    alice.call(to_bob());
    stage.run(seconds(10));

    EXPECT_THAT(alice.reports().at(0).final_status, testing::AnyOf(480, 503, 500, 408));
    stage.end();
}

TEST(Stream_Rfc3261_18_4, ACallersBrokenStreamIsReplacedByANewOne) {
    Stage stage;
    PhoneConfig config = stage.phone_of("alice");
    config.transport = Transport::Tcp;
    Phone& alice = stage.add(config);
    Phone& bob = stage.add("bob");
    stage.begin();
    CallPlan plan = to_bob();
    plan.talk = seconds(6);
    alice.call(plan);
    stage.run(seconds(3));
    alice.drop_streams();
    stage.run(seconds(20));

    EXPECT_EQ(bob.byes_received(), 1U);
    stage.end();
}

}  // namespace
}  // namespace signalbox::sim
