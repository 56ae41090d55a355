// The keys that say which peer is meant, for every section that speaks of peers.
#pragma once

#include <array>
#include <string>

#include "base/text.h"
#include "config/host_text.h"
#include "config/key.h"

namespace signalbox::config {

/// Where the value goes: the peer that is being read.
using PeerOf = ports::PeerMatch& (*)(LoadedConfig&);

template <PeerOf peer>
std::string store_network(LoadedConfig& config, const Value& value) {
    const auto network = Network::parse(value.text);
    if (!network) {
        return "\"" + value.text +
               "\" is no network; expected for example \"192.0.2.0/24\" or "
               "\"2001:db8::/32\", with all bits behind the prefix 0";
    }
    peer(config).network = *network;
    return {};
}

template <PeerOf peer>
std::string store_listener(LoadedConfig& config, const Value& value) {
    const auto endpoint = Endpoint::parse(value.text);
    if (!endpoint) {
        return "\"" + value.text +
               "\" is no address of a [[listen]]; expected for example \"192.0.2.1:5060\"";
    }
    peer(config).listener = *endpoint;
    return {};
}

template <PeerOf peer>
std::string store_transport(LoadedConfig& config, const Value& value) {
    transport::Transport transport{};
    if (!transport::parse_transport(value.text, transport)) {
        return "\"" + value.text + "\" is no transport; expected one that a [[listen]] has";
    }
    peer(config).transport = transport;
    return {};
}

template <PeerOf peer>
std::string store_identity(LoadedConfig& config, const Value& value) {
    if (!is_host(value.text)) return "\"" + value.text + "\" is no domain";
    peer(config).identity = text::to_lower(value.text);
    return {};
}

template <PeerOf peer>
inline constexpr std::array kPeerKeys{
    Key{.name = "network",
        .type = KeyType::Text,
        .help = "The network of the peer: an address or a network, such as 192.0.2.0/24 or "
                "2001:db8::/32.",
        .store = store_network<peer>},
    Key{.name = "listener",
        .type = KeyType::Text,
        .help = "The address of a [[listen]] through which the peer comes: for a network behind an "
                "interface of its own.",
        .store = store_listener<peer>},
    Key{.name = "transport",
        .type = KeyType::Text,
        .help = "The transport by which the peer comes, named as in [[listen]]. Over udp a source "
                "address can be forged, over the others it cannot.",
        .store = store_transport<peer>},
    Key{.name = "identity",
        .type = KeyType::Text,
        .help = "The domain for which the peer's TLS certificate must have been verified, such as "
                "\"carrier.example.org\".",
        .store = store_identity<peer>},
};

}  // namespace signalbox::config
