// The certificates of a configuration, loaded for its listeners.
#include "node/certificates.h"

#include <algorithm>
#include <filesystem>

#include "config/machine.h"
#include "io/reactor.h"
#include "io/self_signed_certificate.h"

namespace signalbox::node {

namespace {

constexpr int kWarningDays = 14;

using config::ClientCertificates;
using config::ListenSecurity;
using config::LoadedConfig;

template <class T>
store::Outcome<T> or_failure(io::TlsOutcome<T>&& outcome) {
    if (!outcome) return store::failure(std::move(outcome.error()));
    if constexpr (std::is_void_v<T>) {
        return {};
    } else {
        return std::move(*outcome);
    }
}

io::ClientCertificate client_certificate(const ListenSecurity& security,
                                         transport::Transport transport) {
    if (!security.client_certificates) {
        return transport == transport::Transport::Tls ? io::ClientCertificate::Ask
                                                      : io::ClientCertificate::Ignore;
    }
    switch (*security.client_certificates) {
        case ClientCertificates::Ignore:
            return io::ClientCertificate::Ignore;
        case ClientCertificates::Ask:
            return io::ClientCertificate::Ask;
        case ClientCertificates::Require:
            return io::ClientCertificate::Require;
    }
    return io::ClientCertificate::Ignore;
}

io::CertificateFiles own_files(const LoadedConfig& config) {
    const std::filesystem::path folder(config.data_dir);
    return {(folder / "certificate.pem").string(), (folder / "private_key.pem").string()};
}

std::vector<io::CertificateFiles> pairs_of(const LoadedConfig& config,
                                           const ListenSecurity& security) {
    std::vector<io::CertificateFiles> pairs;
    for (size_t i = 0; i < security.certificates.size(); ++i) {
        pairs.push_back({security.certificates[i], security.private_keys[i]});
    }
    if (pairs.empty()) pairs.push_back(own_files(config));
    return pairs;
}

/// Nobody reads hundreds of authorities for nothing.
store::Outcome<io::TrustStore> load_trust(const LoadedConfig& config) {
    const auto& listeners = config.settings.listeners;
    const bool is_needed =
        !config.ca_file.empty() ||
        std::any_of(listeners.begin(), listeners.end(), [](const transport::Listener& listener) {
            return transport::is_secure(listener.transport);
        });
    if (!is_needed) return io::TrustStore();
    return or_failure(io::TrustStore::load(config.ca_file));
}

bool needs_own_certificate(const LoadedConfig& config) {
    for (size_t i = 0; i < config.settings.listeners.size(); ++i) {
        if (transport::is_secure(config.settings.listeners[i].transport) &&
            config.listen_security[i].certificates.empty())
            return true;
    }
    return false;
}

/// The sentence about the certificate that was made; empty: none was needed.
store::Outcome<std::string> make_own_certificate(const LoadedConfig& config) {
    const io::CertificateFiles files = own_files(config);
    std::error_code error;
    if (!needs_own_certificate(config)) return std::string();
    if (std::filesystem::exists(files.certificate, error) &&
        std::filesystem::exists(files.private_key, error))
        return std::string();
    std::vector<std::string> names = config.settings.domains;
    const std::string host = config::host_name();
    if (std::find(names.begin(), names.end(), host) == names.end()) names.push_back(host);
    TRY(or_failure(
        io::write_self_signed(files, names, config::own_addresses(), io::read_clocks().wall)));
    return "Made the self-signed certificate " + files.certificate +
           " for TLS. Phones must be told to trust it, or name another one under [[listen]].";
}

store::Outcome<io::StreamSecurity> secure_listener(const LoadedConfig& config, size_t index,
                                                   const io::TrustStore& trust) {
    const transport::Transport transport = config.settings.listeners[index].transport;
    const ListenSecurity& written = config.listen_security[index];
    io::StreamSecurity security;
    security.origins = written.origins;
    if (!transport::is_secure(transport)) return security;
    const WallTime now = io::read_clocks().wall;
    io::TlsServerSettings server{pairs_of(config, written), client_certificate(written, transport)};
    io::TlsClientSettings client{config.verify_servers, server.pairs.front()};
    TRY_ASSIGN(made_server, or_failure(io::TlsServer::make(server, trust, now)));
    security.server = std::move(made_server);
    TRY_ASSIGN(made_client, or_failure(io::TlsClient::make(client, trust, now)));
    security.client = std::move(made_client);
    return security;
}

}  // namespace

store::Outcome<LoadedSecurity> load_security(const LoadedConfig& config) {
    LoadedSecurity loaded;
    TRY_ASSIGN(made, make_own_certificate(config));
    loaded.made = std::move(made);
    TRY_ASSIGN(trust, load_trust(config));
    for (size_t index = 0; index < config.settings.listeners.size(); ++index) {
        TRY_ASSIGN(security, secure_listener(config, index, trust));
        if (security.server != nullptr && security.server->days_left() <= kWarningDays) {
            loaded.warnings.push_back("The certificate " + security.server->first_to_expire() +
                                      " expires in " +
                                      std::to_string(security.server->days_left()) +
                                      " days. Put a newer one in its place and send SIGHUP.");
        }
        loaded.listeners.push_back(std::move(security));
    }
    return loaded;
}

store::Outcome<void> check_certificates(const LoadedConfig& config) {
    TRY_ASSIGN(trust, load_trust(config));
    for (size_t index = 0; index < config.settings.listeners.size(); ++index) {
        if (config.listen_security[index].certificates.empty()) continue;
        TRY_ASSIGN(security, secure_listener(config, index, trust));
    }
    return {};
}

}  // namespace signalbox::node
