// The stream connections of one shard: accepted, opened, secured, framed, bounded, and closed when
// they fail. Implements: RFC 3261 §18.1.1, §18.2.2, §18.3, §18.4; RFC 5626 §3.5.1; RFC 5922 §7; RFC
// 7118
#pragma once

#include <array>
#include <boost/unordered/unordered_flat_map.hpp>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/counters.h"
#include "base/slab.h"
#include "io/file_descriptor.h"
#include "io/source_connections.h"
#include "io/stream_connection.h"
#include "io/waiting_line.h"
#include "transport/packet.h"

namespace signalbox::io {

struct StreamLimits {
    uint32_t connections_max = 100'000;  // of this shard
    Duration connect_timeout = std::chrono::seconds(5);
    Duration idle_timeout = std::chrono::minutes(125);
    Duration dead_timeout =
        std::chrono::seconds(30);  // for the peer's system to acknowledge anything
    Duration message_timeout =
        std::chrono::seconds(30);  // a message that has begun must be whole by then
    Duration drain_timeout = std::chrono::seconds(2);  // for the answer to a lost framing
    Duration half_closed_timeout =
        std::chrono::seconds(213);  // for the next answer to a peer who sends no more
    Duration handshake_timeout = std::chrono::seconds(10);      // TLS and WebSocket together
    Duration first_message_timeout = std::chrono::seconds(30);  // for the first valid SIP message
    uint32_t connections_per_source = 1000;                     // of all shards; accepted ones
    std::vector<transport::PeerDomain> known;  // of a client's several domains these go first
    std::vector<Network> exempt;            // whose connections are not counted, and may be silent
    size_t output_bytes_max = 1024 * 1024;  // queued for one peer
    // A handshake that would begin behind so many is one that its peer gives up before the end. Who
    // wants one waits in the system's queue, which costs no memory of ours.
    size_t handshakes_waiting_max = 1024;
    uint32_t swept_per_turn = 512;  // connections whose times are looked at in one turn
};

/// A stream that ended after it was established.
struct ClosedStream {
    transport::Flow flow;
    transport::FlowError why = transport::FlowError::ClosedByPeer;
};

/// What a connection without a name is found by. A TLS connection serves the domain that its
/// certificate was checked for, and no other (RFC 5922 §7.3, RFC 5923 §8.2).
struct StreamKey {
    Endpoint remote;
    transport::Transport transport = transport::Transport::Tcp;
    transport::PeerDomain domain{};

    static StreamKey of(const transport::Flow& flow) {
        return {flow.remote, flow.transport, flow.domain};
    }
    friend bool operator==(const StreamKey&, const StreamKey&) = default;
};

/// Keyed, because who connects chooses his own addresses.
struct StreamKeyHash {
    std::array<uint64_t, 2> key;
    size_t operator()(const StreamKey& key) const;
};

/// How the connections of one listener are secured. TLS and WSS need `server`; TLS connections are
/// opened with `client`.
struct StreamSecurity {
    std::shared_ptr<const TlsServer> server;
    std::shared_ptr<const TlsClient> client;
    std::vector<std::string> origins;  // WS and WSS: those that may connect; none: any
};

/// A TLS connection that we opened and that could not be used: for the log.
struct StreamNotice {
    Endpoint remote;
    std::string domain;  // asked for; empty: the address
    std::string reason;
};

/// The driver, as its streams see it. A turn, in which messages are handed over, serves some of the
/// connections that can be read (stream_turns.cpp).
class StreamSink {
 public:
    virtual Now begin_turn() = 0;
    /// False: no room now. The message is kept, the connection is not read until resume().
    virtual bool on_stream_message(const transport::Packet& packet) = 0;
    virtual void end_turn() = 0;
    /// What the monotonic clock says now; no turn begins.
    virtual Instant time() const = 0;

 protected:
    ~StreamSink() = default;
};

/// Single-threaded: the shard's thread runs `context` and calls everything here. Nothing is told to
/// the core by a call back: what failed and what closed is taken by the driver when it ends its
/// turn.
class StreamSet final {
 public:
    StreamSet(asio::io_context& context, uint8_t shard, const StreamLimits& limits,
              Counters& counters, StreamSink& sink);
    ~StreamSet();
    StreamSet(const StreamSet&) = delete;
    StreamSet& operator=(const StreamSet&) = delete;

