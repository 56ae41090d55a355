// The keys of one [[listen]].
#include <algorithm>
#include <array>

#include "config/host_text.h"
#include "config/key_entry.h"
#include "config/key_sections.h"

namespace signalbox::config {

namespace {

void begin_listener(LoadedConfig& config) {
    config.settings.listeners.emplace_back();
    config.listen_security.emplace_back();
}

std::string store_transport(LoadedConfig& config, const Value& value) {
    config.settings.listeners.back().transport = static_cast<transport::Transport>(value.number);
    return {};
}

std::string store_address(LoadedConfig& config, const Value& value) {
    const auto endpoint = Endpoint::parse(value.text);
    if (!endpoint || endpoint->port == 0) {
        return "\"" + value.text +
               "\" is no address with a port; expected for example \"192.0.2.1:5060\" or "
               "\"[2001:db8::1]:5060\"";
    }
    config.settings.listeners.back().bound = *endpoint;
    return {};
}

std::string store_advertise(LoadedConfig& config, const Value& value) {
    const auto advertised = split_host(value.text);
    if (!advertised) {
        return "\"" + value.text +
               "\" is no host; expected for example \"203.0.113.7:5060\" or "
               "\"sip.example.test\"";
    }
    transport::Listener& listener = config.settings.listeners.back();
    listener.advertise_host = std::string(advertised->host);
    listener.advertise_port = advertised->port;
    return {};
}

template <std::vector<std::string> ListenSecurity::*member>
std::string store_paths(LoadedConfig& config, const Value& value) {
    if (std::any_of(value.list.begin(), value.list.end(),
                    [](const auto& p) { return p.empty(); })) {
        return "it is empty";
    }
    config.listen_security.back().*member = value.list;
    return {};
}

std::string store_client_certificate(LoadedConfig& config, const Value& value) {
    config.listen_security.back().client_certificates =
        static_cast<ClientCertificates>(value.number);
    return {};
}

/// "https://phone.example.test", with a port where it differs: as browsers write it (RFC 6454 §7).
bool is_origin(std::string_view origin) {
    if (origin == "null") return true;
    const size_t scheme_end = origin.find("://");
    if (scheme_end == std::string_view::npos || scheme_end == 0) return false;
    return split_host(origin.substr(scheme_end + 3)).has_value();
}

std::string store_origins(LoadedConfig& config, const Value& value) {
    for (const std::string& origin : value.list) {
        if (is_origin(origin)) continue;
        return "\"" + origin +
               "\" is no origin; expected a scheme and a host, such as "
               "\"https://phone.example.test\"";
    }
    config.listen_security.back().origins = value.list;
    return {};
}

constexpr std::array kKeys{
    Key{.name = "transport",
        .type = KeyType::Choice,
        .help = "The transport of this listener. ws and wss are WebSocket, for phones in browsers "
                "(RFC 7118).",
        .choices = "udp|tcp|tls|ws|wss",
        .when = When::AtStart,
        .is_required = true,
        .store = store_transport},
    Key{.name = "address",
        .type = KeyType::Text,
        .help = "Where to listen: an IPv4 or [IPv6] address and a port. 0.0.0.0 and [::] stand for "
                "all addresses of their family.",
        .when = When::AtStart,
        .is_required = true,
        .store = store_address},
    Key{.name = "advertise",
        .type = KeyType::Text,
        .help = "What Via and Record-Route show instead of the address: a host or an address, with "
                "a port when it differs. For a server behind a router that forwards a public "
                "address to it.",
        .when = When::AtStart,
        .store = store_advertise},
    Key{.name = "certificate",
        .type = KeyType::Texts,
        .help = "For tls and wss: the PEM file of the certificate with its chain, or a list of "
                "several. A client gets the one for the domain that it asks for, else the first. "
                "Without one the server signs one itself at its first start, in data_dir.",
        .store = store_paths<&ListenSecurity::certificates>},
    Key{.name = "private_key",
        .type = KeyType::Texts,
        .help = "The PEM file of the certificate's private key, without a password; a list where "
                "certificate is one, in the same order. Both are read again at every reload; "
                "connections that are up stay.",
        .store = store_paths<&ListenSecurity::private_keys>},
    Key{.name = "client_certificate",
        .type = KeyType::Choice,
        .help = "For tls and wss: whether clients are asked for a certificate. ask: one that an "
                "authority of [tls] vouches for is the peer's identity, and none is no hindrance. "
                "require: no connection without one. By default ask for tls, ignore for wss "
                "(browsers would ask their users).",
        .choices = "ignore|ask|require",
        .store = store_client_certificate},
    Key{.name = "origins",
        .type = KeyType::TextList,
        .help = "For ws and wss: the web pages that may connect, as browsers name them, such as "
                "\"https://phone.example.test\". Without it any may; with it also a client that "
                "names none is refused.",
        .store = store_origins},
};

}  // namespace

constinit const Section kListenSection{
    "listen", SectionKind::ArrayOfTables,
    "Where the server listens: one [[listen]] for each address and transport. Without any: UDP and "
    "TCP port 5060 on all addresses, IPv4 and IPv6.",
    kKeys, begin_listener};

}  // namespace signalbox::config
