// One phone over a stream: connects, agrees on TLS and WebSocket, registers once, and then is idle.
#pragma once

#include <netinet/in.h>
#include <openssl/ssl.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace bench {

enum class Stream : std::uint8_t { Tcp, Tls, Ws, Wss };

inline bool is_secure(Stream stream) {
    return stream == Stream::Tls || stream == Stream::Wss;
}
inline bool is_web(Stream stream) {
    return stream == Stream::Ws || stream == Stream::Wss;
}

struct SslDeleter {
    void operator()(SSL* ssl) const { SSL_free(ssl); }
};
struct SessionDeleter {
    void operator()(SSL_SESSION* session) const { SSL_SESSION_free(session); }
};

/// What all phones of a run have in common.
struct PhoneSettings {
    Stream stream = Stream::Tcp;
    sockaddr_in server{};
    std::string domain = "example.test";
    std::uint32_t sources = 64;  // addresses from 127.0.1.1 on, over which the phones are spread
    SSL_CTX* tls = nullptr;      // owned by main
    bool resumes = false;        // a second connection offers the session of the first
};

/// Single-threaded; owned by PhoneSet. Holds no buffer while it is idle.
class Phone final {
 public:
    enum class State : std::uint8_t { Closed, Connecting, Securing, Upgrading, Registering, Idle };

    /// Begins to connect from the source address of `number`; false when the system refuses.
    bool open(const PhoneSettings& settings, std::uint32_t number, std::uint64_t now_ns);
    /// Goes on as far as the socket lets it; false when the connection is broken.
    bool advance(const PhoneSettings& settings, std::uint32_t number);
    /// Ends the connection without a word, as a phone does whose network is gone.
    void close();

    State state() const { return state_; }
    int fd() const { return fd_; }
    std::uint64_t begun_ns() const { return begun_ns_; }
    bool is_waiting_to_write() const { return !output_.empty() || wants_write_; }
    bool was_resumed() const { return ssl_ != nullptr && SSL_session_reused(ssl_.get()) == 1; }

 private:
    bool secure(const PhoneSettings& settings);
    bool write();
    bool read();
    std::string registration(const PhoneSettings& settings, std::uint32_t number);

    State state_ = State::Closed;
    bool wants_write_ = false;
    int fd_ = -1;
    std::uint32_t cseq_ = 0;
    std::uint64_t begun_ns_ = 0;
    std::string input_;
    std::string output_;
    std::unique_ptr<SSL, SslDeleter> ssl_;
    std::unique_ptr<SSL_SESSION, SessionDeleter> session_;
};

}  // namespace bench
