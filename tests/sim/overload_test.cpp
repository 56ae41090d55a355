// A server that is slower than what comes: bursts of calls through the whole world, with all
// oracles. Covers: what is admitted is served and ends, what is not is refused or comes again, calm
// returns. Not covered: how fast the real server is (bench/overload).
#include "tests/sim/stage.h"

namespace signalbox::sim {
namespace {

using ports::OverloadLevel;
using std::chrono::milliseconds;
using std::chrono::seconds;

struct Tally {
    uint32_t answered = 0;
    uint32_t refused = 0;
    uint32_t unanswered = 0;
    uint32_t other = 0;
};

Tally tally_of(const Phone& caller) {
    Tally tally;
    for (const CallReport& report : caller.reports()) {
        if (report.final_status == 200) {
            ++tally.answered;
        } else if (report.final_status == 503) {
            ++tally.refused;
        } else if (report.has_timed_out) {
            ++tally.unanswered;
        } else {
            ++tally.other;
        }
    }
    return tally;
}

class Overload_Behaviour : public ::testing::TestWithParam<uint64_t> {
 protected:
    static WorldSetup setup(uint64_t seed) {
        WorldSetup setup;
        setup.seed = seed;
        return setup;
    }
    /// A caller who needs no credentials, and a callee who answers at once.
    Phone& add_caller() {
        PhoneConfig config = stage.phone_of("stranger");
        config.has_credentials = false;
        config.domain = "stranger.example.org";
        return stage.world().add_phone(config);
    }
    Phone& add_callee() {
        PhoneConfig config = stage.phone_of("bob");
        config.style.ring_after = milliseconds(1);
        config.style.answer_after_min = config.style.answer_after_max = milliseconds(10);
        return stage.add(config);
    }
    void begin() {
        stage.world().start();
        callee.register_contact();
        stage.run(seconds(2));
        ASSERT_EQ(callee.last_register_status(), 200);
    }
    /// So many calls a second from now on, for some time; each is up for two seconds.
    void offer(int rate, Duration lasting) {
        const int count =
            rate * static_cast<int>(std::chrono::duration_cast<seconds>(lasting).count());
        for (int i = 0; i < count; ++i) {
            CallPlan plan = to_bob();
            plan.talk = seconds(2);
            stage.world().at(Duration(seconds(1)) * i / rate, [this, plan] { caller.call(plan); });
        }
    }

    Stage stage{setup(GetParam())};
    Phone& caller = add_caller();
    Phone& callee = add_callee();
};

/// Three milliseconds a message and about seven messages a call: some 45 calls a second can be
/// served.
constexpr Slowness kSlow{milliseconds(3), 500};

TEST_P(Overload_Behaviour, ThreeTimesTheLoadServesWhatItAdmitsAndEndsEveryCall) {
    begin();
    stage.world().server().set_slowness(kSlow);
    offer(135, seconds(8));
    stage.run(seconds(60));

    const Tally tally = tally_of(caller);
    EXPECT_GT(tally.answered, 8U * 45 * 4 / 10);
    EXPECT_GT(tally.refused, 100U);
    EXPECT_EQ(tally.other, 0U);
    EXPECT_EQ(caller.dialogs_up() + callee.dialogs_up(), 0U);
    EXPECT_EQ(stage.world().server().datagrams_lost(), 0U);
    EXPECT_EQ(stage.world().server().gauges().overload_level, OverloadLevel::Normal);
    stage.end();
}

TEST_P(Overload_Behaviour, AfterABurstEveryCallIsServedAgain) {
    begin();
    stage.world().server().set_slowness(kSlow);
    offer(135, seconds(5));
    stage.run(seconds(10));
    const size_t before = caller.reports().size();
    offer(15, seconds(5));
    stage.run(seconds(45));

    ASSERT_EQ(caller.reports().size(), before + 75);
    for (size_t i = before; i < caller.reports().size(); ++i)
        EXPECT_EQ(caller.reports()[i].final_status, 200) << i - before;
    stage.end();
}

INSTANTIATE_TEST_SUITE_P(Seeds, Overload_Behaviour, ::testing::Values(1, 2, 3));

}  // namespace
}  // namespace signalbox::sim
