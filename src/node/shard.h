// One shard: a core with its thread, its reactor, its sockets, its journal and its ways to the
// other shards. Implements: RFC 3261 §18 (the transport layer's input and output)
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <thread>
#include <vector>

#include "core/sip_core.h"
#include "io/dns_resolver.h"
#include "io/queue_delay.h"
#include "io/stream_set.h"
#include "io/udp_socket.h"
#include "node/mailbox.h"
#include "node/ring.h"
#include "node/wake_up.h"
#include "store/journal.h"

namespace signalbox::node {

/// What a shard tells the main thread.
struct ShardReport {
    uint8_t shard = 0;
    std::vector<ports::CommandReply> replies;
    std::vector<const ports::Snapshot*> released;
    std::vector<io::StreamNotice> notices;
    std::vector<ports::OverloadLevelChange> level_changes;
};

/// A listener's socket for this shard.
struct ShardSocket {
    uint16_t listener = 0;
    transport::Transport transport = transport::Transport::Udp;
    Endpoint bound;
    io::FileDescriptor socket;
    io::StreamSecurity security;
};

struct ShardSetup {
    uint16_t node = 0;
    uint8_t index = 0;
    uint8_t count = 1;
    const ports::Snapshot* snapshot = nullptr;
    std::vector<crypto::TokenKey> keys;
    std::unique_ptr<store::Journal> journal;
    io::DnsSettings dns;
    io::SourceConnections* sources = nullptr;   // shared by all shards; outlives them
    std::function<void(ShardReport&&)> report;  // called in the shard's thread
};

/// A turn: receive a batch → core → journal → sockets → the rest of the Outbox. Nothing
/// acknowledged leaves before its journal events were appended. Made, connected and given its first
/// commands and sockets by the main thread; then start() hands it to its own.
class Shard final : io::StreamSink {
 public:
    explicit Shard(ShardSetup setup);
    ~Shard();
    Shard(const Shard&) = delete;
    Shard& operator=(const Shard&) = delete;

    /// The rings between this shard and `peer`, before start().
    void connect(Shard& peer, Ring& outgoing, Ring& incoming);
    void start(std::vector<ShardSocket> sockets);
    /// Any thread; also before start(): such commands are done before the first packet.
    void post(ports::Command command);
    /// Any thread: handshakes that begin from now on use these certificates, by listener.
    void secure(std::vector<io::StreamSecurity> listeners);
    /// Any thread: ends the loop after the current turn. join() waits for it.
    void stop();
    void join();

    uint8_t index() const { return setup_.index; }
    store::Journal& journal() { return *setup_.journal; }

 private:
    struct Peer {
        Shard* shard = nullptr;
        Ring* outgoing = nullptr;
        Ring* incoming = nullptr;
        bool is_to_wake = false;
    };
    struct Listening {
        std::unique_ptr<io::UdpSocket> socket;  // null: not a datagram listener
        std::unique_ptr<io::Descriptor> descriptor;
        bool is_dirty = false;
        Instant emptied;    // when the socket was last found empty
        uint32_t lost = 0;  // datagrams that its full buffer has cost so far
    };

    // The loop (shard.cpp).
    void run();
    void open(std::vector<ShardSocket> sockets);
    Instant next_deadline() const;
    void on_time();
    void await_datagrams(size_t listener);
    void receive_datagrams(size_t listener);
    void await_wake_up();
    void on_wake_up();
    void take_commands();
    void take_securities();
    void take_rings();
    void take(uint8_t from, const RingEntry& entry);
    bool route(const transport::Packet& packet);
    Now begin_turn() override;
    bool on_stream_message(const transport::Packet& packet) override;
    Duration waited_of(Listening& listening, const io::Datagram& datagram);
    Duration stream_delay();
    void fit_batch();
    void end_turn() override;
    Instant time() const override { return io::read_clocks().monotonic; }

    // What a core wants done (shard_output.cpp).
    void empty_outbox();
    void send_shard_messages();
    void append_journal();
    void send_all();
    void send_datagram(const transport::Transmit& transmit);
    void send_stream(const transport::Transmit& transmit);
    void close_flow(const transport::Flow& flow);
    void report();
    void add_own_counts(ports::StatsReply& reply) const;
    bool feed_back();
    bool push(uint8_t to, const RingEntry& entry);
    void wake_peers();
    void announce_domains();

    ShardSetup setup_;
    boost::asio::io_context context_{1};
    WakeUp wake_up_;
    io::Descriptor wake_descriptor_;
    Mailbox<ports::Command> mailbox_;
    Mailbox<std::vector<io::StreamSecurity>> securities_;
    std::vector<Peer> peers_;  // by shard; the own place is empty
    crypto::TokenKeys keys_;
    Counters counters_;  // of the driver; the core has its own
    ports::Outbox outbox_;
    io::UdpReceiver receiver_;
    size_t batch_ = io::kDatagramBatch;  // datagrams that a turn takes
    std::vector<Listening> listening_;   // by listener
    io::StreamSet streams_;
    io::DnsResolver resolver_;
    std::unique_ptr<core::SipCore> core_;
    std::vector<uint64_t> failed_datagrams_;  // owners
    std::vector<io::ClosedStream> closing_;
    std::vector<io::StreamOwner> failing_;
    Now now_;
    Instant asked_for_turn_;  // when stream_delay() last measured
    Duration turn_delay_{};   // what it measured
    bool is_awaiting_turn_ = false;
    Instant journal_retry_ = kNever;
    std::atomic<bool> is_stopping_{false};
    std::thread thread_;
};

}  // namespace signalbox::node