    /// Connections accepted from `socket`, and those opened for it, belong to `listener` of the
    /// snapshot and speak `transport`.
    void add_listener(uint16_t listener, const Endpoint& bound, FileDescriptor socket,
                      transport::Transport transport = transport::Transport::Tcp,
                      StreamSecurity security = {});
    /// Handshakes that begin from now on are made so; connections that are up stay as they are.
    void secure(uint16_t listener, StreamSecurity security);
    void set_limits(StreamLimits limits) { limits_ = std::move(limits); }
    /// Counts connections together with those of other shards. Must outlive this.
    void share_sources(SourceConnections& sources) { sources_ = &sources; }
    /// Keeps the name of a domain whose hash stands in flows, for the certificates of connections
    /// that will be opened. The oldest ones are forgotten. True when it was not known.
    bool learn_domain(std::string_view domain);

    /// Queues a message for the connection that `flow` names; if that has ended, or none is named,
    /// for another connection to the same remote, or for a new one. A connection whose peer sends
    /// no more takes responses only; those that it refuses go once more by another connection (RFC
    /// 3261 §18.2.2). What cannot be sent is in failed_owners() sooner or later. Copies `bytes`.
    /// `connect_max`, unless 0: how long that connection may still take to open, where the limit is
    /// longer.
    void send(Instant now, const transport::Flow& flow, std::string_view bytes, StreamOwner owner,
              Duration connect_max = {});
    /// Closes the connection that `flow` names, after its output was offered to the system once
    /// more.
    void close(const transport::Flow& flow, transport::FlowError why);
    /// Hands to the system what was queued since the last call: one system call for each
    /// connection.
    void flush();
    /// Tries again to hand over the messages that had no room.
    void resume(Now now);
    bool has_held() const { return !held_.empty(); }

    /// Ends connects and connections whose time is up, and accepts again after the system had no
    /// descriptors.
    void on_time(Instant now);
    Instant next_deadline() const;

    /// Owners of messages that will not be sent; streams that ended. The driver empties both each
    /// turn.
    std::vector<StreamOwner>& failed_owners() { return failed_owners_; }
    std::vector<ClosedStream>& closed() { return closed_; }
    std::vector<StreamNotice>& notices() { return notices_; }
    uint32_t size() const { return connections_.size(); }
    /// True when nothing waits to be written.
    bool is_flushed() const;

 private:
    using Connections = Slab<StreamConnection>;
    using Name = Handle<StreamConnection>;
    struct Listening {
        uint16_t listener;
        Endpoint bound;
        transport::Transport transport;
        StreamSecurity security;
        std::unique_ptr<Descriptor> descriptor;
        bool is_paused = false;   // the system has no descriptors
        bool is_put_off = false;  // too many handshakes wait
    };
    /// A connection that can be read, and since when.
    struct Waiting {
        Name name;
        Instant since;
    };
    struct Connecting {
        Name name;
        Instant deadline;
    };

    void await_accept(size_t index);
    void accept_ready(size_t index);
    void accept(const Listening& entry, FileDescriptor socket, const Endpoint& remote, Instant now);
    Name adopt(FileDescriptor socket, const transport::Flow& flow, Instant now);
    enum class Message : uint8_t { Request, Provisional, Final };
    static Message message_of(std::string_view bytes);
    Name find(const transport::Flow& flow, Message message);
    Name open(Instant now, const transport::Flow& flow);
    void limit_connect(Name name, Instant deadline);
    void await_connected(Name name);
    void connected(Name name);
    bool is_at_limit();
    static void keep_alive(int fd);
    bool is_exempt(const IpAddress& source) const;
    void become_open(StreamConnection& connection, Instant now);
    void sweep_some(Instant now);
    void sweep(Name name, StreamConnection& connection, Instant now);
    bool is_dead(StreamConnection& connection, Instant now) const;
    void peer_sends_no_more(Name name, Instant now);
    void leave_by_key(const StreamConnection& connection);
    void note_answer(StreamConnection& connection, Instant now, Message message);

    // Answers to peers who send no more (stream_half_closed.cpp).
    void keep_answer(StreamConnection& connection, const transport::Flow& flow,
                     std::string_view bytes, StreamOwner owner);
    void settle_answers(Name name);
    void lose_answers(StreamConnection& connection, transport::FlowError why);
    void send_lost_answers();

