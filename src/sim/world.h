// One simulated world: server, phones, network, oracles, and the time that they share.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "sim/binding_oracle.h"
#include "sim/event_queue.h"
#include "sim/network.h"
#include "sim/oracle_report.h"
#include "sim/phone.h"
#include "sim/record_oracle.h"
#include "sim/server.h"
#include "sim/trace.h"
#include "sim/wire_oracle.h"

namespace signalbox::sim {

struct WorldSetup {
    uint64_t seed = 1;
    Trace::Detail detail = Trace::Detail::Nothing;
    uint8_t shards = 1;
    NetworkFaults faults;
    uint32_t stream_failure_permille = 0;
    /// Everything of the first snapshot but listeners, domain and realm, which the world gives.
    /// Times are short, so that a run ends.
    ports::Snapshot settings = default_settings();
    std::map<std::string, resolver::RecordSet> zone;
    uint32_t dns_failure_permille = 0;

    static ports::Snapshot default_settings();
};

/// Everything in it is owned by it and shares nothing with another world: worlds may run on any
/// threads. The same setup and the same script give the same run, octet by octet.
class World final {
 public:
    static constexpr std::string_view kDomain = "example.test";
    static constexpr std::string_view kRealm = "example.test";

    explicit World(WorldSetup setup);
    ~World();
    World(const World&) = delete;
    World& operator=(const World&) = delete;

    // --- before start()
    /// A user of the server; his password is "<name>-secret".
    void add_user(const std::string& name);
    static std::string password_of(const std::string& name) { return name + "-secret"; }
    /// A configuration for a phone of that user, at an address of its own.
    PhoneConfig phone_config(const std::string& user);
    Phone& add_phone(PhoneConfig config);
    void start();

    // --- the script
    void run_for(Duration duration) { queue_.run_until(queue_.now().monotonic + duration); }
    void at(Duration from_now, EventQueue::Action action) {
        queue_.after(from_now, std::move(action));
    }
    void kill_server();
    void start_server();
    /// Installs the settings, changed by `change`, as a new snapshot.
    void reload(const std::function<void(ports::Snapshot&)>& change);
    /// Compares the server's bindings with what it acknowledged.
    void compare_bindings();
    /// Ends all calls, waits until every timer has run out, and asks the oracles of the end.
    void finish();

    Server& server() { return *server_; }
    Network& network() { return network_; }
    WireOracle& wire() { return wire_; }
    const RecordOracle& records() const { return records_; }
    const OracleReport& report() const { return report_; }
    const Trace& trace() const { return trace_; }
    const transaction::MachineCoverage& coverage() const { return coverage_; }
    const std::vector<std::unique_ptr<Phone>>& phones() const { return phones_; }
    Random& random() { return random_; }
    EventQueue& queue() { return queue_; }
    const Endpoint& server_address() const { return address_; }
    Duration elapsed() const { return queue_.now().monotonic - begin_; }
    void broken(const std::string& rule, const std::string& what) { report_.broken(rule, what); }

 private:
    std::unique_ptr<ports::Snapshot> next_snapshot();
    void check_nothing_lives();

    WorldSetup setup_;
    Endpoint address_{IpAddress::v4(192, 0, 2, 1), 5060};
    EventQueue queue_;
    Instant begin_;
    Trace trace_;
    Random random_;
    OracleReport report_;
    Network network_;
    BindingOracle bindings_;
    RecordOracle records_;
    WireOracle wire_;
    transaction::MachineCoverage coverage_;
    std::vector<ports::UserRecord> users_;
    std::unique_ptr<Server> server_;
    std::vector<std::unique_ptr<Phone>> phones_;
    uint64_t snapshot_version_ = 0;
    uint8_t next_host_ = 10;
};

}  // namespace signalbox::sim
