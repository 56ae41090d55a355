// One phone over a stream. It shares no code with Signalbox.
// Implements: RFC 3261 §10.2; RFC 6455 §4.1, §5.2 (the client's side); RFC 7118 §5
#include "idle/phone.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>

namespace bench {
namespace {

constexpr std::size_t kReadBytes = 4096;
constexpr std::uint32_t kFirstSource = 0x7f000101;  // 127.0.1.1
constexpr std::string_view kUpgrade =
    "GET / HTTP/1.1\r\nHost: example.test\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nOrigin: https://example.test\r\n"
    "Sec-WebSocket-Protocol: sip\r\nSec-WebSocket-Version: 13\r\n\r\n";

std::string_view via_name(Stream stream) {
    switch (stream) {
        case Stream::Tcp:
            return "TCP";
        case Stream::Tls:
            return "TLS";
        case Stream::Ws:
            return "WS";
        case Stream::Wss:
            return "WSS";
    }
    return "";
}

bool is_to_wait(ssize_t count) {
    return count < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR);
}

/// A masked text frame (RFC 6455 §5.2); the mask of zeros is one that is allowed.
std::string frame(std::string_view payload) {
    std::string out{static_cast<char>(0x81), static_cast<char>(0xfe),
                    static_cast<char>(payload.size() >> 8),
                    static_cast<char>(payload.size() & 0xff)};
    out.append(4, '\0');
    return out.append(payload);
}

}  // namespace

bool Phone::open(const PhoneSettings& settings, std::uint32_t number, std::uint64_t now_ns) {
    close();
    fd_ = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd_ < 0) return false;
    const int on = 1;
    ::setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    ::setsockopt(fd_, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
    sockaddr_in source{};
    source.sin_family = AF_INET;
    source.sin_addr.s_addr = htonl(kFirstSource + number % settings.sources);
    const auto* const bound = reinterpret_cast<const sockaddr*>(&source);
    const auto* const server = reinterpret_cast<const sockaddr*>(&settings.server);
    const bool is_begun =
        ::bind(fd_, bound, sizeof source) == 0 &&
        (::connect(fd_, server, sizeof settings.server) == 0 || errno == EINPROGRESS);
    if (!is_begun) {
        close();
        return false;
    }
    begun_ns_ = now_ns;
    wants_write_ = true;
    state_ = State::Connecting;
    return true;
}

