// The stream connections of one shard: accepted, opened, framed, bounded, and closed when they
// fail. Implements: RFC 3261 §18.1.1, §18.2.2, §18.3, §18.4; RFC 5626 §3.5.1
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
#include "io/stream_connection.h"
#include "transport/packet.h"

namespace signalbox::io {

struct StreamLimits {
    uint32_t connections_max = 100'000;  // of this shard
    Duration connect_timeout = std::chrono::seconds(5);
    Duration idle_timeout = std::chrono::minutes(65);
    Duration message_timeout =
        std::chrono::seconds(30);  // a message that has begun must be whole by then
    Duration drain_timeout = std::chrono::seconds(2);  // for the answer to a lost framing
    size_t output_bytes_max = 1024 * 1024;             // queued for one peer
};

/// A stream that ended after it was established.
struct ClosedStream {
    transport::Flow flow;
    transport::FlowError why = transport::FlowError::ClosedByPeer;
};

/// Keyed, because who connects chooses his own addresses.
struct EndpointHash {
    std::array<uint64_t, 2> key;
    size_t operator()(const Endpoint& endpoint) const;
};

/// The driver, as its streams see it: each event of the reactor is one turn, in which messages are
/// handed over.
class StreamSink {
 public:
    virtual Now begin_turn() = 0;
    /// False: no room now. The message is kept, the connection is not read until resume().
    virtual bool on_stream_message(const transport::Packet& packet) = 0;
    virtual void end_turn() = 0;

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
    /// snapshot.
    void add_listener(uint16_t listener, const Endpoint& bound, FileDescriptor socket);
    void set_limits(const StreamLimits& limits) { limits_ = limits; }

    /// Queues a message for the connection that `flow` names; if that has ended, or none is named,
    /// for another connection to the same remote, or for a new one. What cannot be sent is in
    /// failed_owners() sooner or later. Copies `bytes`.
    void send(Instant now, const transport::Flow& flow, std::string_view bytes, StreamOwner owner);
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
    uint32_t size() const { return connections_.size(); }
    /// True when nothing waits to be written.
    bool is_flushed() const;

 private:
    using Connections = Slab<StreamConnection>;
    using Name = Handle<StreamConnection>;
    struct Listening {
        uint16_t listener;
        Endpoint bound;
        std::unique_ptr<Descriptor> descriptor;
        bool is_paused = false;
    };
    struct Connecting {
        Name name;
        Instant deadline;
    };

    void await_accept(size_t index);
    void accept_ready(size_t index);
    Name adopt(FileDescriptor socket, uint16_t listener, const Endpoint& remote, Instant now);
    Name find(const transport::Flow& flow);
    Name open(Instant now, const transport::Flow& flow);
    void await_connected(Name name);
    void connected(Name name);
    bool is_at_limit();
    void end(Name name, transport::FlowError why);
    Name name_of(const StreamConnection& connection) const;

    void await_input(Name name);
    void input_ready(Name name);
    void read(Name name, Instant now);
    void take_input(StreamConnection& connection, std::string_view buffer, Instant now,
                    bool is_own_buffer);
    size_t deliver(StreamConnection& connection, std::string_view buffer);
    void lose_framing(StreamConnection& connection, std::string_view rest);
    void discard(Name name);

    bool queue(StreamConnection& connection, std::string_view bytes, StreamOwner owner);
    void write(Name name);
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
    boost::unordered_flat_map<Endpoint, Name, EndpointHash> by_remote_;
    std::deque<Connecting> connecting_;  // in the order of their deadlines
    std::vector<Name> dirty_;
    std::vector<Name> held_;
    std::vector<StreamOwner> failed_owners_;
    std::vector<ClosedStream> closed_;
    std::unique_ptr<char[]> scratch_;
    std::vector<std::string> spare_;
    std::vector<std::unique_ptr<StreamOutput>> spare_outputs_;
    Instant next_sweep_ = kNever;
    Instant accept_again_ = kNever;
    bool is_ending_ = false;
};

}  // namespace signalbox::io
