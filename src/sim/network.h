// The network between the hosts of a world: datagrams that are lost, doubled, late and out of
// order; streams that keep order, open, close and break.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "base/ip_endpoint.h"
#include "base/random.h"
#include "sim/event_queue.h"
#include "sim/trace.h"

namespace signalbox::sim {

using StreamId = uint64_t;

enum class StreamEnd : uint8_t { Closed, Reset, Refused };

/// A host as the network sees it. Calls come from the event queue, never from inside a call into
/// the network.
class Host {
 public:
    virtual void on_datagram(const Endpoint& from, const Endpoint& to, std::string_view bytes) = 0;
    /// A stream is up: one that this host asked for, or one that it accepts.
    virtual void on_stream_open(StreamId stream, const Endpoint& local, const Endpoint& remote,
                                bool is_accepted) = 0;
    /// False: nothing listens there for streams.
    virtual bool accepts_streams() const { return true; }
    virtual void on_stream_bytes(StreamId stream, std::string_view bytes) = 0;
    virtual void on_stream_end(StreamId stream, StreamEnd why) = 0;

 protected:
    ~Host() = default;
};

/// What befalls a datagram.
struct NetworkFaults {
    uint32_t loss_permille = 0;
    uint32_t duplicate_permille = 0;
    uint32_t late_permille = 0;  // delayed by up to a second: out of order
    Duration delay_min = std::chrono::milliseconds(1);
    Duration delay_max = std::chrono::milliseconds(1);

    bool is_perfect() const {
        return loss_permille == 0 && duplicate_permille == 0 && late_permille == 0;
    }
};

/// Owns everything that is on its way. Single-threaded.
class Network final {
 public:
    Network(EventQueue& queue, Trace& trace, Random random)
        : queue_(queue), trace_(trace), random_(random) {}

    void set_faults(const NetworkFaults& faults) { faults_ = faults; }
    const NetworkFaults& faults() const { return faults_; }

    /// What is sent to `endpoint` reaches `host` from now on.
    void attach(const Endpoint& endpoint, Host& host) { hosts_[endpoint] = &host; }
    /// Nobody is there any more: datagrams vanish, connects are refused.
    void detach(const Endpoint& endpoint) { hosts_.erase(endpoint); }

    void send_datagram(const Endpoint& from, const Endpoint& to, std::string_view bytes);

    /// Begins to open a stream; on_stream_open or on_stream_end follows.
    StreamId connect(Host& host, const Endpoint& local, const Endpoint& remote);
    /// The bytes arrive in order, cut anywhere. Nothing happens when the stream has ended.
    void send_stream(StreamId stream, Host& from, std::string_view bytes);
    /// The other side reads to the end of what was sent, then learns of it.
    void close_stream(StreamId stream, Host& from);
    /// The other side learns of it at once; what is on its way is lost.
    void reset_stream(StreamId stream, Host& from);

 private:
    struct Side {
        Host* host = nullptr;
        Endpoint endpoint;
        Instant last_arrival;  // of what was sent to this side
        bool has_left = false;
    };
    struct Stream {
        Side a, b;  // a opened it
        bool is_open = false;
    };
    Duration delay();
    void deliver(const Endpoint& from, const Endpoint& to, std::string bytes, Duration after);
    void accept(StreamId id);
    void opened(StreamId id);
    void end_for(StreamId id, bool is_a, StreamEnd why, Instant at);

    EventQueue& queue_;
    Trace& trace_;
    Random random_;
    NetworkFaults faults_;
    std::map<Endpoint, Host*> hosts_;
    std::map<StreamId, Stream> streams_;
    StreamId next_stream_ = 1;
};

}  // namespace signalbox::sim
