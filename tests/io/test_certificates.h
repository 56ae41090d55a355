// Test helper: an authority and certificates that it signs, as files in a folder of their own.
#pragma once

#include <gtest/gtest.h>
#include <openssl/pem.h>

#include <cstdio>
#include <filesystem>
#include <string>

#include "io/tls_context.h"

namespace signalbox::io {

/// What a certificate says.
struct CertificateText {
    std::string name = "test";
    std::string alternative{};  // "DNS:example.test,URI:sip:example.test"; empty: none
    std::string usages{};       // "serverAuth"; empty: none
    long valid_from = -3600;    // seconds from now
    long valid_to = 3600;
    bool is_rsa = false;  // else it is of an elliptic curve
};

/// Owns its folder.
class TestCertificates final {
 public:
    TestCertificates() {
        std::string name =
            (std::filesystem::temp_directory_path() / "signalbox-tls-XXXXXX").string();
        EXPECT_NE(::mkdtemp(name.data()), nullptr);
        folder_ = name;
        authority_key_.reset(::EVP_EC_gen("P-256"));
        authority_ = sign({.name = "Test Authority"}, authority_key_.get(), true);
        write_certificate(authority_file(), authority_.get());
    }
    TestCertificates(const TestCertificates&) = delete;
    TestCertificates& operator=(const TestCertificates&) = delete;
    ~TestCertificates() { std::filesystem::remove_all(folder_); }

    std::string authority_file() const { return path("authority.pem"); }
    std::string path(const std::string& name) const { return (folder_ / name).string(); }

    /// A certificate signed by the authority, in files called after `file`.
    CertificateFiles issue(const std::string& file, const CertificateText& text) {
        const PrivateKeyPtr key(text.is_rsa ? ::EVP_RSA_gen(2048) : ::EVP_EC_gen("P-256"));
        const CertificatePtr certificate = sign(text, key.get(), false);
        const CertificateFiles files{path(file + ".pem"), path(file + ".key")};
        write_certificate(files.certificate, certificate.get());
        std::FILE* out = std::fopen(files.private_key.c_str(), "w");
        EXPECT_EQ(::PEM_write_PrivateKey(out, key.get(), nullptr, nullptr, 0, nullptr, nullptr), 1);
        std::fclose(out);
        return files;
    }
    /// The certificate itself.
    CertificatePtr make(const CertificateText& text) {
        const PrivateKeyPtr key(::EVP_EC_gen("P-256"));
        return sign(text, key.get(), false);
    }

 private:
    static void write_certificate(const std::string& file, X509* certificate) {
        std::FILE* out = std::fopen(file.c_str(), "w");
        EXPECT_EQ(::PEM_write_X509(out, certificate), 1);
        std::fclose(out);
    }
    static void add(X509* certificate, int nid, const std::string& value) {
        if (value.empty()) return;
        X509V3_CTX context;
        X509V3_set_ctx_nodb(&context);
        ::X509V3_set_ctx(&context, certificate, certificate, nullptr, nullptr, 0);
        X509_EXTENSION* extension = ::X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str());
        EXPECT_NE(extension, nullptr) << value;
        ::X509_add_ext(certificate, extension, -1);
        ::X509_EXTENSION_free(extension);
    }
    CertificatePtr sign(const CertificateText& text, EVP_PKEY* key, bool is_authority) {
        CertificatePtr certificate(::X509_new());
        X509* const raw = certificate.get();
        ::X509_set_version(raw, X509_VERSION_3);
        ::ASN1_INTEGER_set(::X509_get_serialNumber(raw), ++serial_);
        ::X509_gmtime_adj(::X509_getm_notBefore(raw), text.valid_from);
        ::X509_gmtime_adj(::X509_getm_notAfter(raw), text.valid_to);
        X509_NAME* const subject = ::X509_get_subject_name(raw);
        ::X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8,
                                     reinterpret_cast<const unsigned char*>(text.name.c_str()), -1,
                                     -1, 0);
        ::X509_set_issuer_name(raw,
                               is_authority ? subject : ::X509_get_subject_name(authority_.get()));
        ::X509_set_pubkey(raw, key);
        add(raw, NID_subject_alt_name, text.alternative);
        add(raw, NID_ext_key_usage, text.usages);
        if (is_authority) add(raw, NID_basic_constraints, "critical,CA:TRUE");
        EXPECT_GT(::X509_sign(raw, authority_key_.get(), ::EVP_sha256()), 0);
        return certificate;
    }

    std::filesystem::path folder_;
    PrivateKeyPtr authority_key_;
    CertificatePtr authority_;
    long serial_ = 0;
};

}  // namespace signalbox::io
