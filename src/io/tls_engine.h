// TLS of one connection without a socket: octets of the wire in and out, octets of the application
// out and in. Implements: RFC 8446, RFC 5246 (by OpenSSL); RFC 5922 §7.1, §7.3
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/ip_endpoint.h"
#include "io/tls_context.h"

namespace signalbox::io {

/// Owned by its connection; single-threaded. It keeps no octets between calls but those of a record
/// that is not whole: an idle one costs OpenSSL's state only.
class TlsEngine final {
 public:
    enum class State : uint8_t {
        Handshaking,  // nothing can be sent yet
        Established,  // both ways are open
        PeerClosed,   // the peer sent close_notify: nothing more comes
        Failed,       // trouble() says why; `wire_out` may hold an alert for the peer
    };

    /// The server's side.
    explicit TlsEngine(std::shared_ptr<const TlsServer> server);
    /// The client's side: names `domain` to the server, and, when `client` verifies, accepts no
    /// certificate that does not speak for it. An empty `domain` stands for `address`.
    TlsEngine(std::shared_ptr<const TlsClient> client, std::string_view domain,
              const IpAddress& address);
    TlsEngine(const TlsEngine&) = delete;
    TlsEngine& operator=(const TlsEngine&) = delete;

    /// The client's first words, appended to `wire_out`.
    State begin(std::string& wire_out);
    /// Takes all of `wire`. Appends what it means to `plain`, and what must go back to `wire_out`.
    State receive(std::string_view wire, std::string& plain, std::string& wire_out);
    /// Appends `plain` as records to `wire_out`. Established only; false when the engine failed.
    bool send(std::string_view plain, std::string& wire_out);
    /// Appends close_notify. Nothing can be sent afterwards.
    void shut_down(std::string& wire_out);

    State state() const { return state_; }
    /// True when no record is begun and not whole.
    bool is_between_records() const;
    /// Why it failed, for people.
    const std::string& trouble() const { return trouble_; }
    /// Whether it failed because of the server's certificate.
    bool is_certificate_refused() const { return is_certificate_refused_; }
    /// The SIP domains for which the client has shown a certificate that we believe. Established
    /// only.
    std::vector<std::string> client_identities() const;

 private:
    struct Wire {
        std::string_view in;
        std::string* out = nullptr;
    };
    static int bio_read(BIO* bio, char* data, int size);
    static int bio_write(BIO* bio, const char* data, int size);
    static long bio_control(BIO* bio, int command, long number, void* pointer);

    void attach(SSL_CTX* context);
    bool handshake();
    void fail(std::string why);
    bool is_server_certificate_right();

    std::shared_ptr<const TlsServer> server_;
    std::shared_ptr<const TlsClient> client_;
    std::string domain_;  // of the server
    IpAddress address_;   // of the server, where it has no domain
    Wire wire_;
    BioMethodPtr method_;
    SslPtr ssl_;
    State state_ = State::Handshaking;
    bool is_certificate_refused_ = false;
    std::string trouble_;
};

}  // namespace signalbox::io
