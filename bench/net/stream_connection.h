// One connection of the load: octets over TCP or TLS, SIP messages framed by Content-Length or by
// WebSocket.
// Implements: RFC 3261 §18.3; RFC 7118 §4
#pragma once

#include <netinet/in.h>
#include <openssl/ssl.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "net/descriptor.h"
#include "net/link.h"
#include "net/transport.h"

namespace bench {

struct SslDeleter {
    void operator()(SSL* ssl) const { SSL_free(ssl); }
    void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
};
using SslHandle = std::unique_ptr<SSL, SslDeleter>;
using SslContext = std::unique_ptr<SSL_CTX, SslDeleter>;

/// What TLS clients of the load share: TLS 1.3 with one cipher suite, so that all servers under
/// test encrypt alike. Whose certificate the server shows is not asked.
SslContext make_client_context();

class StreamConnection final {
 public:
    /// Opens a connection from `local` (port 0: any) and waits for its handshakes. Throws
    /// std::system_error or std::runtime_error when one fails.
    StreamConnection(Transport transport, const sockaddr_in& local, const sockaddr_in& server,
                     std::string_view server_text, SSL_CTX* context);
    /// Takes over a TCP connection that the server opened to the listener `local_text`.
    StreamConnection(Descriptor accepted, const sockaddr_in& peer, std::string local_text);

    int descriptor() const { return descriptor_.value(); }
    const sockaddr_in& peer() const { return peer_; }
    std::string_view local() const { return local_text_; }
    bool is_open() const { return is_open_; }

    /// Where one arrival lies in input().
    struct Piece {
        Arrival arrival;
        std::size_t begin;
        std::size_t size;
    };

    /// Forgets what receive() found before, reads what waits and appends what it is to `found`.
    void receive(std::vector<Piece>& found);
    std::string_view input() const { return {input_.data(), filled_}; }

    void send(std::string_view message);
    bool has_output() const { return sent_ < output_.size(); }
    /// Sends what is queued, as far as the kernel takes it. Returns true when some is left.
    bool flush();

 private:
    void open(const sockaddr_in& local, std::string_view server_text, SSL_CTX* context);
    void upgrade(std::string_view server_text);
    void make_room();
    void take_pieces(std::vector<Piece>& found);
    void break_off(std::vector<Piece>& found);
    void take_sip(std::vector<Piece>& found);
    void take_frames(std::vector<Piece>& found);
    void close_with(std::string_view why, std::vector<Piece>& found);

    /// Octets read; 0 when nothing waits, below 0 when the connection has ended.
    long read_some(char* to, std::size_t size_max);
    long write_some(std::string_view bytes);
    std::uint32_t next_mask();

    Transport transport_;
    Descriptor descriptor_;
    sockaddr_in peer_;
    std::string local_text_;
    SslHandle ssl_;
    bool is_open_ = true;
    std::vector<char> input_;
    std::size_t filled_ = 0;  // octets of input_ that were read
    std::size_t taken_ = 0;   // octets of them that were found to be messages
    std::string output_;
    std::size_t sent_ = 0;  // octets of output_ that are on their way
    std::uint32_t mask_ = 0x51b0c5ed;
};

}  // namespace bench
