// What the named scenarios share: a world with users, phones that are registered, and an end that
// asks every oracle.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "sim/world.h"

namespace signalbox::sim {

/// Two users, alice and bob, and as many phones as the test adds. Traced, so that a failure shows
/// its ladder.
class Stage {
 public:
    explicit Stage(WorldSetup setup = {}) {
        setup.detail = Trace::Detail::Ladder;
        world_ = std::make_unique<World>(std::move(setup));
        world_->add_user("alice");
        world_->add_user("bob");
    }

    World& world() { return *world_; }
    PhoneConfig phone_of(const std::string& user) { return world_->phone_config(user); }
    Phone& add(const PhoneConfig& config) { return world_->add_phone(config); }
    Phone& add(const std::string& user) { return add(phone_of(user)); }
    Phone& add(const std::string& user, Answer answer) {
        PhoneConfig config = phone_of(user);
        config.style.answers = {answer};
        return add(config);
    }

    /// Starts the server and registers all phones.
    void begin() {
        world_->start();
        for (const auto& phone : world_->phones()) {
            phone->register_contact();
            run(std::chrono::milliseconds(10));
        }
        run(std::chrono::seconds(2));
        for (const auto& phone : world_->phones()) {
            EXPECT_EQ(phone->last_register_status(), 200) << phone->config().name;
        }
    }
    void run(Duration duration) { world_->run_for(duration); }

    /// Ends the run; no oracle may be broken.
    void end() {
        world_->finish();
        for (const std::string& fault : world_->report().faults()) ADD_FAILURE() << fault;
        if (testing::Test::HasFailure()) std::printf("%s\n", world_->trace().ladder().c_str());
    }
    const ports::CallRecord& only_record() {
        static const ports::CallRecord kNone{};
        const auto& records = world_->records().records();
        EXPECT_EQ(records.size(), 1U);
        return records.empty() ? kNone : records.front();
    }

 private:
    std::unique_ptr<World> world_;
};

inline CallPlan to_bob() {
    CallPlan plan;
    plan.target = "sip:bob@example.test";
    return plan;
}

}  // namespace signalbox::sim
