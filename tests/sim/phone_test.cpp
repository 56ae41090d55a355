// The simulated phones against each other, without a server between them: they must be right before
// they may judge. Covers: RFC 3261 §9.1, §13, §15, §17 as the phones do it. Not covered:
// registration, which needs a registrar.
#include "sim/phone.h"

#include <gtest/gtest.h>

namespace signalbox::sim {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

/// Two phones; each takes the other for its server.
class TwoPhones : public testing::Test {
 protected:
    Phone& make(const std::string& name, uint8_t host, uint8_t peer, AnswerStyle style = {}) {
        PhoneConfig config;
        config.name = name;
        config.domain = "example.test";
        config.endpoint = config.contact = Endpoint{IpAddress::v4(192, 0, 2, host), 5060};
        config.server = Endpoint{IpAddress::v4(192, 0, 2, peer), 5060};
        config.transport = transport_;
        config.style = std::move(style);
        phones_.push_back(std::make_unique<Phone>(config, queue_, network_, Random({host, 1})));
        phones_.back()->boot();
        return *phones_.back();
    }
    void run(Duration duration) { queue_.run_until(queue_.now().monotonic + duration); }

    EventQueue queue_;
    Trace trace_{Trace::Detail::Nothing};
    Network network_{queue_, trace_, Random({5, 5})};
    transport::Transport transport_ = transport::Transport::Udp;
    std::vector<std::unique_ptr<Phone>> phones_;
};

CallPlan to_bob() {
    CallPlan plan;
    plan.target = "sip:bob@example.test";
    return plan;
}

TEST_F(TwoPhones, TalkAndHangUp) {
    Phone& alice = make("alice", 1, 2);
    Phone& bob = make("bob", 2, 1);
    CallPlan plan = to_bob();
    plan.reinvites = 2;
    alice.call(plan);
    run(seconds(20));
    EXPECT_EQ(alice.reports().at(0).final_status, 200);
    EXPECT_EQ(bob.requests_received(), 4U);
    EXPECT_EQ(bob.byes_received(), 1U);
    EXPECT_EQ(alice.dialogs_up() + bob.dialogs_up(), 0U);
}

TEST_F(TwoPhones, TalkOverAStream) {
    transport_ = transport::Transport::Tcp;
    Phone& alice = make("alice", 1, 2);
    Phone& bob = make("bob", 2, 1);
    alice.call(to_bob());
    run(seconds(20));
    EXPECT_EQ(alice.reports().at(0).final_status, 200);
    EXPECT_EQ(bob.byes_received(), 1U);
}

TEST_F(TwoPhones, SurviveAThirdOfTheDatagramsLost) {
    NetworkFaults faults;
    faults.loss_permille = 300;
    faults.duplicate_permille = 200;
    faults.late_permille = 200;
    network_.set_faults(faults);
    Phone& alice = make("alice", 1, 2);
    Phone& bob = make("bob", 2, 1);
    for (int i = 0; i < 50; ++i) alice.call(to_bob());
    run(seconds(200));
    EXPECT_EQ(bob.calls_received(), 50U);
    EXPECT_EQ(alice.dialogs_up() + bob.dialogs_up(), 0U);
}

TEST_F(TwoPhones, SendNoCancelBeforeAProvisionalResponse) {
    AnswerStyle silent;
    silent.answers = {Answer::Silent};
    Phone& alice = make("alice", 1, 2);
    Phone& bob = make("bob", 2, 1, silent);
    CallPlan plan = to_bob();
    plan.cancel_after = milliseconds(100);
    alice.call(plan);
    run(seconds(40));
    EXPECT_EQ(bob.cancels_received(), 0U);
    EXPECT_TRUE(alice.reports().at(0).has_timed_out);
}

TEST_F(TwoPhones, CancelWhileRinging) {
    AnswerStyle style;
    style.answers = {Answer::RingForever};
    Phone& alice = make("alice", 1, 2);
    Phone& bob = make("bob", 2, 1, style);
    CallPlan plan = to_bob();
    plan.cancel_after = seconds(2);
    alice.call(plan);
    run(seconds(10));
    EXPECT_EQ(bob.cancels_received(), 1U);
    EXPECT_EQ(alice.reports().at(0).final_status, 487);
    EXPECT_TRUE(alice.reports().at(0).ringing.has_value());
}

TEST_F(TwoPhones, ForgetEverythingWhenTheyCrash) {
    Phone& alice = make("alice", 1, 2);
    Phone& bob = make("bob", 2, 1);
    CallPlan plan = to_bob();
    plan.hangs_up = false;
    alice.call(plan);
    run(seconds(5));
    EXPECT_EQ(bob.dialogs_up(), 1U);
    bob.crash();
    EXPECT_EQ(bob.dialogs_up(), 0U);
    bob.boot();
    alice.stop();
    run(seconds(40));
    EXPECT_EQ(alice.dialogs_up(), 0U);  // its BYE is answered 481
    EXPECT_EQ(bob.byes_received(), 0U);
}

}  // namespace
}  // namespace signalbox::sim
