// The server in a simulated world: one to three real cores with a driver that does what the real
// one does, in virtual time.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "core/sip_core.h"
#include "crypto/token.h"
#include "ports/user_record.h"
#include "sim/event_queue.h"
#include "sim/network.h"
#include "sip/stream_framing.h"

namespace signalbox::sim {

/// One call into a core and all that it wanted. Views: the packet and the outbox, for the call.
struct Turn {
    Now now;
    uint32_t incarnation = 0;
    uint8_t shard = 0;
    const transport::Packet* packet = nullptr;  // null: the turn had another cause
    const ports::Outbox* out = nullptr;
};

/// Sees every turn before anything of it leaves.
class TurnWatcher {
 public:
    virtual void on_turn(const Turn& turn) = 0;
    /// A message that a stream did not take: its transaction may end.
    virtual void on_output_lost(std::string_view bytes) = 0;
    /// A step of the driver that must never happen.
    virtual void on_driver_fault(const std::string& what) = 0;

 protected:
    ~TurnWatcher() = default;
};

struct ServerSetup {
    uint8_t shards = 1;
    Endpoint address;  // of its UDP and its TCP socket
    std::vector<ports::UserRecord> users;
    std::map<std::string, resolver::RecordSet> zone;  // what DNS knows of each name
    uint32_t dns_failure_permille = 0;                // of questions that no server answers
    transaction::MachineCoverage* coverage = nullptr;
    uint32_t stream_failure_permille = 0;  // of messages that a stream does not take
};

/// How slow a shard is. What comes while it works waits in one queue, as in a socket's buffer.
struct Slowness {
    Duration message{};          // to handle one; zero: everything is done at once
    size_t datagrams_max = 500;  // that may wait; more are lost
};

/// Owns the cores, the journal and the snapshots. The journal outlives a kill, as the real one
/// does.
class Server final : public Host {
 public:
    Server(ServerSetup setup, EventQueue& queue, Network& network, Random random,
           TurnWatcher& watcher);
    ~Server();
    Server(const Server&) = delete;
    Server& operator=(const Server&) = delete;

    /// Begins with `snapshot`, what the journal tells, and no memory of anything else.
    void start(std::unique_ptr<ports::Snapshot> snapshot);
    /// All memory is gone in this moment; streams break.
    void kill();
    void reload(std::unique_ptr<ports::Snapshot> snapshot);

    /// From now on.
    void set_slowness(const Slowness& slowness) { slowness_ = slowness; }
    /// Datagrams that found no room while they had to wait.
    uint64_t datagrams_lost() const { return datagrams_lost_; }

    bool is_running() const { return !shards_.empty(); }
    uint32_t incarnation() const { return incarnation_; }
    const ports::Snapshot& snapshot() const { return *snapshots_.back().snapshot; }
    /// Snapshots that some core still uses.
    size_t snapshots_live() const { return snapshots_.size(); }
    const std::vector<std::string>& journal() const { return journal_; }
    /// Sums over the shards.
    ports::Gauges gauges() const;
    uint64_t counter(Counter counter) const;
    /// All live bindings, asked page by page as the control socket does.
    std::vector<ports::BindingsEvent> registrations();

    void on_datagram(const Endpoint& from, const Endpoint& to, std::string_view bytes) override;
    void on_stream_open(StreamId stream, const Endpoint& local, const Endpoint& remote,
                        bool is_accepted) override;
    void on_stream_bytes(StreamId stream, std::string_view bytes) override;
    void on_stream_end(StreamId stream, StreamEnd why) override;

    /// Where a message for this flow would go: for one that only its connection leads to, the peer
    /// of that connection. Port 0: nowhere, it fails.
    Endpoint reached_by(const transport::Flow& flow) const;

 private:
    struct Shard;
    struct Waiting {
        std::string bytes;
        uint64_t owner;
        uint8_t shard;  // whose core asked
    };
    struct Connection {
        transport::Flow flow;
        bool is_open = false;
        std::string input;
        sip::StreamFraming framing;
        std::vector<Waiting> waiting;  // until it is open
    };
    struct UsedSnapshot {
        std::unique_ptr<ports::Snapshot> snapshot;
        uint32_t users = 0;
    };
    enum class StreamLoss : uint8_t { BeforeOpen, AfterOpen };

    using CoreCall = std::function<void(core::SipCore&, ports::Outbox&)>;
    void turn(uint8_t shard, const transport::Packet* packet, const CoreCall& call);
    void empty_outbox(uint8_t shard);
    void wake_later(uint8_t shard);
    void on_wake(uint8_t shard);
    /// Runs `call` on `shard` behind the ring's delay, unless the server is killed meanwhile.
    void by_ring(uint8_t shard, EventQueue::Action call);
    Duration ring_delay();
    void steer(uint8_t arrived_at, const transport::Flow& flow, std::string bytes);
    struct Arrived {
        transport::Flow flow;
        std::string bytes;
        Instant at;
    };
    void receive(uint8_t shard, Arrived arrived);
    void work(uint8_t shard);
    Duration handle(uint8_t shard, const Arrived& arrived);
    void command(uint8_t shard, ports::Command command);
    void restore();
    void send(uint8_t shard, const transport::Transmit& transmit, std::string bytes);
    void send_stream(uint8_t shard, const transport::Transmit& transmit, std::string bytes);
    void answer_dns(uint8_t shard, const ports::DnsRequest& request);
    /// True when the drawn fault took the message.
    bool refuse_output(StreamId stream, uint8_t shard, std::string_view bytes, uint64_t owner);
    void fail_transmit(uint8_t shard, std::string_view bytes, uint64_t owner);
    void connect_timed_out(StreamId stream);
    StreamId find_stream(const transport::Flow& flow) const;
    StreamId open_stream(uint8_t shard, const transport::Flow& flow);
    void name_connection(Connection& connection, uint8_t shard);
    void frame(StreamId stream);
    void close(const transport::Flow& flow);
    void lose(StreamId stream, StreamLoss loss, transport::FlowError why);
    void release(const ports::Snapshot* snapshot);

    ServerSetup setup_;
    EventQueue& queue_;
    Network& network_;
    Random random_;
    TurnWatcher& watcher_;
    std::vector<crypto::TokenKey> keys_;
    std::vector<std::unique_ptr<Shard>> shards_;
    std::vector<UsedSnapshot> snapshots_;
    std::vector<std::string> journal_;
    std::map<StreamId, Connection> connections_;
    std::vector<uint32_t> generations_;  // of each connection number, over all shards
    std::vector<uint32_t> free_numbers_;
    std::map<uint8_t, Instant>
        ring_arrivals_;  // of the last message to each shard: rings keep order
    Slowness slowness_;
    uint64_t datagrams_lost_ = 0;
    uint32_t incarnation_ = 0;
    uint64_t next_query_ = 1;
    std::vector<ports::CommandReply> replies_;
};

}  // namespace signalbox::sim