void Phone::close() {
    if (ssl_ != nullptr && state_ == State::Idle) {
        // The tickets of TLS 1.3 come behind the handshake.
        session_.reset(SSL_get1_session(ssl_.get()));
        // Else OpenSSL believes that the session is broken, and would not offer it again.
        SSL_set_shutdown(ssl_.get(), SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
    }
    ssl_.reset();
    if (fd_ >= 0) ::close(fd_);
    fd_ = -1;
    wants_write_ = false;
    std::string().swap(input_);
    std::string().swap(output_);
    state_ = State::Closed;
}

bool Phone::advance(const PhoneSettings& settings, std::uint32_t number) {
    if (state_ == State::Connecting) {
        int error = 0;
        socklen_t size = sizeof error;
        ::getsockopt(fd_, SOL_SOCKET, SO_ERROR, &error, &size);
        if (error != 0) return false;
        wants_write_ = false;
        state_ = is_secure(settings.stream) ? State::Securing : State::Upgrading;
    }
    if (state_ == State::Securing) {
        if (!secure(settings)) return false;
        if (state_ == State::Securing) return true;
    }
    if (state_ == State::Upgrading && !is_web(settings.stream)) {
        state_ = State::Registering;
        output_ = registration(settings, number);
    } else if (state_ == State::Upgrading && input_.empty() && output_.empty()) {
        output_ = kUpgrade;
        input_ = "\n";  // the question is put once
    }
    if (!write() || !read()) return false;
    if (state_ == State::Upgrading && input_.find("\r\n\r\n") != std::string::npos) {
        if (input_.find(" 101 ") == std::string::npos) return false;
        input_.clear();
        state_ = State::Registering;
        output_ = frame(registration(settings, number));
        if (!write()) return false;
    }
    if (state_ == State::Registering && input_.find("\r\n\r\n") != std::string::npos) {
        if (input_.find("SIP/2.0 200 ") == std::string::npos) return false;
        state_ = State::Idle;
    }
    if (state_ == State::Idle) std::string().swap(input_);
    return true;
}

bool Phone::secure(const PhoneSettings& settings) {
    if (ssl_ == nullptr) {
        ssl_.reset(SSL_new(settings.tls));
        SSL_set_fd(ssl_.get(), fd_);
        SSL_set_connect_state(ssl_.get());
        if (settings.resumes && session_ != nullptr) SSL_set_session(ssl_.get(), session_.get());
    }
    const int done = SSL_do_handshake(ssl_.get());
    if (done == 1) {
        state_ = State::Upgrading;
        return true;
    }
    const int error = SSL_get_error(ssl_.get(), done);
    wants_write_ = error == SSL_ERROR_WANT_WRITE;
    return wants_write_ || error == SSL_ERROR_WANT_READ;
}

bool Phone::write() {
    while (!output_.empty()) {
        ssize_t sent = 0;
        if (ssl_ != nullptr) {
            sent = SSL_write(ssl_.get(), output_.data(), static_cast<int>(output_.size()));
            if (sent <= 0)
                return SSL_get_error(ssl_.get(), static_cast<int>(sent)) == SSL_ERROR_WANT_WRITE;
        } else {
            sent = ::send(fd_, output_.data(), output_.size(), MSG_NOSIGNAL);
            if (is_to_wait(sent)) return true;
            if (sent <= 0) return false;
        }
        output_.erase(0, static_cast<std::size_t>(sent));
    }
    std::string().swap(output_);
    return true;
}

bool Phone::read() {
    std::array<char, kReadBytes> buffer;
    for (;;) {
        ssize_t count = 0;
        if (ssl_ != nullptr) {
            count = SSL_read(ssl_.get(), buffer.data(), buffer.size());
            if (count <= 0)
                return SSL_get_error(ssl_.get(), static_cast<int>(count)) == SSL_ERROR_WANT_READ;
        } else {
            count = ::recv(fd_, buffer.data(), buffer.size(), 0);
            if (is_to_wait(count)) return true;
            if (count <= 0) return false;
        }
        input_.append(buffer.data(), static_cast<std::size_t>(count));
    }
}

/// As a desk phone, or as a browser, which knows no address of its own (RFC 7118 §5).
std::string Phone::registration(const PhoneSettings& settings, std::uint32_t number) {
    sockaddr_in local{};
    socklen_t size = sizeof local;
    ::getsockname(fd_, reinterpret_cast<sockaddr*>(&local), &size);
    std::array<char, INET_ADDRSTRLEN> text{};
    ::inet_ntop(AF_INET, &local.sin_addr, text.data(), text.size());
    const std::string id = std::to_string(number);
    const std::string own = std::string(text.data()) + ":" + std::to_string(ntohs(local.sin_port));
    const std::string host = is_web(settings.stream) ? "phone" + id + ".invalid" : own;
    const std::string_view via = via_name(settings.stream);
    std::string lower(via);
    for (char& letter : lower) letter = static_cast<char>(letter | 0x20);
    const std::string user = "u" + id;
    const std::string cseq = std::to_string(++cseq_);
    const std::string identity = "<sip:" + user + "@" + settings.domain + ">";
    std::string out = "REGISTER sip:" + settings.domain + " SIP/2.0\r\n";
    out += "Via: SIP/2.0/" + std::string(via) + " " + host + ";branch=z9hG4bK" + id + "-" + cseq +
           ";rport\r\nMax-Forwards: 70\r\n";
    out += "From: " + identity + ";tag=t" + id + "\r\nTo: " + identity + "\r\n";
    out += "Call-ID: registration-of-" + user + "\r\nCSeq: " + cseq + " REGISTER\r\n";
    out += "Contact: <sip:" + user + "@" + host + ";transport=" + lower + ">\r\nExpires: 3600\r\n";
    out += "User-Agent: Desk Phone 8.1\r\nContent-Length: 0\r\n\r\n";
    return out;
}

}  // namespace bench
