// One side of the load over a number of connections to the server, and those that the server opens
// to it.
#pragma once

#include <netinet/in.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "net/descriptor.h"
#include "net/link.h"
#include "net/stream_connection.h"
#include "net/transport.h"

namespace bench {

struct StreamSettings {
    Transport transport = Transport::Tcp;
    sockaddr_in server{};
    std::string server_text;
    sockaddr_in local{};     // the address; its port is the listener's
    std::string local_text;  // the listener's address as text
    std::uint32_t connections = 16;
    bool listens = false;  // for TCP alone: whether the server may connect to `local`
};

/// Writes go out once a turn, one buffer for each connection.
class StreamLink final : public Link {
 public:
    /// Opens all connections and waits for their handshakes. Throws when one fails.
    explicit StreamLink(StreamSettings settings);
    ~StreamLink() override;

    int descriptor() const override { return epoll_.value(); }
    std::size_t receive() override;
    Received received(std::size_t index) const override;
    Peer to_server(std::uint32_t key) const override;
    std::string_view local(std::uint32_t connection) const override;
    void send(std::string_view bytes, const Peer& to) override;
    void flush() override;

 private:
    struct Found {
        std::uint32_t connection;
        StreamConnection::Piece piece;
    };

    void listen_for_server();
    void accept_waiting();
    void add(std::unique_ptr<StreamConnection> connection);
    void watch(std::uint32_t connection, bool is_for_writing);
    void read_from(std::uint32_t connection);
    void note_unsent(std::uint32_t connection);

    StreamSettings settings_;
    SslContext context_;
    Descriptor epoll_;
    Descriptor listener_;
    std::vector<std::unique_ptr<StreamConnection>> connections_;
    std::vector<bool> is_blocked_;  // the kernel took not all: wait until it takes more
    std::vector<std::uint32_t> unsent_;
    std::vector<bool> is_unsent_;
    std::vector<Found> found_;
    std::vector<StreamConnection::Piece> pieces_;  // scratch
};

}  // namespace bench
