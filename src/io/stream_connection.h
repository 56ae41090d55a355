// One stream connection as a shard keeps it. Idle ones hold no buffers.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/time.h"
#include "io/reactor.h"
#include "io/tls_engine.h"
#include "io/web_socket_codec.h"
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
    static constexpr size_t kWaiting = SIZE_MAX;  // the end of a message in `waiting`

    std::string bytes;
    size_t sent = 0;  // of bytes
    std::vector<Owned> owned;
    std::string waiting;  // messages that the end of the TLS handshake turns into `bytes`

    size_t pending() const { return bytes.size() - sent; }
};

/// A response to a peer who sends no more: perhaps he reads no more either.
struct StreamAnswer {
    transport::Flow flow;  // by which it goes when that connection is gone
    std::string bytes;
    StreamOwner owner;
};

/// What lies between the octets of a socket and SIP messages. TCP has none.
struct StreamLayers {
    std::unique_ptr<TlsEngine> tls;              // null: in the clear
    std::unique_ptr<WebSocketCodec> web_socket;  // null: none, or its handshake is not over
};

/// Owned by a StreamSet's slab; dies with close().
struct StreamConnection {
    enum class State : uint8_t {
        Connecting,   // opened by us, not yet established
        Handshaking,  // TLS or WebSocket is being agreed on
        Open,         // messages go both ways
        HalfClosed,   // the peer sends no more: what he waits for goes out, and nothing else
        Draining,     // its framing is lost: the answer goes out, what comes is thrown away
    };

    explicit StreamConnection(asio::io_context& context) : descriptor(context) {}

    Descriptor descriptor;
    transport::Flow flow;
    State state = State::Connecting;
    bool is_waiting_to_write = false;
    bool is_dirty = false;  // in the set's list of what to write at the end of the turn
    bool is_held = false;   // a whole message (`held`, or the WebSocket's) that its shard could not
                            // take yet
    bool was_open = false;  // flows may name it
    bool is_proven = false;   // it brought a valid SIP message, or we know whom it leads to
    bool is_new = false;      // it was accepted, and has brought no message yet
    bool is_counted = false;  // in the count of its source's connections
    uint32_t owed = 0;        // requests that it brought and that got no final response yet
    std::unique_ptr<StreamLayers> layers;  // null: TCP
    sip::StreamFraming framing;
    sip::Frame held;                                     // at the beginning of `input`
    std::string input;                                   // received, and not a whole message yet
    std::unique_ptr<StreamOutput> output;                // null: nothing to send
    std::unique_ptr<std::vector<StreamAnswer>> untaken;  // when HalfClosed: responses of which the
                                                         // peer's system has not said that it has
                                                         // them
    Instant heard;                                       // of the latest octet, or when it was made
    Instant opened;                                      // when the state became Open
    Instant unheard = kNever;  // since the first message to him that nothing came after
    Instant begun = kNever;    // of the message that is not whole; when Handshaking or Draining: of
                             // that state; when HalfClosed: of the latest answer, or of that state
};

}  // namespace signalbox::io
