// One run of the load: sets up the bindings, warms up, measures, drains.
#pragma once

#include <cstdint>
#include <vector>

#include "load/operation.h"
#include "load/options.h"
#include "load/report.h"
#include "load/retransmit_queue.h"
#include "load/user_agent_client.h"
#include "load/user_agent_server.h"
#include "net/datagram_socket.h"

namespace bench {

/// Single-threaded; owns the sockets, the operations and the books.
class LoadRun final {
 public:
    /// Binds both sockets. Throws std::system_error when an address cannot be had.
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
    std::size_t receive(DatagramSocket& socket, std::uint64_t now_ns);
    void wait(std::uint64_t now_ns, std::uint64_t until_ns);

    const Options& options_;
    Ledger ledger_;
    RetransmitQueue timers_;
    std::vector<Operation> operations_;
    DatagramSocket caller_;
    DatagramSocket callee_;
    Stage stage_;
    UserAgentClient client_;
    UserAgentServer server_;
    std::uint64_t plan_started_ = 0;  // operations started under the plan in hand
    std::uint64_t next_start_ns_ = 0;
};

}  // namespace bench
