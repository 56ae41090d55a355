// The keys of [tls].
#include <array>

#include "config/key_entry.h"
#include "config/key_sections.h"

namespace signalbox::config {

namespace {

std::string store_ca_file(LoadedConfig& config, const Value& value) {
    if (value.text.empty()) return "it is empty";
    config.ca_file = value.text;
    return {};
}

constexpr std::array kKeys{
    Key{.name = "verify_servers",
        .type = KeyType::Boolean,
        .default_text = "true",
        .help = "Whether a server to which the server opens a TLS connection must show a "
                "certificate for the domain that was asked for (RFC 5922). Without it whoever "
                "answers is taken for that domain.",
        .store = store_at<&LoadedConfig::verify_servers>},
    Key{.name = "ca_file",
        .type = KeyType::Text,
        .help = "The PEM file of the authorities whose certificates are believed, of servers and "
                "of clients. By default those that the system trusts.",
        .store = store_ca_file},
};

}  // namespace

constinit const Section kTlsSection{"tls", SectionKind::Table,
                                    "Whom the server believes when TLS names a peer.", kKeys};

}  // namespace signalbox::config
