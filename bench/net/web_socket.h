// The client's half of WebSocket: the upgrade, masked frames out, plain frames in.
// Implements: RFC 6455 §4.1, §5.2, §5.3; RFC 7118 §4
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace bench {

/// The request that asks the server at `host` for the subprotocol "sip".
std::string upgrade_request(std::string_view host);

/// True when the response accepts it: 101, the digest of our key, the subprotocol.
bool is_upgraded(std::string_view response);

enum class Opcode : std::uint8_t {
    Continuation = 0,
    Text = 1,
    Binary = 2,
    Close = 8,
    Ping = 9,
    Pong = 10
};

/// Appends one whole frame, masked with `key`.
void append_masked_frame(std::string& out, Opcode opcode, std::string_view payload,
                         std::uint32_t key);

struct WebSocketFrame {
    enum class Kind {
        Incomplete,  // more octets must come
        Whole,       // a frame of `header` octets and `size` octets of payload
        Broken,      // masked, fragmented, with a reserved bit, or too long
    };
    Kind kind = Kind::Incomplete;
    Opcode opcode = Opcode::Text;
    std::size_t header = 0;
    std::size_t size = 0;
};

/// Reads the first frame of a server in `bytes`. Fragments count as broken: no server under test
/// has a reason to make them of messages this small.
WebSocketFrame read_frame(std::string_view bytes);

}  // namespace bench
