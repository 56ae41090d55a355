// What TLS needs before a connection exists.
// Implements: RFC 5922 §7; RFC 6066 §3 (SNI); RFC 3261 §26.3.1; RFC 8996 (TLS 1.2 at least)
#include "io/tls_context.h"

#include <openssl/pem.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "base/check.h"

namespace signalbox::io {

namespace {

/// For TLS 1.2: forward secrecy only. TLS 1.3's own list is sound as it is.
/// Deviation: RFC 3261 §26.2.1 — TLS_RSA_WITH_AES_128_CBC_SHA is refused: whoever gets the server's
/// key reads by it all that was ever recorded, and RFC 9325 §4.1 forbids it since.
constexpr const char* kCiphers = "ECDHE+AESGCM:ECDHE+CHACHA20:DHE+AESGCM:ECDHE+AES:!aNULL:!PSK";
constexpr std::string_view kSessionContext = "signalbox";

struct FileCloser {
    void operator()(std::FILE* file) const { std::fclose(file); }
};
using FilePtr = std::unique_ptr<std::FILE, FileCloser>;

tl::unexpected<std::string> trouble(std::string text) {
    ::ERR_clear_error();
    return tl::unexpected<std::string>(std::move(text));
}

/// An encrypted key would ask on the terminal.
int no_password(char*, int, int, void*) {
    return 0;
}

TlsOutcome<FilePtr> open_file(const std::string& path, const std::string& what) {
    FilePtr file(std::fopen(path.c_str(), "re"));
    if (!file)
        return trouble("The " + what + " " + path + " cannot be read: " + std::strerror(errno) +
                       ".");
    return file;
}

TlsOutcome<CertificatePtr> read_certificate(const std::string& path, WallTime now) {
    auto file = open_file(path, "certificate");
    if (!file) return tl::unexpected(file.error());
    CertificatePtr certificate(::PEM_read_X509(file->get(), nullptr, no_password, nullptr));
    if (!certificate) return trouble("The certificate " + path + " holds no PEM certificate.");
    auto seconds = static_cast<time_t>(
        std::chrono::duration_cast<std::chrono::seconds>(now.time_since_epoch()).count());
    if (::X509_cmp_time(::X509_get0_notAfter(certificate.get()), &seconds) < 0) {
        return trouble("The certificate " + path + " has expired. Put a valid one in its place.");
    }
    if (::X509_cmp_time(::X509_get0_notBefore(certificate.get()), &seconds) > 0) {
        return trouble("The certificate " + path + " is not valid yet. Is the clock right?");
    }
    return certificate;
}

TlsOutcome<void> check_key_file(const std::string& path) {
    auto file = open_file(path, "private key");
    if (!file) return tl::unexpected(file.error());
    const PrivateKeyPtr key(::PEM_read_PrivateKey(file->get(), nullptr, no_password, nullptr));
    if (!key) return trouble("The private key " + path + " holds no PEM key without a password.");
    return {};
}

/// What both sides want of a context.
SslContextPtr make_context(const SSL_METHOD* method) {
    SslContextPtr context(::SSL_CTX_new(method));
    CHECK(context != nullptr);
    SSL_CTX* const raw = context.get();
    CHECK(::SSL_CTX_set_min_proto_version(raw, TLS1_2_VERSION) == 1);
    CHECK(::SSL_CTX_set_cipher_list(raw, kCiphers) == 1);
    ::SSL_CTX_set_options(
        raw, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_CIPHER_SERVER_PREFERENCE);
    // An idle connection holds no buffers.
    ::SSL_CTX_set_mode(raw, SSL_MODE_RELEASE_BUFFERS);
    // The file holds the chain. Where it is the certificate alone, OpenSSL would look for the rest
    // in every handshake, and read the whole directory of the system's authorities each time.
    ::SSL_CTX_set_mode(raw, SSL_MODE_NO_AUTO_CHAIN);
    ::SSL_CTX_set_session_cache_mode(raw, SSL_SESS_CACHE_OFF);  // tickets keep it at the client
    return context;
}

TlsOutcome<void> use_pair(SSL_CTX* context, const CertificateFiles& files, WallTime now) {
    const auto certificate = read_certificate(files.certificate, now);
    if (!certificate) return tl::unexpected(certificate.error());
    const auto key = check_key_file(files.private_key);
    if (!key) return tl::unexpected(key.error());
    if (::SSL_CTX_use_certificate_chain_file(context, files.certificate.c_str()) != 1) {
        return trouble("The certificate " + files.certificate +
                       " cannot be used: " + take_openssl_error() + ".");
    }
    if (::SSL_CTX_use_PrivateKey_file(context, files.private_key.c_str(), SSL_FILETYPE_PEM) != 1 ||
        ::SSL_CTX_check_private_key(context) != 1) {
        return trouble("The private key " + files.private_key +
                       " does not belong to the certificate " + files.certificate + ".");
    }
    return {};
}

int days_until(const ASN1_TIME* end, WallTime now) {
    auto seconds = static_cast<time_t>(
        std::chrono::duration_cast<std::chrono::seconds>(now.time_since_epoch()).count());
    ASN1_TIME* const begin = ::ASN1_TIME_set(nullptr, seconds);
    int days = 0, rest = 0;
    CHECK(::ASN1_TIME_diff(&days, &rest, begin, end) == 1);
    ::ASN1_TIME_free(begin);
    return days;
}

void trust(SSL_CTX* context, const TrustStore& store) {
    ::SSL_CTX_set1_cert_store(context, store.store());
    // A certificate for SIP need not be one for the web: tls_identity reads its usages.
    ::X509_VERIFY_PARAM_set_purpose(::SSL_CTX_get0_param(context), X509_PURPOSE_ANY);
}

/// A certificate that does not hold is no reason to refuse a client: it merely proves nothing.
int accept_any(int, X509_STORE_CTX*) {
    // An error left behind would be taken for one of the connection.
    ::ERR_clear_error();
    return 1;
}

}  // namespace

TlsOutcome<TrustStore> TrustStore::load(const std::string& file) {
    TrustStore trust;
    trust.store_.reset(::X509_STORE_new());
    CHECK(trust.store_ != nullptr);
    const int loaded = file.empty() ? ::X509_STORE_set_default_paths(trust.store_.get())
                                    : ::X509_STORE_load_file(trust.store_.get(), file.c_str());
    if (loaded != 1 && !file.empty()) {
        return trouble("The file of trusted authorities " + file +
                       " cannot be used: " + take_openssl_error() + ".");
    }
    ::ERR_clear_error();
    return trust;
}

TlsOutcome<std::shared_ptr<const TlsServer>> TlsServer::make(const TlsServerSettings& settings,
                                                             const TrustStore& authorities,
                                                             WallTime now) {
    CHECK(!settings.pairs.empty());
    const std::shared_ptr<TlsServer> server(new TlsServer());
    for (const CertificateFiles& files : settings.pairs) {
        SslContextPtr context = make_context(::TLS_server_method());
        SSL_CTX* const raw = context.get();
        if (const auto used = use_pair(raw, files, now); !used) return tl::unexpected(used.error());
        const int days = days_until(::X509_get0_notAfter(::SSL_CTX_get0_certificate(raw)), now);
        if (days < server->days_left_) {
            server->days_left_ = days;
            server->first_to_expire_ = files.certificate;
        }
        ::SSL_CTX_set_num_tickets(raw, 1);
        ::SSL_CTX_set_session_id_context(
            raw, reinterpret_cast<const unsigned char*>(kSessionContext.data()),
            static_cast<unsigned>(kSessionContext.size()));
        if (settings.client != ClientCertificate::Ignore) trust(raw, authorities);
        if (settings.client == ClientCertificate::Ask) {
            ::SSL_CTX_set_verify(raw, SSL_VERIFY_PEER, accept_any);
        } else if (settings.client == ClientCertificate::Require) {
            ::SSL_CTX_set_verify(raw, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
        }
        server->contexts_.push_back(std::move(context));
    }
    ::SSL_CTX_set_tlsext_servername_callback(server->context(), choose);
    ::SSL_CTX_set_tlsext_servername_arg(server->context(), server.get());
    return std::shared_ptr<const TlsServer>(server);
}

/// The certificate for the domain that the client names; the first one when none fits.
int TlsServer::choose(SSL* ssl, int*, void* self) {
    const char* const name = ::SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
    if (name == nullptr) return SSL_TLSEXT_ERR_NOACK;
    for (const SslContextPtr& context : static_cast<const TlsServer*>(self)->contexts_) {
        X509* const certificate = ::SSL_CTX_get0_certificate(context.get());
        if (::X509_check_host(certificate, name, 0, 0, nullptr) != 1) continue;
        ::SSL_set_SSL_CTX(ssl, context.get());
        return SSL_TLSEXT_ERR_OK;
    }
    return SSL_TLSEXT_ERR_NOACK;
}

TlsOutcome<std::shared_ptr<const TlsClient>> TlsClient::make(const TlsClientSettings& settings,
                                                             const TrustStore& authorities,
                                                             WallTime now) {
    auto client = std::make_shared<TlsClient>();
    client->context_ = make_context(::TLS_client_method());
    client->is_verifying_ = settings.is_verifying;
    SSL_CTX* const raw = client->context_.get();
    if (!settings.own.certificate.empty()) {
        if (const auto used = use_pair(raw, settings.own, now); !used) {
            return tl::unexpected(used.error());
        }
    }
    if (settings.is_verifying) {
        trust(raw, authorities);
        ::SSL_CTX_set_verify(raw, SSL_VERIFY_PEER, nullptr);
    }
    return std::shared_ptr<const TlsClient>(std::move(client));
}

}  // namespace signalbox::io
