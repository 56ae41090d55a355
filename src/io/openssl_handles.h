// OpenSSL's objects as values that free themselves, and its errors as sentences.
#pragma once

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <array>
#include <memory>
#include <string>

namespace signalbox::io {

template <auto Free>
struct FreedBy {
    template <class T>
    void operator()(T* object) const {
        Free(object);
    }
};

using SslPtr = std::unique_ptr<SSL, FreedBy<SSL_free>>;
using SslContextPtr = std::unique_ptr<SSL_CTX, FreedBy<SSL_CTX_free>>;
using BioMethodPtr = std::unique_ptr<BIO_METHOD, FreedBy<BIO_meth_free>>;
using CertificatePtr = std::unique_ptr<X509, FreedBy<X509_free>>;
using PrivateKeyPtr = std::unique_ptr<EVP_PKEY, FreedBy<EVP_PKEY_free>>;
using TrustStorePtr = std::unique_ptr<X509_STORE, FreedBy<X509_STORE_free>>;

/// The newest error of OpenSSL in this thread, as text; its queue is empty afterwards.
inline std::string take_openssl_error() {
    const unsigned long code = ::ERR_peek_last_error();
    ::ERR_clear_error();
    if (code == 0) return "no reason was given";
    const char* const reason = ::ERR_reason_error_string(code);
    if (reason != nullptr) return reason;
    std::array<char, 160> text;
    ::ERR_error_string_n(code, text.data(), text.size());
    return text.data();
}

}  // namespace signalbox::io
