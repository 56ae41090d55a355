// The keys of one [[trusted]].
#include <array>

#include "base/text.h"
#include "config/host_text.h"
#include "config/key_entry.h"
#include "config/key_sections.h"

namespace signalbox::config {

namespace {

void begin_trusted(LoadedConfig& config) {
    config.settings.trusted.emplace_back();
}

std::string store_network(LoadedConfig& config, const Value& value) {
    const auto network = Network::parse(value.text);
    if (!network) {
        return "\"" + value.text +
               "\" is no network; expected for example \"192.0.2.0/24\" or "
               "\"2001:db8::/32\", with all bits behind the prefix 0";
    }
    config.settings.trusted.back().network = *network;
    return {};
}

std::string store_listener(LoadedConfig& config, const Value& value) {
    const auto endpoint = Endpoint::parse(value.text);
    if (!endpoint) {
        return "\"" + value.text +
               "\" is no address of a [[listen]]; expected for example \"192.0.2.1:5060\"";
    }
    config.settings.trusted.back().listener = *endpoint;
    return {};
}

std::string store_transport(LoadedConfig& config, const Value& value) {
    transport::Transport transport{};
    if (!transport::parse_transport(value.text, transport)) {
        return "\"" + value.text + "\" is no transport; expected one that a [[listen]] has";
    }
    config.settings.trusted.back().transport = transport;
    return {};
}

std::string store_identity(LoadedConfig& config, const Value& value) {
    if (!is_host(value.text)) return "\"" + value.text + "\" is no domain";
    config.settings.trusted.back().identity = text::to_lower(value.text);
    return {};
}

constexpr std::array kKeys{
    Key{.name = "network",
        .type = KeyType::Text,
        .help = "The network of the peer: an address or a network, such as 192.0.2.0/24 or "
                "2001:db8::/32.",
        .store = store_network},
    Key{.name = "listener",
        .type = KeyType::Text,
        .help = "The address of a [[listen]] through which the peer comes: for a network behind an "
                "interface of its own.",
        .store = store_listener},
    Key{.name = "transport",
        .type = KeyType::Text,
        .help = "The transport by which the peer comes, named as in [[listen]]. Over udp a source "
                "address can be forged, over the others it cannot.",
        .store = store_transport},
    Key{.name = "identity",
        .type = KeyType::Text,
        .help = "The domain for which the peer's TLS certificate must have been verified, such as "
                "\"carrier.example.org\".",
        .store = store_identity},
};

}  // namespace

constinit const Section kTrustedSection{
    "trusted", SectionKind::ArrayOfTables,
    "Peers that need no credentials, may be relayed to anywhere, may register any address of "
    "record, and whose word on who is calling (P-Asserted-Identity) is passed on: one [[trusted]] "
    "for each. Of its keys, all that are given must be right; network, listener or identity must "
    "be. A datagram's source address can be forged: trust only networks whose border you guard.",
    kKeys, begin_trusted};

}  // namespace signalbox::config
