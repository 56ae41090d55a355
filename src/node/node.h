// One server process: its shards and their rings, its store, its control socket, and its life from
// start to drain.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <memory>
#include <optional>
#include <vector>

#include "io/address_watch.h"
#include "node/control_commands.h"
#include "node/control_server.h"
#include "node/data_lock.h"
#include "node/run_server.h"
#include "node/shard.h"
#include "node/shard_queries.h"
#include "node/snapshot_keeper.h"
#include "node/store_worker.h"

namespace signalbox::node {

/// Everything here belongs to the main thread, which runs `context`. Shards and the store's threads
/// report by posting to it.
class Node final {
 public:
    static constexpr uint32_t kShardsMax = 64;

    Node(boost::asio::io_context& context, config::LoadedConfig config, const RunOptions& options);
    ~Node();
    Node(const Node&) = delete;
    Node& operator=(const Node&) = delete;

    /// Locks, checks, loads, then listens. A failure is one or two sentences for the person who
    /// started it; nothing runs then.
    store::Outcome<void> start();
    /// Ends the threads in the order that loses nothing, and removes the control socket.
    void shut_down();

 private:
    /// What was kept from before, for each shard.
    struct Restored {
        ports::UpdateUsers users;
        ports::UpdateUsers removed;  // ends what bindings they left
        ports::RestoreBindings bindings;
        ports::RestoreCalls calls;
    };

    // node_start.cpp
    store::Outcome<void> prepare_data();
    store::Outcome<void> check_ports() const;
    store::Outcome<std::vector<Restored>> load_store();
    store::Outcome<void> make_shards();
    store::Outcome<std::vector<std::vector<ShardSocket>>> open_sockets() const;
    void warn_of_few_descriptors() const;
    void connect_shards();
    void start_worker();
    void say_listening() const;

    // node.cpp
    void await_signal();
    void on_signal(int signal);
    void reload();
    void take_own_addresses();
    void drain(int signal);
    void await_idle();
    void end_pending_invites();
    void on_idle_answers(const ShardQueries::Answers& answers);
    void post_users(std::vector<ports::UserRecord> users);
    void on_report(ShardReport&& report);
    std::unique_ptr<ports::Snapshot> make_snapshot(const config::LoadedConfig& config,
                                                   std::vector<IpAddress> own_addresses);
    /// Tells the person who started the server, and the log unless that stands on the same
    /// terminal.
    void announce(const std::string& line, std::string_view event,
                  std::initializer_list<sinks::LogField> fields) const;

    boost::asio::io_context& context_;
    config::LoadedConfig config_;
    RunOptions options_;
    Instant started_;
    uint8_t shard_count_;
    std::optional<DataLock> lock_;
    std::string fixed_realm_;
    std::vector<crypto::TokenKey> keys_;
    uint64_t snapshot_version_ = 0;
    SnapshotKeeper snapshots_;
    Counters counters_;
    std::unique_ptr<store::Store> store_;
    uint64_t users_version_ = 0;
    std::vector<io::StreamSecurity> security_;  // by listener, as at the start
    io::SourceConnections sources_;
    std::vector<std::unique_ptr<Ring>> rings_;
    std::vector<std::unique_ptr<Shard>> shards_;
    std::unique_ptr<StoreWorker> worker_;
    ShardQueries queries_;
    std::unique_ptr<ControlCommands> commands_;
    std::unique_ptr<ControlServer> control_;
    boost::asio::signal_set signals_;
    boost::asio::steady_timer drain_timer_;
    std::unique_ptr<io::AddressWatch> address_watch_;
    std::optional<Instant> drain_until_;
    Instant end_invites_at_ = kNever;
    bool was_idle_ = false;  // at the last question
    bool is_ended_at_once_ = false;
};

/// One for each CPU of the affinity mask, at most Node::kShardsMax.
uint8_t default_shards();

}  // namespace signalbox::node
