// A certificate of our own making, for a server that was given none. Implements: RFC 5280 §4.1
#include "io/self_signed_certificate.h"

#include <fcntl.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "base/check.h"
#include "io/file_descriptor.h"

namespace signalbox::io {

namespace {

constexpr long kDay = 24 * 60 * 60;
constexpr long kValidity = 3650 * kDay;

using MemoryPtr = std::unique_ptr<BIO, FreedBy<BIO_free_all>>;
using ExtensionPtr = std::unique_ptr<X509_EXTENSION, FreedBy<X509_EXTENSION_free>>;

/// "DNS:box.example.test,IP:192.0.2.1".
std::string alternative_names(const std::vector<std::string>& names,
                              const std::vector<IpAddress>& addresses) {
    std::string text;
    for (const std::string& name : names) {
        const auto address = IpAddress::parse(name);
        if (!address) text += (text.empty() ? "DNS:" : ",DNS:") + name;
    }
    for (const IpAddress& address : addresses) {
        std::array<char, 48> host;
        std::string written(host.data(), write_host(address, host.data()));
        if (address.family == Family::V6) written = written.substr(1, written.size() - 2);
        text += (text.empty() ? "IP:" : ",IP:") + written;
    }
    return text;
}

void add_extension(X509* certificate, int nid, const std::string& value) {
    X509V3_CTX context;
    X509V3_set_ctx_nodb(&context);
    ::X509V3_set_ctx(&context, certificate, certificate, nullptr, nullptr, 0);
    const ExtensionPtr extension(::X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str()));
    CHECK(extension != nullptr);
    CHECK(::X509_add_ext(certificate, extension.get(), -1) == 1);
}

CertificatePtr make_certificate(EVP_PKEY* key, const std::vector<std::string>& names,
                                const std::vector<IpAddress>& addresses, WallTime now) {
    CertificatePtr certificate(::X509_new());
    X509* const raw = certificate.get();
    CHECK(raw != nullptr);
    std::array<unsigned char, 8> serial{};
    CHECK(::RAND_bytes(serial.data(), serial.size()) == 1);
    int64_t number = 0;
    std::memcpy(&number, serial.data(), sizeof(number));
    CHECK(::ASN1_INTEGER_set_int64(::X509_get_serialNumber(raw), (number & INT64_MAX) | 1) == 1);
    CHECK(::X509_set_version(raw, X509_VERSION_3) == 1);
    auto seconds = static_cast<time_t>(
        std::chrono::duration_cast<std::chrono::seconds>(now.time_since_epoch()).count());
    CHECK(::X509_time_adj_ex(::X509_getm_notBefore(raw), 0, -kDay, &seconds) != nullptr);
    CHECK(::X509_time_adj_ex(::X509_getm_notAfter(raw), 0, kValidity, &seconds) != nullptr);
    const std::string common = names.front().substr(0, 64);  // ub-common-name
    X509_NAME* const subject = ::X509_get_subject_name(raw);
    CHECK(::X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8,
                                       reinterpret_cast<const unsigned char*>(common.data()),
                                       static_cast<int>(common.size()), -1, 0) == 1);
    CHECK(::X509_set_issuer_name(raw, subject) == 1);
    CHECK(::X509_set_pubkey(raw, key) == 1);
    add_extension(raw, NID_subject_alt_name, alternative_names(names, addresses));
    add_extension(raw, NID_basic_constraints, "critical,CA:TRUE");
    CHECK(::X509_sign(raw, key, ::EVP_sha256()) > 0);
    return certificate;
}

std::string take_text(BIO* memory) {
    char* data = nullptr;
    const long size = BIO_get_mem_data(memory, &data);
    return {data, static_cast<size_t>(size)};
}

/// Beside its place first, then renamed: a reader never sees half of it.
TlsOutcome<void> write_whole(const std::string& path, const std::string& text) {
    const auto failed = [&path] {
        return tl::unexpected<std::string>("The file " + path +
                                           " cannot be written: " + std::strerror(errno) + ".");
    };
    const std::string beside = path + ".new";
    FileDescriptor file(
        ::open(beside.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, S_IRUSR | S_IWUSR));
    if (!file) return failed();
    for (size_t at = 0; at < text.size();) {
        const ssize_t count = ::write(file.get(), text.data() + at, text.size() - at);
        if (count <= 0) return failed();
        at += static_cast<size_t>(count);
    }
    if (::fsync(file.get()) != 0) return failed();
    if (::rename(beside.c_str(), path.c_str()) != 0) return failed();
    return {};
}

}  // namespace

TlsOutcome<void> write_self_signed(const CertificateFiles& files,
                                   const std::vector<std::string>& names,
                                   const std::vector<IpAddress>& addresses, WallTime now) {
    CHECK(!names.empty());
    const PrivateKeyPtr key(::EVP_EC_gen("P-256"));
    CHECK(key != nullptr);
    const CertificatePtr certificate = make_certificate(key.get(), names, addresses, now);
    const MemoryPtr key_text(::BIO_new(::BIO_s_mem()));
    const MemoryPtr certificate_text(::BIO_new(::BIO_s_mem()));
    CHECK(::PEM_write_bio_PrivateKey(key_text.get(), key.get(), nullptr, nullptr, 0, nullptr,
                                     nullptr) == 1);
    CHECK(::PEM_write_bio_X509(certificate_text.get(), certificate.get()) == 1);
    // The key first: a certificate without its key would stop the next start.
    auto written = write_whole(files.private_key, take_text(key_text.get()));
    if (!written) return written;
    return write_whole(files.certificate, take_text(certificate_text.get()));
}

}  // namespace signalbox::io
