// The keys of [auth].
#include <algorithm>
#include <array>

#include "config/key_entry.h"
#include "config/key_sections.h"

namespace signalbox::config {

namespace {

std::string store_algorithms(LoadedConfig& config, const Value& value) {
    auto& algorithms = config.settings.auth.algorithms;
    algorithms.clear();
    for (const uint64_t choice : value.choices) {
        algorithms.push_back(static_cast<ports::AuthAlgorithm>(choice));
    }
    return {};
}

std::string store_realm(LoadedConfig& config, const Value& value) {
    const auto is_bad = [](char c) { return c < 0x20 || c == 0x7f || c == '"' || c == '\\'; };
    if (value.text.empty()) return "it is empty";
    if (std::any_of(value.text.begin(), value.text.end(), is_bad)) {
        return "it has a quote, a backslash or a control character";
    }
    config.settings.auth.realm = value.text;
    return {};
}

constexpr std::array kKeys{
    Key{.name = "algorithms",
        .type = KeyType::ChoiceList,
        .default_text = "[\"MD5\"]",
        .help =
            "The digest algorithms offered in a challenge, the preferred one first, each in a "
            "header line of its own. Many phones fail when another one than MD5 is even offered.",
        .choices = "MD5|SHA-256|SHA-512-256",
        .store = store_algorithms},
    Key{.name = "nonce_lifetime",
        .type = KeyType::Duration,
        .default_text = "\"5m\"",
        .help = "How long a challenge may be answered, and only from the address to which it was "
                "sent. Any other answer is challenged again without asking the user.",
        .min = kSecond,
        .max = kDay,
        .store = store_setting<&ports::Snapshot::auth, &ports::AuthSettings::nonce_lifetime>},
    Key{.name = "realm",
        .type = KeyType::Text,
        .help = "The realm for which passwords hold. By default the first domain; without any, the "
                "host name that the machine had at the first start, which stays fixed in data_dir. "
                "Passwords are kept as hashes for one realm: after a change every password must be "
                "set again.",
        .store = store_realm},
};

}  // namespace

constinit const Section kAuthSection{"auth", SectionKind::Table, "How users prove who they are.",
                                     kKeys};

}  // namespace signalbox::config
