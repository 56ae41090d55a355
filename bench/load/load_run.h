// One run of the load: sets up the bindings, warms up, measures, drains.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "load/operation.h"
#include "load/options.h"
#include "load/report.h"
#include "load/retransmit_queue.h"
#include "load/user_agent_client.h"
#include "load/user_agent_server.h"
#include "net/link.h"

namespace bench {

/// Single-threaded; owns both sides, the operations and the books.
class LoadRun final {
 public:
    /// Binds both sides, or opens their connections. Throws when an address cannot be had or the
    /// server refuses.
    explicit LoadRun(const Options& options);

    Measurement run();
    const Ledger& ledger() const { return ledger_; }

 private:
    /// What to drive, for how long.
    struct Plan {
        Scenario scenario;
        std::uint64_t operations_max;  // 0: no limit
        double rate;                   // 0: closed loop
        double warmup_s;
        double duration_s;
    };

    Measurement drive(const Plan& plan);
    Measurement drive_profile();
    void start_at_rate(double rate, std::uint64_t now_ns);
    void start_due(const Plan& plan, std::uint64_t now_ns);
    bool has_given_up() const;
    std::size_t turn(std::uint64_t now_ns);
    std::size_t receive(Link& link, std::uint64_t now_ns);
    void wait(std::uint64_t now_ns, std::uint64_t until_ns);

    const Options& options_;
    Ledger ledger_;
    RetransmitQueue timers_;
    std::vector<Operation> operations_;
    std::unique_ptr<Link> caller_;
    std::unique_ptr<Link> callee_;
    Stage stage_;
    UserAgentClient client_;
    UserAgentServer server_;
    std::uint64_t plan_started_ = 0;  // operations started under the plan in hand
    std::uint64_t next_start_ns_ = 0;
};

}  // namespace bench
