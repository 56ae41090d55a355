// One connection of the load: octets over TCP or TLS, SIP messages framed by Content-Length or by
// WebSocket.
// Implements: RFC 3261 §18.3; RFC 7118 §4
#include "net/stream_connection.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <system_error>
#include <utility>

#include "net/sip_framing.h"
#include "net/web_socket.h"

namespace bench {
namespace {

// What one read may bring; a connection begins with less room and gets this when it fills that.
constexpr std::size_t kReadBytes = 65536;
constexpr std::size_t kFirstReadBytes = 8192;
constexpr int kHandshakeSecondsMax = 10;

[[noreturn]] void fail(const char* what) {
    throw std::system_error(errno, std::generic_category(), what);
}

void set_option(int descriptor, int level, int option) {
    const int on = 1;
    setsockopt(descriptor, level, option, &on, sizeof on);
}

std::string text_of(int descriptor) {
    sockaddr_in address{};
    socklen_t size = sizeof address;
    if (getsockname(descriptor, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
        fail("getsockname");
    }
    std::array<char, INET_ADDRSTRLEN> host{};
    inet_ntop(AF_INET, &address.sin_addr, host.data(), host.size());
    return std::string(host.data()) + ":" + std::to_string(ntohs(address.sin_port));
}

void make_non_blocking(int descriptor) {
    const int flags = fcntl(descriptor, F_GETFL);
    if (flags < 0 || fcntl(descriptor, F_SETFL, flags | O_NONBLOCK) != 0) fail("fcntl");
    set_option(descriptor, IPPROTO_TCP, TCP_NODELAY);
}

}  // namespace

SslContext make_client_context() {
    SslContext context(SSL_CTX_new(TLS_client_method()));
    if (!context || SSL_CTX_set_min_proto_version(context.get(), TLS1_3_VERSION) != 1 ||
        SSL_CTX_set_ciphersuites(context.get(), "TLS_AES_128_GCM_SHA256") != 1) {
        throw std::runtime_error("this OpenSSL offers no TLS 1.3");
    }
    SSL_CTX_set_mode(context.get(),
                     SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_CTX_set_read_ahead(context.get(), 1);
    return context;
}

StreamConnection::StreamConnection(Transport transport, const sockaddr_in& local,
                                   const sockaddr_in& server, std::string_view server_text,
                                   SSL_CTX* context)
    : transport_(transport),
      descriptor_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)),
      peer_(server) {
    open(local, server_text, context);
    make_non_blocking(descriptor());
}

StreamConnection::StreamConnection(Descriptor accepted, const sockaddr_in& peer,
                                   std::string local_text)
    : transport_(Transport::Tcp),
      descriptor_(std::move(accepted)),
      peer_(peer),
      local_text_(std::move(local_text)) {
    make_non_blocking(descriptor());
}

void StreamConnection::open(const sockaddr_in& local, std::string_view server_text,
                            SSL_CTX* context) {
    if (descriptor() < 0) fail("socket");
    const timeval patience{kHandshakeSecondsMax, 0};
    setsockopt(descriptor(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    // The port is chosen by connect(), which knows more that are free than bind() does.
    set_option(descriptor(), IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT);
    // Ended by a reset, the port is free at once for the next run.
    const linger at_once{1, 0};
    setsockopt(descriptor(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    if (bind(descriptor(), reinterpret_cast<const sockaddr*>(&local), sizeof local) != 0) {
        fail("cannot bind an address of the load");
    }
    if (connect(descriptor(), reinterpret_cast<const sockaddr*>(&peer_), sizeof peer_) != 0) {
        fail("cannot connect to the server");
    }
    local_text_ = text_of(descriptor());
    if (has_tls(transport_)) {
        ssl_.reset(SSL_new(context));
        if (!ssl_ || SSL_set_fd(ssl_.get(), descriptor()) != 1 || SSL_connect(ssl_.get()) != 1) {
            throw std::runtime_error("the TLS handshake with the server failed");
        }
    }
    if (has_web_socket(transport_)) upgrade(server_text);
}

/// Whatever follows the response is the first frames.
void StreamConnection::upgrade(std::string_view server_text) {
    const std::string request = upgrade_request(server_text);
    if (write_some(request) != static_cast<long>(request.size())) fail("the upgrade was not sent");
    constexpr std::string_view kEnd = "\r\n\r\n";
    input_.resize(kReadBytes);
    std::size_t end = std::string_view::npos;
    while (end == std::string_view::npos && filled_ < input_.size()) {
        const long count = read_some(input_.data() + filled_, input_.size() - filled_);
        if (count <= 0) throw std::runtime_error("the server did not answer the upgrade");
        filled_ += static_cast<std::size_t>(count);
        end = input().find(kEnd);
    }
    if (end == std::string_view::npos || !is_upgraded(input().substr(0, end + kEnd.size()))) {
        throw std::runtime_error("the server refused the upgrade to WebSocket");
    }
    taken_ = end + kEnd.size();
}

void StreamConnection::receive(std::vector<Piece>& found) {
    if (taken_ > 0) {
        std::memmove(input_.data(), input_.data() + taken_, filled_ - taken_);
        filled_ -= std::exchange(taken_, 0);
    }
    bool has_ended = false;
    for (;;) {
        make_room();
        const std::size_t room = input_.size() - filled_;
        const long count = read_some(input_.data() + filled_, room);
        if (count > 0) filled_ += static_cast<std::size_t>(count);
        has_ended = count < 0;
        // TLS gives one record at a time; of TCP, a short read has emptied the socket.
        if (count <= 0 || (!ssl_ && static_cast<std::size_t>(count) < room)) break;
    }
    take_pieces(found);
    if (has_ended && is_open_) close_with("the server closed a connection", found);
}

void StreamConnection::make_room() {
    if (input_.empty()) return input_.resize(kFirstReadBytes);
    if (input_.size() - filled_ < kFirstReadBytes) input_.resize(filled_ + 2 * kReadBytes);
}

void StreamConnection::take_pieces(std::vector<Piece>& found) {
    if (!is_open_) return;
    if (has_web_socket(transport_)) {
        take_frames(found);
    } else {
        take_sip(found);
    }
}

/// What follows cannot be told apart any more.
void StreamConnection::break_off(std::vector<Piece>& found) {
    found.push_back({Arrival::Broken, taken_, filled_ - taken_});
    is_open_ = false;
    taken_ = filled_;
}

void StreamConnection::take_sip(std::vector<Piece>& found) {
    while (taken_ < filled_) {
        const Frame frame = frame_message(input().substr(taken_));
        if (frame.kind == Frame::Kind::Incomplete) return;
        if (frame.kind == Frame::Kind::Broken) {
            return break_off(found);
        }
        found.push_back({Arrival::Message, taken_ + frame.skipped, frame.size});
        taken_ += frame.skipped + frame.size;
    }
}

void StreamConnection::take_frames(std::vector<Piece>& found) {
    while (taken_ < filled_) {
        const WebSocketFrame frame = read_frame(input().substr(taken_));
        if (frame.kind == WebSocketFrame::Kind::Incomplete) return;
        if (frame.kind == WebSocketFrame::Kind::Broken) {
            return break_off(found);
        }
        const std::size_t begin = taken_ + frame.header;
        taken_ = begin + frame.size;
        const bool is_message = frame.opcode == Opcode::Text || frame.opcode == Opcode::Binary;
        const bool is_keep_alive = is_message && input().substr(begin, frame.size) == "\r\n";
        if (is_message && !is_keep_alive) {
            found.push_back({Arrival::Message, begin, frame.size});
        } else if (frame.opcode == Opcode::Ping) {
            append_masked_frame(output_, Opcode::Pong, input().substr(begin, frame.size),
                                next_mask());
        } else if (frame.opcode == Opcode::Close) {
            return close_with("the server closed a WebSocket", found);
        }
    }
}

/// The words take the place of octets that came, so that they live as long as those.
void StreamConnection::close_with(std::string_view why, std::vector<Piece>& found) {
    is_open_ = false;
    if (input_.size() - filled_ < why.size()) input_.resize(filled_ + why.size());
    std::memcpy(input_.data() + filled_, why.data(), why.size());
    found.push_back({Arrival::Closed, filled_, why.size()});
    filled_ += why.size();
    taken_ = filled_;
}

void StreamConnection::send(std::string_view message) {
    if (!is_open_) return;
    if (has_web_socket(transport_)) {
        append_masked_frame(output_, Opcode::Text, message, next_mask());
    } else {
        output_.append(message);
    }
}

bool StreamConnection::flush() {
    while (is_open_ && sent_ < output_.size()) {
        const long count = write_some(std::string_view(output_).substr(sent_));
        if (count == 0) return true;
        // The end of the connection is told by receive().
        if (count < 0) break;
        sent_ += static_cast<std::size_t>(count);
    }
    output_.clear();
    sent_ = 0;
    return false;
}

long StreamConnection::read_some(char* to, std::size_t size_max) {
    if (!ssl_) {
        const ssize_t count = recv(descriptor(), to, size_max, 0);
        if (count > 0) return count;
        return count < 0 && (errno == EAGAIN || errno == EINTR) ? 0 : -1;
    }
    ERR_clear_error();
    std::size_t count = 0;
    if (SSL_read_ex(ssl_.get(), to, size_max, &count) == 1) return static_cast<long>(count);
    const int why = SSL_get_error(ssl_.get(), 0);
    return why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE ? 0 : -1;
}

long StreamConnection::write_some(std::string_view bytes) {
    if (!ssl_) {
        const ssize_t count = ::send(descriptor(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (count >= 0) return count;
        return errno == EAGAIN || errno == EINTR ? 0 : -1;
    }
    ERR_clear_error();
    std::size_t count = 0;
    if (SSL_write_ex(ssl_.get(), bytes.data(), bytes.size(), &count) == 1) {
        return static_cast<long>(count);
    }
    const int why = SSL_get_error(ssl_.get(), 0);
    return why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE ? 0 : -1;
}

/// Masks differ from frame to frame; nothing here needs them to be secret (RFC 6455 §10.3).
std::uint32_t StreamConnection::next_mask() {
    mask_ ^= mask_ << 13;
    mask_ ^= mask_ >> 17;
    mask_ ^= mask_ << 5;
    return mask_;
}

}  // namespace bench
