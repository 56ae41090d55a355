// The keys at the top of the file.
#include <algorithm>
#include <array>

#include "base/text.h"
#include "config/host_text.h"
#include "config/key_entry.h"
#include "config/key_sections.h"

namespace signalbox::config {

namespace {

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

std::string store_data_dir(LoadedConfig& config, const Value& value) {
    if (value.text.empty()) return "it is empty";
    config.data_dir = value.text;
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

constexpr std::array kKeys{
    Key{.name = "domains",
        .type = KeyType::TextList,
        .help = "The domains whose addresses of record live here. They need not exist in DNS. The "
                "addresses at which the server listens are its own besides these. Without a "
                "configuration file: the machine's host name, and localhost. All domains have the "
                "same users. A phone gives its user name alone as digest username; of names with a "
                "domain only that with the domain that stood first when the password was set is "
                "known, any other is answered as a wrong password.",
        .store = store_domains},
    Key{.name = "data_dir",
        .type = KeyType::Text,
        .default_text = "\"data\"",
        .help = "The directory of the database, the journal, the keys and the control socket. It "
                "is made when it does not exist, and only its owner may read it. One server at a "
                "time uses it.",
        .when = When::AtStart,
        .store = store_data_dir},
    Key{.name = "shards",
        .type = KeyType::Integer,
        .default_text = "0",
        .help = "How many threads carry calls. 0: one for each CPU on which the process may run.",
        .max = 64,
        .when = When::AtStart,
        .store = store_at<&LoadedConfig::shards>},
    Key{.name = "shutdown_max",
        .type = KeyType::Duration,
        .default_text = "\"5s\"",
        .help = "After SIGTERM new calls are refused; the server ends when nothing is in progress "
                "any more, and at the latest after this time. Shortly before, calls that are still "
                "not answered end with 503.",
        .max = kHour,
        .store = store_at<&LoadedConfig::shutdown_max>},
    Key{.name = "server_name",
        .type = KeyType::Text,
        .default_text = "\"Signalbox\"",
        .help = "The Server header field of the server's own responses. An empty text leaves the "
                "field out.",
        .store = store_server_name},
};

}  // namespace

constinit const Section kTopSection{
    "", SectionKind::Top, "Keys at the top of the file, before the first section.", kKeys};

}  // namespace signalbox::config
