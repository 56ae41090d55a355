// The one table of configuration keys: the checks, the error messages and docs/configuration.md
// come from it.
#include "config/key_table.h"

#include <algorithm>
#include <array>

#include "base/text.h"
#include "config/value_text.h"
#include "sip/header_values.h"

namespace signalbox::config {

namespace {

using ports::Snapshot;

constexpr uint64_t kSecond = 1000;
constexpr uint64_t kMinute = 60 * kSecond;
constexpr uint64_t kHour = 60 * kMinute;
constexpr uint64_t kDay = 24 * kHour;
constexpr uint64_t kMiB = uint64_t{1} << 20;
constexpr uint64_t kGiB = uint64_t{1} << 30;

/// A host name or an address; IPv6 in brackets.
bool is_host(std::string_view host) {
    if (IpAddress::parse(host)) return host.find(':') == std::string_view::npos || host[0] == '[';
    if (host.empty() || host.size() > 253) return false;
    return std::all_of(host.begin(), host.end(), [](char c) {
        return text::is_alpha(c) || text::is_digit(c) || c == '-' || c == '.' || c == '_';
    });
}

std::string store_domains(LoadedConfig& config, const Value& value) {
    std::vector<std::string>& domains = config.settings.domains;
    domains.clear();
    for (const std::string& written : value.list) {
        std::string domain = text::to_lower(written);
        if (!domain.empty() && domain.back() == '.') domain.pop_back();
        if (!is_host(domain)) {
            return "\"" + written +
                   "\" is no domain; write a host name or an address without a port, such as "
                   "\"example.test\"";
        }
        if (std::find(domains.begin(), domains.end(), domain) == domains.end()) {
            domains.push_back(std::move(domain));
        }
    }
    return {};
}

std::string store_server_name(LoadedConfig& config, const Value& value) {
    const auto is_bad = [](char c) { return c < 0x20 || c == 0x7f; };
    if (std::any_of(value.text.begin(), value.text.end(), is_bad)) {
        return "it has a control character";
    }
    config.settings.server_name = value.text;
    return {};
}

constexpr std::array kTop{
    Key{.name = "domains",
        .type = KeyType::TextList,
        .default_text = "",
        .help = "The domains whose addresses of record live here. They need not exist in DNS. The "
                "addresses at which "
                "the server listens are its own besides these. Without a configuration file: the "
                "machine's host name.",
        .store = store_domains},
    Key{.name = "data_dir",
        .type = KeyType::Text,
        .default_text = "\"data\"",
        .help = "The directory of the database, the journal, the keys and the control socket. It "
                "is made when it does "
                "not exist, and only its owner may read it. One server at a time uses it.",
        .when = When::AtStart,
        .store = [](LoadedConfig& config, const Value& value) -> std::string {
            if (value.text.empty()) return "it is empty";
            config.data_dir = value.text;
            return {};
        }},
    Key{.name = "shards",
        .type = KeyType::Integer,
        .default_text = "0",
        .help = "How many threads carry calls. 0: one for each CPU on which the process may run.",
        .max = 64,
        .when = When::AtStart,
        .store = [](LoadedConfig& config, const Value& value) -> std::string {
            config.shards = value.number32();
            return {};
        }},
    Key{.name = "shutdown_max",
        .type = KeyType::Duration,
        .default_text = "\"5s\"",
        .help = "After SIGTERM new calls are refused; the server ends when nothing is in progress "
                "any more, and at the latest after this time. Shortly before, calls that are still "
                "not answered end with 503.",
        .max = kHour,
        .store = [](LoadedConfig& config, const Value& value) -> std::string {
            config.shutdown_max = value.duration();
            return {};
        }},
    Key{.name = "server_name",
        .type = KeyType::Text,
        .default_text = "\"Signalbox\"",
        .help = "The Server header field of the server's own responses. An empty text leaves the "
                "field out.",
        .store = store_server_name},
};

/// "https://phone.example.test", with a port where it differs: as browsers write it (RFC 6454 §7).
bool is_origin(std::string_view origin) {
    if (origin == "null") return true;
    const size_t scheme_end = origin.find("://");
    if (scheme_end == std::string_view::npos || scheme_end == 0) return false;
    std::string_view host = origin.substr(scheme_end + 3);
    const size_t colon = host.rfind(':');
    if (colon != std::string_view::npos && !host.ends_with(']')) {
        const auto port = text::to_u32(host.substr(colon + 1));
        if (!port || *port == 0 || *port > 65535) return false;
        host = host.substr(0, colon);
    }
    return is_host(host);
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

std::string store_paths(std::vector<std::string>& paths, const Value& value) {
    for (const std::string& path : value.list) {
        if (path.empty()) return "it is empty";
    }
    paths = value.list;
    return {};
}

constexpr std::array kListen{
    Key{.name = "transport",
        .type = KeyType::Choice,
        .default_text = "",
        .help = "The transport of this listener. ws and wss are WebSocket, for phones in browsers "
                "(RFC 7118).",
        .choices = "udp|tcp|tls|ws|wss",
        .when = When::AtStart,
        .is_required = true,
        .store = [](LoadedConfig& config, const Value& value) -> std::string {
            config.settings.listeners.back().transport =
                static_cast<transport::Transport>(value.number);
            return {};
        }},
    Key{.name = "address",
        .type = KeyType::Text,
        .default_text = "",
        .help = "Where to listen: an IPv4 or [IPv6] address and a port. 0.0.0.0 and [::] stand for "
                "all addresses of "
                "their family.",
        .when = When::AtStart,
        .is_required = true,
        .store = [](LoadedConfig& config, const Value& value) -> std::string {
            const auto endpoint = Endpoint::parse(value.text);
            if (!endpoint || endpoint->port == 0) {
                return "\"" + value.text +
                       "\" is no address with a port; expected for example \"192.0.2.1:5060\" or "
                       "\"[2001:db8::1]:5060\"";
            }
            config.settings.listeners.back().bound = *endpoint;
            return {};
        }},
    Key{.name = "advertise",
        .type = KeyType::Text,
        .default_text = "",
        .help = "What Via and Record-Route show instead of the address: a host or an address, with "
                "a port when it "
                "differs. For a server behind a router that forwards a public address to it.",
        .when = When::AtStart,
        .store = [](LoadedConfig& config, const Value& value) -> std::string {
            transport::Listener& listener = config.settings.listeners.back();
            std::string_view host = value.text;
            const size_t colon = host.rfind(':');
            const bool has_port = colon != std::string_view::npos && !host.ends_with(']');
            std::optional<uint32_t> port;
            if (has_port) {
                port = text::to_u32(host.substr(colon + 1));
                host = host.substr(0, colon);
            }
            if (!is_host(host) || (has_port && (!port || *port == 0 || *port > 65535))) {
                return "\"" + value.text +
                       "\" is no host; expected for example \"203.0.113.7:5060\" or "
                       "\"sip.example.test\"";
            }
            listener.advertise_host = std::string(host);
            listener.advertise_port = static_cast<uint16_t>(port.value_or(0));
            return {};
        }},
    Key{.name = "certificate",
        .type = KeyType::Texts,
        .default_text = "",
        .help = "For tls and wss: the PEM file of the certificate with its chain, or a list of "
                "several. A client gets the one for the domain that it asks for, else the first. "
                "Without one the server signs one itself at its first start, in data_dir.",
        .store = [](LoadedConfig& config, const Value& value) -> std::string {
            return store_paths(config.listen_security.back().certificates, value);
        }},
    Key{.name = "private_key",
        .type = KeyType::Texts,
        .default_text = "",
        .help = "The PEM file of the certificate's private key, without a password; a list where "
                "certificate is one, in the same order. Both are read again at every reload; "
                "connections that are up stay.",
        .store = [](LoadedConfig& config, const Value& value) -> std::string {
            return store_paths(config.listen_security.back().private_keys, value);
        }},
    Key{.name = "client_certificate",
        .type = KeyType::Choice,
        .default_text = "",
        .help = "For tls and wss: whether clients are asked for a certificate. ask: one that an "
                "authority of [tls] vouches for is the peer's identity, and none is no hindrance. "
                "require: no connection without one. By default ask for tls, ignore for wss "
                "(browsers would ask their users).",
        .choices = "ignore|ask|require",
        .store = [](LoadedConfig& config, const Value& value) -> std::string {
            config.listen_security.back().client_certificates =
                static_cast<ClientCertificates>(value.number);
            return {};
        }},
    Key{.name = "origins",
        .type = KeyType::TextList,
        .default_text = "",
        .help = "For ws and wss: the web pages that may connect, as browsers name them, such as "
                "\"https://phone.example.test\". Without it any may; with it also a client that "
                "names none is refused.",
        .store = store_origins},
};

constexpr std::array kTls{
    Key{.name = "verify_servers",
        .type = KeyType::Boolean,
        .default_text = "true",
        .help = "Whether a server to which the server opens a TLS connection must show a "
                "certificate for the domain that was asked for (RFC 5922). Without it whoever "
                "answers is taken for that domain.",
        .store = [](LoadedConfig& config, const Value& value) -> std::string {
            config.verify_servers = value.flag;
            return {};
        }},
    Key{.name = "ca_file",
        .type = KeyType::Text,
        .default_text = "",
        .help = "The PEM file of the authorities whose certificates are believed, of servers and "
                "of clients. By default those that the system trusts.",
        .store = [](LoadedConfig& config, const Value& value) -> std::string {
            if (value.text.empty()) return "it is empty";
            config.ca_file = value.text;
            return {};
        }},
};

constexpr std::array kStore{
    Key{.name = "engine",
        .type = KeyType::Choice,
        .default_text = "\"sqlite\"",
        .help = "Where users, bindings and call records are kept. sqlite: in "
                "data_dir/signalbox.db. memory: users come "
                "from users_file, bindings and the last 10,000 records are kept in memory and end "
                "with the process; "
                "the journal is written all the same.",
        .choices = "sqlite|memory",
        .when = When::AtStart,
        .store = [](LoadedConfig& config, const Value& value) -> std::string {
            config.engine = value.number == 0 ? StoreEngine::Sqlite : StoreEngine::Memory;
            return {};
        }},
    Key{.name = "users_file",
        .type = KeyType::Text,
        .default_text = "",
        .help = "For the memory engine: the file of users, one user,password a line without a "
                "header line. It is read "
                "again when it changes.",
        .when = When::AtStart,
        .store = [](LoadedConfig& config, const Value& value) -> std::string {
            config.users_file = value.text;
            return {};
        }},
};

/// A list of name-addrs, each a loose router.
bool is_route(std::string_view text) {
    while (!text.empty()) {
        const auto hop = sip::parse_name_addr(text, ErrorCode::malformed_route, &text);
        if (!hop || !hop->uri.is_sip() || !hop->uri.param("lr")) return false;
    }
    return true;
}

constexpr std::array kRegistrar{
    Key{.name = "expires_default",
        .type = KeyType::Seconds,
        .default_text = "\"1h\"",
        .help = "How long a binding lives when the phone does not say.",
        .min = kSecond,
        .max = 365 * kDay,
        .store = [](LoadedConfig& config, const Value& value) -> std::string {
            config.settings.registrar.expires_default_s = value.seconds();
            return {};
        }},
    Key{.name = "expires_min",
        .type = KeyType::Seconds,
        .default_text = "\"60s\"",
        .help = "A phone that asks for less is refused with 423 and told this time.",
        .min = kSecond,
        .max = 365 * kDay,
        .store = [](LoadedConfig& config, const Value& value) -> std::string {
            config.settings.registrar.expires_min_s = value.seconds();
            return {};
        }},
    Key{.name = "expires_max",
        .type = KeyType::Seconds,
        .default_text = "\"2h\"",
        .help = "A phone that asks for more is given this time.",
        .min = kSecond,
        .max = 365 * kDay,
        .store = [](LoadedConfig& config, const Value& value) -> std::string {
            config.settings.registrar.expires_max_s = value.seconds();
            return {};
        }},
    Key{.name = "contacts_max",
        .type = KeyType::Integer,
        .default_text = "10",
        .help = "How many contacts one address of record may have.",
        .min = 1,
        .max = 100,
        .store = [](LoadedConfig& config, const Value& value) -> std::string {
            config.settings.registrar.contacts_max = value.number32();
            return {};
        }},
    Key{.name = "expires_spread",
        .type = KeyType::Integer,
        .default_text = "10",
        .help = "A registration longer than 10 minutes is granted up to so many percent less, at "
                "random, so that phones "
                "that all came back at one moment do not return together for ever. Never below "
                "expires_min; 0: as asked.",
        .min = 0,
        .max = 10,
        .store = [](LoadedConfig& config, const Value& value) -> std::string {
            config.settings.registrar.expires_spread_percent = value.number32();
            return {};
        }},
    Key{.name = "service_route",
        .type = KeyType::Text,
        .default_text = "\"off\"",
        .help =
            "Where registered phones are told to send their requests (Service-Route, RFC 3608): "
            "\"off\", \"self\" "
            "for this server as the phone reached it, or Route values such as "
            "\"<sip:proxy.example.com;lr>\".",
        .store = [](LoadedConfig& config, const Value& value) -> std::string {
            if (value.text == "off") {
                config.settings.registrar.service_route.clear();
                return {};
            }
            if (value.text != ports::kServiceRouteSelf && !is_route(value.text))
                return "must be off, self, or Route values such as <sip:proxy.example.com;lr>";
            config.settings.registrar.service_route = value.text;
            return {};
        }},
};

constexpr std::array kAuth{
    Key{.name = "algorithms",
        .type = KeyType::ChoiceList,
        .default_text = "[\"MD5\"]",
        .help = "The digest algorithms offered in a challenge, the preferred one first, each in a "
                "header line of its "
                "own. Many phones fail when another one than MD5 is even offered.",
        .choices = "MD5|SHA-256|SHA-512-256",
        .store = [](LoadedConfig& config, const Value& value) -> std::string {
            auto& algorithms = config.settings.auth.algorithms;
            algorithms.clear();
            for (const uint64_t choice : value.choices) {
                algorithms.push_back(static_cast<ports::AuthAlgorithm>(choice));
            }
            return {};
        }},
    Key{.name = "nonce_lifetime",
        .type = KeyType::Duration,
        .default_text = "\"5m\"",
        .help = "How long a challenge may be answered, and only from the address to which it was "
                "sent. Any other answer is challenged again without asking the user.",
        .min = kSecond,
        .max = kDay,
        .store = [](LoadedConfig& config, const Value& value) -> std::string {
            config.settings.auth.nonce_lifetime = value.duration();
            return {};
        }},
    Key{.name = "realm",
        .type = KeyType::Text,
        .default_text = "",
        .help = "The realm for which passwords hold. By default the first domain; without any, the "
                "host name that the "
                "machine had at the first start, which stays fixed in data_dir. Passwords are kept "
                "as hashes for one "
                "realm: after a change every password must be set again.",
        .store = [](LoadedConfig& config, const Value& value) -> std::string {
            const auto is_bad = [](char c) {
                return c < 0x20 || c == 0x7f || c == '"' || c == '\\';
            };
            if (value.text.empty()) return "it is empty";
            if (std::any_of(value.text.begin(), value.text.end(), is_bad)) {
                return "it has a quote, a backslash or a control character";
            }
            config.settings.auth.realm = value.text;
            return {};
        }},
};

constexpr std::array kTrusted{
    Key{.name = "network",
        .type = KeyType::Text,
        .default_text = "",
        .help = "The network of the peer: an address or a network, such as 192.0.2.0/24 or "
                "2001:db8::/32.",
        .store = [](LoadedConfig& config, const Value& value) -> std::string {
            const auto network = Network::parse(value.text);
            if (!network) {
                return "\"" + value.text +
                       "\" is no network; expected for example \"192.0.2.0/24\" or "
                       "\"2001:db8::/32\", with all bits "
                       "behind the prefix 0";
            }
            config.settings.trusted.back().network = *network;
            return {};
        }},
    Key{.name = "listener",
        .type = KeyType::Text,
        .default_text = "",
        .help = "The address of a [[listen]] through which the peer comes: for a network behind an "
                "interface of its own.",
        .store = [](LoadedConfig& config, const Value& value) -> std::string {
            const auto endpoint = Endpoint::parse(value.text);
            if (!endpoint) {
                return "\"" + value.text +
                       "\" is no address of a [[listen]]; expected for example \"192.0.2.1:5060\"";
            }
            config.settings.trusted.back().listener = *endpoint;
            return {};
        }},
    Key{.name = "transport",
        .type = KeyType::Text,
        .default_text = "",
        .help = "The transport by which the peer comes, named as in [[listen]]. Over udp a source "
                "address can be forged, over the others it cannot.",
        .store = [](LoadedConfig& config, const Value& value) -> std::string {
            transport::Transport transport{};
            if (!transport::parse_transport(value.text, transport)) {
                return "\"" + value.text + "\" is no transport; expected one that a [[listen]] has";
            }
            config.settings.trusted.back().transport = transport;
            return {};
        }},
    Key{.name = "identity",
        .type = KeyType::Text,
        .default_text = "",
        .help = "The domain for which the peer's TLS certificate must have been verified, such as "
                "\"carrier.example.org\".",
        .store = [](LoadedConfig& config, const Value& value) -> std::string {
            if (!is_host(value.text)) return "\"" + value.text + "\" is no domain";
            config.settings.trusted.back().identity = text::to_lower(value.text);
            return {};
        }},
};

constexpr std::array kProxy{
    Key{.name = "mode",
        .type = KeyType::Choice,
        .default_text = "\"stateful\"",
        .help = "stateful: transactions, forking, records. stateless: requests that need no state "
                "are forwarded "
                "without any, as RFC 3261 section 16.11 has it, and leave no records. redirect: "
                "callers are told the contacts of whom they call in a 302 and call them "
                "themselves; nothing is forwarded but inside calls that were set up before.",
        .choices = "stateful|stateless|redirect",
        .store = [](LoadedConfig& config, const Value& value) -> std::string {
            config.settings.proxy.mode = static_cast<ports::ProxyMode>(value.number);
            return {};
        }},
    Key{.name = "record_route",
        .type = KeyType::Boolean,
        .default_text = "true",
        .help = "Whether the server stays in the path of calls. Without it the end of a call is "
                "not seen.",
        .store = [](LoadedConfig& config, const Value& value) -> std::string {
            config.settings.proxy.record_route = value.flag;
            return {};
        }},
    Key{.name = "inbound",
        .type = KeyType::Choice,
        .default_text = "\"anyone\"",
        .help = "Who may call local users without credentials: anyone, or only trusted peers.",
        .choices = "anyone|trusted",
        .store = [](LoadedConfig& config, const Value& value) -> std::string {
            config.settings.proxy.inbound =
                value.number == 0 ? ports::Inbound::Anyone : ports::Inbound::Trusted;
            return {};
        }},
    Key{.name = "recurse",
        .type = KeyType::Boolean,
        .default_text = "false",
        .help = "What becomes of a 300, 301 or 302 from a phone. false: it goes to the caller. "
                "true: the server tries the contacts in it, other hosts only for callers who may "
                "be relayed there.",
        .store = [](LoadedConfig& config, const Value& value) -> std::string {
            config.settings.proxy.recurse = value.flag;
            return {};
        }},
    Key{.name = "failover_wait",
        .type = KeyType::Duration,
        .default_text = "\"4s\"",
        .help = "A name may lead to several next hops (RFC 3263). One that has sent no response at "
                "all, not even 100, within this time is left for the next one, without waiting for "
                "timer B or F. The last one has these timers whole.",
        .min = 500,
        .max = kMinute,
        .store = [](LoadedConfig& config, const Value& value) -> std::string {
            config.settings.proxy.failover_wait = value.duration();
            return {};
        }},
    Key{.name = "failover_max",
        .type = KeyType::Duration,
        .default_text = "\"32s\"",
        .help = "All next hops of one name together may be silent for this time; then the request "
                "fails.",
        .min = 500,
        .max = 10 * kMinute,
        .store = [](LoadedConfig& config, const Value& value) -> std::string {
            config.settings.proxy.failover_max = value.duration();
            return {};
        }},
    Key{.name = "datagram_max",
        .type = KeyType::Integer,
        .default_text = "1300",
        .help = "A request of more octets goes by TCP instead of UDP, as RFC 3261 section 18.1.1 "
                "has it for paths of unknown MTU: where the server listens on TCP, and never to a "
                "phone that is reached through its own flow only.",
        .min = 500,
        .max = 65'535,
        .store = [](LoadedConfig& config, const Value& value) -> std::string {
            config.settings.proxy.datagram_max = value.number32();
            return {};
        }},
    Key{.name = "large_connect_max",
        .type = KeyType::Duration,
        .default_text = "\"500ms\"",
        .help = "How long the TCP connection for such a request may take to open. Then the request "
                "goes by UDP after all.",
        .min = 10,
        .max = 5 * kSecond,
        .store = [](LoadedConfig& config, const Value& value) -> std::string {
            config.settings.proxy.large_connect_max = value.duration();
            return {};
        }},
};

constexpr std::array kForking{
    Key{.name = "order",
        .type = KeyType::Choice,
        .default_text = "\"by-q\"",
        .help = "by-q: the contacts of equal q ring together, and a group of lower q follows when "
                "the one before it has ended; phones that say nothing about q ring together. "
                "parallel: all at once, whatever their q. sequential: one after the other, the "
                "best q first.",
        .choices = "by-q|parallel|sequential",
        .store = [](LoadedConfig& config, const Value& value) -> std::string {
            config.settings.forking.order = static_cast<ports::ForkOrder>(value.number);
            return {};
        }},
    Key{.name = "ring_time",
        .type = KeyType::Duration,
        .default_text = "\"20s\"",
        .help = "How long a group rings: then its phones are cancelled and the next group begins. "
                "A group whose phones are all busy, gone or refuse is left at once. The last "
                "group rings until timer c. 0s: every group does.",
        .max = kHour,
        .store = [](LoadedConfig& config, const Value& value) -> std::string {
            config.settings.forking.ring_time = value.duration();
            return {};
        }},
    Key{.name = "delay",
        .type = KeyType::Duration,
        .default_text = "\"0s\"",
        .help = "The next group begins so long after the one before it began, even while that one "
                "rings. 0s: only when it has ended.",
        .max = kHour,
        .store = [](LoadedConfig& config, const Value& value) -> std::string {
            config.settings.forking.delay = value.duration();
            return {};
        }},
    Key{.name = "keep_ringing",
        .type = KeyType::Boolean,
        .default_text = "true",
        .help = "Whether a group rings on, for ring_time in all, when the next one has begun "
                "after delay. false: it is cancelled then.",
        .store = [](LoadedConfig& config, const Value& value) -> std::string {
            config.settings.forking.keep_ringing = value.flag;
            return {};
        }},
};

std::string store_servers(LoadedConfig& config, const Value& value) {
    config.dns_servers.clear();
    for (const std::string& written : value.list) {
        const auto address = IpAddress::parse(written);
        const auto endpoint =
            address ? Endpoint{*address, 53} : Endpoint::parse(written).value_or(Endpoint{});
        if (endpoint.port == 0) {
            return "\"" + written +
                   "\" is no server; expected for example \"192.0.2.53\" or "
                   "\"[2001:db8::53]:5353\"";
        }
        config.dns_servers.push_back(endpoint.to_string());
    }
    return {};
}

template <Duration resolver::ResolverSettings::*member>
std::string store_resolver_time(LoadedConfig& config, const Value& value) {
    config.settings.resolver.*member = value.duration();
    return {};
}

using resolver::ResolverSettings;
constexpr std::array kResolver{
    Key{.name = "servers",
        .type = KeyType::TextList,
        .default_text = "",
        .help = "The DNS servers that are asked, as addresses with or without a port, the first "
                "one first. By default those of /etc/resolv.conf.",
        .when = When::AtStart,
        .store = store_servers},
    Key{.name = "lookup_max",
        .type = KeyType::Duration,
        .default_text = "\"4s\"",
        .help = "How long a request waits for the next hops of a name. A third of it belongs to "
                "NAPTR, a third to SRV, the rest to the addresses: a server that is silent on the "
                "first does not stop the others.",
        .min = 100,
        .max = 5 * kMinute,
        .store = store_resolver_time<&ResolverSettings::lookup_max>},
    Key{.name = "ttl_max",
        .type = KeyType::Duration,
        .default_text = "\"1h\"",
        .help = "Answers are remembered for the time that they say, and at most for this.",
        .max = 7 * kDay,
        .store = store_resolver_time<&ResolverSettings::ttl_max>},
    Key{.name = "negative_ttl_max",
        .type = KeyType::Duration,
        .default_text = "\"5m\"",
        .help = "That a name or a record does not exist is remembered for at most this time.",
        .max = kDay,
        .store = store_resolver_time<&ResolverSettings::negative_ttl_max>},
    Key{.name = "stale_max",
        .type = KeyType::Duration,
        .default_text = "\"1d\"",
        .help =
            "For so long after its end an answer is used while the DNS servers fail. 0s: never.",
        .max = 30 * kDay,
        .store = store_resolver_time<&ResolverSettings::stale_max>},
    Key{.name = "hold_down",
        .type = KeyType::Duration,
        .default_text = "\"30s\"",
        .help = "A next hop that was silent, unreachable or answered 503 is tried after all others "
                "for this time. 0s: failures are not remembered.",
        .max = kDay,
        .store = store_resolver_time<&ResolverSettings::hold_down>},
    Key{.name = "hold_down_max",
        .type = KeyType::Duration,
        .default_text = "\"5m\"",
        .help = "At most this time is granted to the Retry-After of a 503.",
        .max = kDay,
        .store = store_resolver_time<&ResolverSettings::hold_down_max>},
};

/// A key of [timers] for the member `member` of SipTimers.
template <Duration transaction::SipTimers::*member>
std::string store_timer(LoadedConfig& config, const Value& value) {
    config.settings.timers.*member = value.duration();
    return {};
}

template <Duration transaction::SipTimers::*member>
constexpr Key timer(std::string_view name, std::string_view default_text, std::string_view help) {
    return Key{.name = name,
               .type = KeyType::Duration,
               .default_text = default_text,
               .help = help,
               .min = 1,
               .max = kHour,
               .store = store_timer<member>};
}

using transaction::SipTimers;
constexpr std::array kTimers{
    timer<&SipTimers::t1>("t1", "\"500ms\"", "The round-trip time from which the others follow."),
    timer<&SipTimers::t2>("t2", "\"4s\"", "The longest interval between retransmissions."),
    timer<&SipTimers::t4>("t4", "\"5s\"", "How long a message may stay in the network."),
    timer<&SipTimers::b>("b", "", "An INVITE client gives up. By default 64*t1."),
    timer<&SipTimers::c>("c", "\"185s\"",
                         "A forwarded INVITE without a final response is ended. The RFC asks for "
                         "more than 3 minutes."),
    timer<&SipTimers::d>(
        "d", "",
        "An INVITE client absorbs repeated failures over UDP. By default 64*t1, at least 32s."),
    timer<&SipTimers::f>("f", "", "A client of another request gives up. By default 64*t1."),
    timer<&SipTimers::h>("h", "", "An INVITE server waits for the ACK. By default 64*t1."),
    timer<&SipTimers::i>("i", "",
                         "An INVITE server absorbs repeated ACKs over UDP. By default t4."),
    timer<&SipTimers::j>(
        "j", "", "A server of another request absorbs its repetitions over UDP. By default 64*t1."),
    timer<&SipTimers::k>(
        "k", "", "A client of another request absorbs repeated responses over UDP. By default t4."),
    timer<&SipTimers::l>("l", "",
                         "An INVITE server stays for repeated 2xx responses. By default 64*t1."),
    timer<&SipTimers::m>("m", "",
                         "An INVITE client stays for further 2xx responses. By default 64*t1."),
};

constexpr std::array kLimits{
    Key{.name = "auth_failures_max",
        .type = KeyType::Integer,
        .default_text = "20",
        .help = "So many wrong passwords from one source address within auth_failures_window leave "
                "the source "
                "unanswered for auth_block_time, except for users who are registered from it.",
        .min = 1,
        .max = 1'000'000,
        .store = [](LoadedConfig& config, const Value& value) -> std::string {
            config.settings.limits.auth_failures_max = value.number32();
            return {};
        }},
    Key{.name = "auth_failures_window",
        .type = KeyType::Duration,
        .default_text = "\"1m\"",
        .help = "See auth_failures_max.",
        .min = kSecond,
        .max = kDay,
        .store = [](LoadedConfig& config, const Value& value) -> std::string {
            config.settings.limits.auth_failures_window = value.duration();
            return {};
        }},
    Key{.name = "auth_block_time",
        .type = KeyType::Duration,
        .default_text = "\"5m\"",
        .help = "See auth_failures_max. 0s: nobody is blocked.",
        .max = kDay,
        .store = [](LoadedConfig& config, const Value& value) -> std::string {
            config.settings.limits.auth_block_time = value.duration();
            return {};
        }},
    Key{.name = "transactions_max",
        .type = KeyType::Integer,
        .default_text = "2000000",
        .help = "How many transactions of each side may live in all shards together. Beyond it new "
                "requests are refused "
                "with 503.",
        .min = 64,
        .max = 100'000'000,
        .store = [](LoadedConfig& config, const Value& value) -> std::string {
            config.settings.limits.transactions_max = value.number32();
            return {};
        }},
    Key{.name = "calls_max",
        .type = KeyType::Integer,
        .default_text = "1000000",
        .help = "How many calls are followed for their records, in all shards together. Calls "
                "beyond it work, but have no "
                "record.",
        .min = 64,
        .max = 100'000'000,
        .store = [](LoadedConfig& config, const Value& value) -> std::string {
            config.settings.limits.calls_max = value.number32();
            return {};
        }},
    Key{.name = "connections_max",
        .type = KeyType::Integer,
        .default_text = "100000",
        .help = "How many stream connections may be open. Beyond it new ones are refused.",
        .min = 1,
        .max = 10'000'000,
        .store = [](LoadedConfig& config, const Value& value) -> std::string {
            config.settings.limits.connections_max = value.number32();
            return {};
        }},
    Key{.name = "connections_per_source",
        .type = KeyType::Integer,
        .default_text = "1000",
        .help = "How many stream connections one source address may have open (an IPv6 network of "
                "64 bits counts as one). An office behind one router is one address. Trusted "
                "networks are not counted.",
        .min = 1,
        .max = 10'000'000,
        .store = [](LoadedConfig& config, const Value& value) -> std::string {
            config.settings.limits.connections_per_source = value.number32();
            return {};
        }},
    Key{.name = "handshake_timeout",
        .type = KeyType::Duration,
        .default_text = "\"10s\"",
        .help = "How long a TLS or WebSocket handshake may take, both together.",
        .min = 100,
        .max = 5 * kMinute,
        .store = [](LoadedConfig& config, const Value& value) -> std::string {
            config.settings.limits.handshake_timeout = value.duration();
            return {};
        }},
    Key{.name = "first_message_timeout",
        .type = KeyType::Duration,
        .default_text = "\"30s\"",
        .help = "A stream connection on which no valid SIP message came by then is closed. Trusted "
                "networks may be silent.",
        .min = 100,
        .max = kDay,
        .store = [](LoadedConfig& config, const Value& value) -> std::string {
            config.settings.limits.first_message_timeout = value.duration();
            return {};
        }},
    Key{.name = "message_timeout",
        .type = KeyType::Duration,
        .default_text = "\"30s\"",
        .help = "How long a message may take from its first octet to its last on a stream "
                "connection.",
        .min = 100,
        .max = kHour,
        .store = [](LoadedConfig& config, const Value& value) -> std::string {
            config.settings.limits.message_timeout = value.duration();
            return {};
        }},
    Key{.name = "connect_timeout",
        .type = KeyType::Duration,
        .default_text = "\"5s\"",
        .help = "How long the server waits for a stream connection that it opens.",
        .min = 100,
        .max = 5 * kMinute,
        .store = [](LoadedConfig& config, const Value& value) -> std::string {
            config.settings.limits.connect_timeout = value.duration();
            return {};
        }},
    Key{.name = "stream_idle_timeout",
        .type = KeyType::Duration,
        .default_text = "\"65m\"",
        .help = "A stream connection without any traffic is closed after this time. Longer than a "
                "registration lives, or "
                "phones behind it cannot be called.",
        .min = kSecond,
        .max = 30 * kDay,
        .store = [](LoadedConfig& config, const Value& value) -> std::string {
            config.settings.limits.stream_idle_timeout = value.duration();
            return {};
        }},
    Key{.name = "port_timeout",
        .type = KeyType::Duration,
        .default_text = "\"5s\"",
        .help = "How long a call waits for an answer of another part of the server before it goes "
                "on without.",
        .min = 100,
        .max = 5 * kMinute,
        .store = [](LoadedConfig& config, const Value& value) -> std::string {
            config.settings.limits.port_timeout = value.duration();
            return {};
        }},
};

constexpr std::array kRecords{
    Key{.name = "call_max",
        .type = KeyType::Duration,
        .default_text = "\"1d\"",
        .help = "An answered call whose end was never seen is recorded as ended after this time.",
        .min = kMinute,
        .max = 30 * kDay,
        .store = [](LoadedConfig& config, const Value& value) -> std::string {
            config.settings.limits.call_max = value.duration();
            return {};
        }},
    Key{.name = "keep",
        .type = KeyType::Duration,
        .default_text = "\"365d\"",
        .help = "The record of a call is removed so long after the call began; files of the "
                "journal in which everything is older go too. Not shorter than call_max. 0s: "
                "nothing is removed because of its age.",
        .min = 0,
        .max = 36500 * kDay,
        .when = When::AtStart,
        .store = [](LoadedConfig& config, const Value& value) -> std::string {
            config.records_keep = value.duration();
            return {};
        }},
    Key{.name = "limit",
        .type = KeyType::Integer,
        .default_text = "20000000",
        .help = "How many records are kept: beyond it those of the calls that began first are "
                "removed. A record takes about half a kilobyte on the disk. 0: no limit.",
        .min = 0,
        .max = 1'000'000'000'000,
        .when = When::AtStart,
        .store = [](LoadedConfig& config, const Value& value) -> std::string {
            config.records_limit = value.number;
            return {};
        }},
};

constexpr std::array kJournal{
    Key{.name = "segment",
        .type = KeyType::Bytes,
        .default_text = "\"64MiB\"",
        .help = "The size of one file of the journal. Each shard reserves one or two of them on "
                "the disk.",
        .min = kMiB,
        .max = kGiB,
        .when = When::AtStart,
        .store = [](LoadedConfig& config, const Value& value) -> std::string {
            config.journal_segment_bytes = value.number;
            return {};
        }},
    Key{.name = "keep",
        .type = KeyType::Bytes,
        .default_text = "\"10GiB\"",
        .help = "The oldest files of the journal are removed when all together take more than "
                "this, but never before the database has what stands in them. What is kept is what "
                "deleted records come back from. Age removes files too: see keep under [records].",
        .min = kMiB,
        .max = 1024 * kGiB,
        .when = When::AtStart,
        .store = [](LoadedConfig& config, const Value& value) -> std::string {
            config.journal_keep_bytes = value.number;
            return {};
        }},
};

constexpr std::array kLog{
    Key{.name = "level",
        .type = KeyType::Choice,
        .default_text = "\"info\"",
        .help = "The least important kind of line that is written. No level above debug has a line "
                "for each message or "
                "call.",
        .choices = "debug|info|warning|error",
        .store = [](LoadedConfig& config, const Value& value) -> std::string {
            config.log_level = split_choices("debug|info|warning|error")[value.number];
            return {};
        }},
    Key{.name = "file",
        .type = KeyType::Text,
        .default_text = "",
        .help = "The file to which lines are appended. By default they go to standard error.",
        .when = When::AtStart,
        .store = [](LoadedConfig& config, const Value& value) -> std::string {
            config.log_file = value.text;
            return {};
        }},
};

void begin_listener(LoadedConfig& config) {
    config.settings.listeners.emplace_back();
    config.listen_security.emplace_back();
}
void begin_trusted(LoadedConfig& config) {
    config.settings.trusted.emplace_back();
}

constexpr std::array kSections{
    Section{"", SectionKind::Top, "Keys at the top of the file, before the first section.", kTop},
    Section{"listen", SectionKind::ArrayOfTables,
            "Where the server listens: one [[listen]] for each address and transport. Without any: "
            "UDP and TCP port 5060 "
            "on all addresses, IPv4 and IPv6.",
            kListen, begin_listener},
    Section{"tls", SectionKind::Table, "Whom the server believes when TLS names a peer.", kTls},
    Section{"store", SectionKind::Table, "What is kept beyond a restart, and where.", kStore},
    Section{"registrar", SectionKind::Table, "How phones register.", kRegistrar},
    Section{"auth", SectionKind::Table, "How users prove who they are.", kAuth},
    Section{
        "trusted", SectionKind::ArrayOfTables,
        "Peers that need no credentials, may be relayed to anywhere, may register any address "
        "of record, and whose word on who is calling (P-Asserted-Identity) is passed on: one "
        "[[trusted]] for each. Of its keys, all that are given must be right; network, listener "
        "or identity must be. A datagram's source address can be forged: trust only networks "
        "whose border you guard.",
        kTrusted, begin_trusted},
    Section{"proxy", SectionKind::Table, "How requests are forwarded.", kProxy},
    Section{"forking", SectionKind::Table,
            "In which order the contacts of one user are tried. A request other than INVITE rings "
            "nowhere: its next group begins when the one before it has failed, or after timer t2.",
            kForking},
    Section{"resolver", SectionKind::Table,
            "How names are looked up (NAPTR, SRV, A and AAAA), and next hops that fail avoided.",
            kResolver},
    Section{"timers", SectionKind::Table,
            "The timers of RFC 3261 table 4 and RFC 6026, each from 1ms to 1h. A value shorter "
            "than the RFC allows is taken "
            "with a warning.",
            kTimers},
    Section{"limits", SectionKind::Table, "What the server never exceeds.", kLimits},
    Section{"records", SectionKind::Table, "Call records.", kRecords},
    Section{"journal", SectionKind::Table,
            "The journal: every call and every change of a registration is written to it at once, "
            "and the database follows "
            "from it.",
            kJournal},
    Section{"log", SectionKind::Table, "The log: one event a line, as key=value.", kLog},
};

std::string join_choices(std::string_view choices, std::string_view last_word) {
    const auto all = split_choices(choices);
    std::string out;
    for (size_t i = 0; i < all.size(); ++i) {
        if (i != 0) out += i + 1 == all.size() ? " " + std::string(last_word) + " " : ", ";
        out += "\"" + std::string(all[i]) + "\"";
    }
    return out;
}

std::string range_of(const Key& key) {
    switch (key.type) {
        case KeyType::Integer:
            return std::to_string(key.min) + " to " + std::to_string(key.max);
        case KeyType::Duration:
        case KeyType::Seconds: {
            const auto format_ms = [](uint64_t ms) {
                return format_duration(std::chrono::milliseconds(static_cast<int64_t>(ms)));
            };
            return format_ms(key.min) + " to " + format_ms(key.max);
        }
        case KeyType::Bytes:
            return format_bytes(key.min) + " to " + format_bytes(key.max);
        case KeyType::Text:
        case KeyType::TextList:
        case KeyType::Texts:
        case KeyType::Boolean:
        case KeyType::Choice:
        case KeyType::ChoiceList:
            break;
    }
    return {};
}

}  // namespace

std::span<const Section> sections() {
    return kSections;
}

std::vector<std::string_view> split_choices(std::string_view choices) {
    std::vector<std::string_view> all;
    while (!choices.empty()) {
        const size_t end = std::min(choices.find('|'), choices.size());
        all.push_back(choices.substr(0, end));
        choices.remove_prefix(std::min(end + 1, choices.size()));
    }
    return all;
}

std::string expectation(const Key& key) {
    switch (key.type) {
        case KeyType::Text:
            return "expected a text in double quotes";
        case KeyType::TextList:
            return "expected a list of texts, such as [\"example.test\"]";
        case KeyType::Texts:
            return "expected a text in double quotes, or a list of at least one";
        case KeyType::Boolean:
            return "expected true or false";
        case KeyType::Integer:
            return "expected a whole number from " + range_of(key);
        case KeyType::Duration:
            return "expected a duration from " + range_of(key) +
                   ", such as \"500ms\", \"60s\", \"5m\", \"1h\" or \"1d\"";
        case KeyType::Seconds:
            return "expected a duration of whole seconds from " + range_of(key) +
                   ", such as \"60s\", \"5m\" or \"1h\"";
        case KeyType::Bytes:
            return "expected a size from " + range_of(key) + ", such as \"64MiB\" or \"10GiB\"";
        case KeyType::Choice:
            return "expected " + join_choices(key.choices, "or");
        case KeyType::ChoiceList:
            return "expected a list of at least one of " + join_choices(key.choices, "and") +
                   ", each at most once";
    }
    return {};
}

std::string type_text(const Key& key) {
    switch (key.type) {
        case KeyType::Text:
            return "text";
        case KeyType::TextList:
            return "list of texts";
        case KeyType::Texts:
            return "text, or list of texts";
        case KeyType::Boolean:
            return "true or false";
        case KeyType::Integer:
            return "number, " + range_of(key);
        case KeyType::Duration:
            return "duration, " + range_of(key);
        case KeyType::Seconds:
            return "duration in whole seconds, " + range_of(key);
        case KeyType::Bytes:
            return "size, " + range_of(key);
        case KeyType::Choice:
            return join_choices(key.choices, "or");
        case KeyType::ChoiceList:
            return "list of " + join_choices(key.choices, "and");
    }
    return {};
}

}  // namespace signalbox::config
