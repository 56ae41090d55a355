// TLS of one connection without a socket.
// Implements: RFC 8446, RFC 5246 (by OpenSSL); RFC 5922 §7.1, §7.3; RFC 6066 §3
#include "io/tls_engine.h"

#include <algorithm>

#include "base/check.h"
#include "io/tls_identity.h"

namespace signalbox::io {

namespace {

constexpr size_t kRecordBytesMax = 16384;

int bio_create(BIO* bio) {
    ::BIO_set_init(bio, 1);
    return 1;
}

}  // namespace

TlsEngine::TlsEngine(std::shared_ptr<const TlsServer> server) : server_(std::move(server)) {
    attach(server_->context());
    ::SSL_set_accept_state(ssl_.get());
}

TlsEngine::TlsEngine(std::shared_ptr<const TlsClient> client, std::string_view domain,
                     const IpAddress& address)
    : client_(std::move(client)), domain_(domain), address_(address) {
    attach(client_->context());
    ::SSL_set_connect_state(ssl_.get());
    // RFC 6066 §3: an address is no server name.
    if (!domain_.empty()) ::SSL_set_tlsext_host_name(ssl_.get(), domain_.c_str());
}

/// Octets go straight between the caller's and OpenSSL's record buffers: a memory BIO would keep a
/// buffer of its own for each direction.
void TlsEngine::attach(SSL_CTX* context) {
    ::ERR_clear_error();
    method_.reset(::BIO_meth_new(BIO_TYPE_SOURCE_SINK, "caller"));
    CHECK(method_ != nullptr);
    ::BIO_meth_set_read(method_.get(), bio_read);
    ::BIO_meth_set_write(method_.get(), bio_write);
    ::BIO_meth_set_ctrl(method_.get(), bio_control);
    ::BIO_meth_set_create(method_.get(), bio_create);
    ssl_.reset(::SSL_new(context));
    CHECK(ssl_ != nullptr);
    BIO* const bio = ::BIO_new(method_.get());
    CHECK(bio != nullptr);
    ::BIO_set_data(bio, &wire_);
    ::SSL_set_bio(ssl_.get(), bio, bio);
}

int TlsEngine::bio_read(BIO* bio, char* data, int size) {
    Wire& wire = *static_cast<Wire*>(::BIO_get_data(bio));
    ::BIO_clear_retry_flags(bio);
    if (wire.in.empty()) {
        ::BIO_set_retry_read(bio);
        return -1;
    }
    const size_t count = wire.in.copy(data, static_cast<size_t>(size));
    wire.in.remove_prefix(count);
    return static_cast<int>(count);
}

int TlsEngine::bio_write(BIO* bio, const char* data, int size) {
    Wire& wire = *static_cast<Wire*>(::BIO_get_data(bio));
    CHECK(wire.out != nullptr);
    wire.out->append(data, static_cast<size_t>(size));
    return size;
}

long TlsEngine::bio_control(BIO*, int command, long, void*) {
    return command == BIO_CTRL_FLUSH ? 1 : 0;
}

TlsEngine::State TlsEngine::begin(std::string& wire_out) {
    wire_.out = &wire_out;
    handshake();
    return state_;
}

TlsEngine::State TlsEngine::receive(std::string_view wire, std::string& plain,
                                    std::string& wire_out) {
    wire_.in = wire;
    wire_.out = &wire_out;
    if (state_ == State::Handshaking && !handshake()) return state_;
    while (state_ == State::Established) {
        ::ERR_clear_error();
        const size_t begin = plain.size();
        plain.resize(begin + kRecordBytesMax);
        const int count =
            ::SSL_read(ssl_.get(), plain.data() + begin, static_cast<int>(kRecordBytesMax));
        plain.resize(begin + static_cast<size_t>(std::max(count, 0)));
        if (count > 0) continue;
        const int error = ::SSL_get_error(ssl_.get(), count);
        if (error == SSL_ERROR_WANT_READ) break;
        if (error == SSL_ERROR_ZERO_RETURN) {
            state_ = State::PeerClosed;
        } else {
            fail(take_openssl_error());
        }
    }
    wire_.in = {};
    return state_;
}

/// Goes as far as the octets reach; true once established.
bool TlsEngine::handshake() {
    ::ERR_clear_error();
    const int done = ::SSL_do_handshake(ssl_.get());
    if (done != 1) {
        if (::SSL_get_error(ssl_.get(), done) == SSL_ERROR_WANT_READ) return false;
        const long verified = ::SSL_get_verify_result(ssl_.get());
        is_certificate_refused_ = client_ != nullptr && verified != X509_V_OK;
        fail(verified == X509_V_OK ? take_openssl_error()
                                   : ::X509_verify_cert_error_string(verified));
        return false;
    }
    if (client_ != nullptr && !is_server_certificate_right()) {
        is_certificate_refused_ = true;
        fail("the certificate is not for " +
             (domain_.empty() ? Endpoint{address_, 0}.to_string() : domain_));
        return false;
    }
    state_ = State::Established;
    return true;
}

bool TlsEngine::is_server_certificate_right() {
    if (!client_->is_verifying()) return true;
    X509* const certificate = ::SSL_get0_peer_certificate(ssl_.get());
    if (certificate == nullptr) return false;
    return domain_.empty() ? is_certificate_of(certificate, address_)
                           : is_certificate_of(certificate, domain_);
}

void TlsEngine::fail(std::string why) {
    ::ERR_clear_error();
    state_ = State::Failed;
    trouble_ = std::move(why);
}

bool TlsEngine::send(std::string_view plain, std::string& wire_out) {
    if (state_ != State::Established) return false;
    if (plain.empty()) return true;
    wire_.out = &wire_out;
    ::ERR_clear_error();
    size_t written = 0;
    if (::SSL_write_ex(ssl_.get(), plain.data(), plain.size(), &written) == 1) return true;
    fail(take_openssl_error());
    return false;
}

void TlsEngine::shut_down(std::string& wire_out) {
    if (state_ != State::Established && state_ != State::PeerClosed) return;
    wire_.out = &wire_out;
    ::SSL_shutdown(ssl_.get());
    ::ERR_clear_error();
    state_ = State::PeerClosed;
}

bool TlsEngine::is_between_records() const {
    // A header that is whole and has no body yet leaves nothing pending; only the state tells.
    const bool is_at_header = std::string_view(::SSL_rstate_string(ssl_.get())) == "RH";
    return is_at_header && ::SSL_has_pending(ssl_.get()) == 0;
}

std::vector<std::string> TlsEngine::client_identities() const {
    if (server_ == nullptr || ::SSL_get_verify_result(ssl_.get()) != X509_V_OK) return {};
    X509* const certificate = ::SSL_get0_peer_certificate(ssl_.get());
    if (certificate == nullptr) return {};
    return domain_identities(certificate);
}

}  // namespace signalbox::io
