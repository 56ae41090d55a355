// One side of the load towards the server, whatever the transport: a socket for datagrams, or a
// number of connections.
#pragma once

#include <netinet/in.h>

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace bench {

/// Where a message came from or goes to. Datagrams mind the address, streams the connection.
struct Peer {
    sockaddr_in address{};
    std::uint32_t connection = 0;
};

enum class Arrival : std::uint8_t {
    Message,  // the bytes of one message
    Broken,   // what is no message: cut, or not to be framed
    Closed,   // the server ended the connection; the bytes say so in words
};

struct Received {
    Arrival arrival = Arrival::Message;
    std::string_view bytes;  // Views: the link's buffer (lives until the next receive())
    Peer source;
};

class Link {
 public:
    Link() = default;
    virtual ~Link() = default;
    Link(const Link&) = delete;
    Link& operator=(const Link&) = delete;

    /// Readable when something waits.
    virtual int descriptor() const = 0;

    /// Takes what waits, without blocking. Returns how much that is; received() tells it.
    virtual std::size_t receive() = 0;
    virtual Received received(std::size_t index) const = 0;

    /// The way to the server for whatever `key` stands for; equal keys take the same connection.
    virtual Peer to_server(std::uint32_t key) const = 0;
    /// The address and port of our end, for Via and Contact.
    virtual std::string_view local(std::uint32_t connection) const = 0;

    /// Queues a copy of `bytes`; flush() sends at the latest.
    virtual void send(std::string_view bytes, const Peer& to) = 0;
    virtual void flush() = 0;
};

}  // namespace bench
