// One stream connection as a shard keeps it. Idle ones hold no buffers.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/time.h"
#include "io/reactor.h"
#include "sip/stream_framing.h"
#include "transport/flow.h"

namespace signalbox::io {

/// Who learns of it when a message cannot be sent: a Transmit's owner, and the shard that made it.
struct StreamOwner {
    uint64_t id = 0;  // 0: nobody asks
    uint8_t shard = 0;
    friend bool operator==(const StreamOwner&, const StreamOwner&) = default;
};

/// What waits for a peer that reads slowly, or for the end of the turn.
struct StreamOutput {
    struct Owned {
        StreamOwner owner;
        size_t end;  // in bytes
    };
    std::string bytes;
    size_t sent = 0;  // of bytes
    std::vector<Owned> owned;

    size_t pending() const { return bytes.size() - sent; }
};

/// Owned by a StreamSet's slab; dies with close().
struct StreamConnection {
    enum class State : uint8_t {
        Connecting,  // opened by us, not yet established
        Open,        // messages go both ways
        Draining,    // its framing is lost: the answer goes out, what comes is thrown away
    };

    explicit StreamConnection(asio::io_context& context) : descriptor(context) {}

    Descriptor descriptor;
    transport::Flow flow;
    State state = State::Connecting;
    bool is_waiting_to_write = false;
    bool is_dirty = false;  // in the set's list of what to write at the end of the turn
    bool is_held = false;   // `held` is a whole message that its shard could not take yet
    sip::StreamFraming framing;
    sip::Frame held;                       // at the beginning of `input`
    std::string input;                     // received, and not a whole message yet
    std::unique_ptr<StreamOutput> output;  // null: nothing to send
    Instant heard;                         // of the latest octet, or when it was made
    Instant begun = kNever;  // of the message that is not whole; when Draining: of that state
};

}  // namespace signalbox::io
