// The keys of one [[role]].
#include <algorithm>
#include <array>

#include "config/key_entry.h"
#include "config/key_sections.h"
#include "config/peer_keys.h"
#include "sip/params.h"

namespace signalbox::config {

namespace {

void begin_role(LoadedConfig& config) {
    config.settings.modes.emplace_back();
}

ports::ModeRule& last_role(LoadedConfig& config) {
    return config.settings.modes.back();
}

ports::PeerMatch& last_sender(LoadedConfig& config) {
    return last_role(config).from;
}

std::string store_domain(LoadedConfig& config, const Value& value) {
    if (!is_host(value.text)) return "\"" + value.text + "\" is no domain";
    last_role(config).domain = text::to_lower(value.text);
    return {};
}

std::string store_methods(LoadedConfig& config, const Value& value) {
    for (const std::string& method : value.list) {
        if (!sip::is_token(method)) return "\"" + method + "\" is no method";
        if (method == "ACK" || method == "CANCEL") {
            return method + " always goes the way of its INVITE; name INVITE instead";
        }
        if (method == "REGISTER") return "REGISTER is for the registrar, whatever the role";
    }
    last_role(config).methods = value.list;
    return {};
}

std::string store_mode(LoadedConfig& config, const Value& value) {
    assign(last_role(config).mode, value);
    return {};
}

constexpr std::array kOwnKeys{
    Key{.name = "mode",
        .type = KeyType::Choice,
        .help = "What the server is for these requests: see mode in [proxy].",
        .choices = "stateful|stateless|redirect",
        .is_required = true,
        .store = store_mode},
    Key{.name = "methods",
        .type = KeyType::TextList,
        .help = "The methods that are meant, such as [\"OPTIONS\", \"MESSAGE\"]. By default all. "
                "ACK and CANCEL go the way of their INVITE, REGISTER is always for the registrar.",
        .store = store_methods},
    Key{.name = "domain",
        .type = KeyType::Text,
        .help = "The host that the Request-URI names, such as \"find.example.com\". By default "
                "any.",
        .store = store_domain},
};

constexpr auto join_keys() {
    constexpr auto& peer = kPeerKeys<last_sender>;
    std::array<Key, kOwnKeys.size() + peer.size()> joined{};
    std::copy(kOwnKeys.begin(), kOwnKeys.end(), joined.begin());
    std::copy(peer.begin(), peer.end(), joined.begin() + kOwnKeys.size());
    return joined;
}
constexpr auto kKeys = join_keys();

}  // namespace

constinit const Section kRoleSection{
    "role", SectionKind::ArrayOfTables,
    "What the server is, chosen for each request outside a call that it set up: the first [[role]] "
    "of which all given keys are right decides, and where none is, mode in [proxy].",
    kKeys, begin_role};

}  // namespace signalbox::config
