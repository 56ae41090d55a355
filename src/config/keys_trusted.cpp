// The keys of one [[trusted]].
#include "config/key_sections.h"
#include "config/peer_keys.h"

namespace signalbox::config {

namespace {

void begin_trusted(LoadedConfig& config) {
    config.settings.trusted.emplace_back();
}

ports::PeerMatch& last_trusted(LoadedConfig& config) {
    return config.settings.trusted.back();
}

}  // namespace

constinit const Section kTrustedSection{
    "trusted", SectionKind::ArrayOfTables,
    "Peers that need no credentials, may be relayed to anywhere, may register any address of "
    "record, and whose word on who is calling (P-Asserted-Identity) is passed on: one [[trusted]] "
    "for each. Of its keys, all that are given must be right; network, listener or identity must "
    "be. A datagram's source address can be forged: trust only networks whose border you guard.",
    kPeerKeys<last_trusted>, begin_trusted};

}  // namespace signalbox::config