    void end(Name name, transport::FlowError why);
    const Listening* listening_of(uint16_t listener) const;
    Name name_of(const StreamConnection& connection) const;

    // Whose turn it is (stream_turns.cpp).
    void await_input(Name name);
    void line_up(Name name);
    void post_turn();
    void take_turn();
    bool is_anyone_waiting() const;
    void read_some(WaitingLine<Waiting>& line, int count);
    bool is_to_put_off(const Listening& entry) const;
    void accept_put_off();

    void input_ready(Name name, Instant now);
    void read(Name name, Instant now);
    void take_input(StreamConnection& connection, std::string_view buffer, Instant now,
                    bool is_own_buffer);
    size_t deliver(StreamConnection& connection, std::string_view buffer);
    void lose_framing(StreamConnection& connection, std::string_view rest);
    void drain(StreamConnection& connection);
    void finish_draining(StreamConnection& connection);
    void discard(Name name);
    bool hand_over(StreamConnection& connection, std::string_view message);

    // TLS and WebSocket (stream_layers.cpp).
    bool add_layers(StreamConnection& connection, const Listening* entry);
    void begin_handshake(StreamConnection& connection, Instant now);
    void read_layers(Name name, std::string_view wire, Instant now);
    void tls_established(StreamConnection& connection, Instant now);
    void tls_failed(Name name, bool was_established);
    void note_begun(StreamConnection& connection, Instant now);
    void take_plain(StreamConnection& connection, std::string_view plain, Instant now);
    size_t deliver_web_socket(StreamConnection& connection, std::string_view buffer);
    size_t upgrade(StreamConnection& connection, std::string_view buffer);
    bool take_web_socket_message(StreamConnection& connection, std::string_view message);
    bool wrap(StreamConnection& connection, std::string_view message, StreamOutput& output);
    bool queue_plain(StreamConnection& connection, std::string_view plain);
    void say_goodbye(StreamConnection& connection);
    void note(const StreamConnection& connection, std::string reason);

    StreamOutput& output_of(StreamConnection& connection);
    void mark_dirty(StreamConnection& connection);
    bool queue(StreamConnection& connection, std::string_view bytes, StreamOwner owner);
    void write(Name name);
    void send_once(StreamConnection& connection);
    void await_output(Name name);
    void release_output(StreamConnection& connection);
    void fail_output(StreamConnection& connection);
    std::string take_spare();
    void give_spare(std::string&& buffer);

    asio::io_context& context_;
    uint8_t shard_;
    StreamLimits limits_;
    Counters& counters_;
    StreamSink& sink_;
    Connections connections_;
    std::vector<Listening> listening_;
    boost::unordered_flat_map<StreamKey, Name, StreamKeyHash> by_key_;
    SourceConnections own_sources_;
    SourceConnections* sources_ = &own_sources_;
    boost::unordered_flat_map<uint64_t, std::string> domains_;  // by PeerDomain::number()
    std::deque<uint64_t> domains_in_order_;                     // the oldest first
    std::deque<Connecting> connecting_;                         // in the order of their deadlines
    std::vector<Name> dirty_;
    std::vector<Name> held_;
    WaitingLine<Waiting> readable_;
    WaitingLine<Waiting> newcomers_;   // that can be read, and have brought no message yet
    WaitingLine<Waiting> handshakes_;  // that can go on
    uint32_t lined_up_ = 0;            // since the latest look at the lines
    bool is_turn_posted_ = false;
    bool is_accept_put_off_ = false;
    Duration waited_{};  // of the connection that is being read, for its turn
    std::vector<StreamAnswer> lost_answers_;
    std::vector<StreamOwner> failed_owners_;
    std::vector<ClosedStream> closed_;
    std::vector<StreamNotice> notices_;
    std::unique_ptr<char[]> scratch_;
    Instant turn_;       // the beginning of the latest turn
    std::string plain_;  // decrypted
    std::string wire_;   // what TLS wants sent
    std::string frame_;  // a WebSocket frame
    std::vector<std::string> spare_;
    std::vector<std::unique_ptr<StreamOutput>> spare_outputs_;
    static constexpr Duration kSweepInterval = std::chrono::seconds(1);
    Instant next_sweep_ = kNever;
    uint32_t sweep_place_ = 0;  // where the sweep under way goes on; 0: none is
    Instant accept_again_ = kNever;
    bool is_ending_ = false;
};

}  // namespace signalbox::io
