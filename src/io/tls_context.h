// What TLS needs before a connection exists: certificates, keys, trusted authorities, and the rules
// of both sides. Implements: RFC 5922 §7; RFC 6066 §3 (SNI); RFC 3261 §26.3.1
#pragma once

#include <climits>
#include <memory>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

#include "base/time.h"
#include "io/openssl_handles.h"

namespace signalbox::io {

/// Two PEM files: a chain that begins with the server's own certificate, and its private key.
struct CertificateFiles {
    std::string certificate;
    std::string private_key;
};

/// What a listener wants of its clients' certificates.
enum class ClientCertificate : uint8_t {
    Ignore,   // none is asked for
    Ask,      // one that is verified is an identity; none, or another one, is no hindrance
    Require,  // no connection without a verified one
};

/// A result, or a sentence for people that names the file at fault.
template <class T>
using TlsOutcome = tl::expected<T, std::string>;

/// The authorities whose certificates are believed. Immutable; shared by contexts.
class TrustStore final {
 public:
    /// `file`: PEM certificates; empty: those that the system trusts.
    static TlsOutcome<TrustStore> load(const std::string& file);
    X509_STORE* store() const { return store_.get(); }

 private:
    TrustStorePtr store_;
};

struct TlsServerSettings {
    std::vector<CertificateFiles> pairs;  // at least one; the first one serves who names no domain
    ClientCertificate client = ClientCertificate::Ask;
};

/// The server's side of TLS for one listener. Immutable once made; used by all shards' threads. A
/// connection keeps the one with which it began.
class TlsServer final {
 public:
    /// Errors: a file that is missing, unreadable, no PEM, expired or not yet valid, or a key that
    /// does not belong to its certificate.
    static TlsOutcome<std::shared_ptr<const TlsServer>> make(const TlsServerSettings& settings,
                                                             const TrustStore& trust, WallTime now);
    TlsServer(const TlsServer&) = delete;
    TlsServer& operator=(const TlsServer&) = delete;
    SSL_CTX* context() const { return contexts_.front().get(); }
    /// The certificate that expires first, and how many whole days from now that is.
    const std::string& first_to_expire() const { return first_to_expire_; }
    int days_left() const { return days_left_; }

 private:
    TlsServer() = default;
    static int choose(SSL* ssl, int* alert, void* self);
    std::vector<SslContextPtr> contexts_;  // by pair
    std::string first_to_expire_;
    int days_left_ = INT_MAX;
};

struct TlsClientSettings {
    bool is_verifying = true;
    CertificateFiles own;  // shown to servers that ask; empty: none
};

/// The client's side of TLS, for the connections that we open. Immutable once made; used by all
/// shards' threads.
class TlsClient final {
 public:
    static TlsOutcome<std::shared_ptr<const TlsClient>> make(const TlsClientSettings& settings,
                                                             const TrustStore& trust, WallTime now);
    SSL_CTX* context() const { return context_.get(); }
    bool is_verifying() const { return is_verifying_; }

 private:
    SslContextPtr context_;
    bool is_verifying_ = true;
};

}  // namespace signalbox::io
