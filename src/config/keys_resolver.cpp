// The keys of [resolver].
#include <array>

#include "config/key_entry.h"
#include "config/key_sections.h"

namespace signalbox::config {

namespace {

using resolver::ResolverSettings;

template <auto member>
constexpr auto store = store_setting<&ports::Snapshot::resolver, member>;

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

constexpr std::array kKeys{
    Key{.name = "servers",
        .type = KeyType::TextList,
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
        .store = store<&ResolverSettings::lookup_max>},
    Key{.name = "ttl_max",
        .type = KeyType::Duration,
        .default_text = "\"1h\"",
        .help = "Answers are remembered for the time that they say, and at most for this.",
        .max = 7 * kDay,
        .store = store<&ResolverSettings::ttl_max>},
    Key{.name = "negative_ttl_max",
        .type = KeyType::Duration,
        .default_text = "\"5m\"",
        .help = "That a name or a record does not exist is remembered for at most this time.",
        .max = kDay,
        .store = store<&ResolverSettings::negative_ttl_max>},
    Key{.name = "stale_max",
        .type = KeyType::Duration,
        .default_text = "\"1d\"",
        .help =
            "For so long after its end an answer is used while the DNS servers fail. 0s: never.",
        .max = 30 * kDay,
        .store = store<&ResolverSettings::stale_max>},
    Key{.name = "hold_down",
        .type = KeyType::Duration,
        .default_text = "\"30s\"",
        .help = "A next hop that was silent, unreachable or answered 503 is tried after all others "
                "for this time. 0s: failures are not remembered.",
        .max = kDay,
        .store = store<&ResolverSettings::hold_down>},
    Key{.name = "hold_down_max",
        .type = KeyType::Duration,
        .default_text = "\"5m\"",
        .help = "At most this time is granted to the Retry-After of a 503.",
        .max = kDay,
        .store = store<&ResolverSettings::hold_down_max>},
};

}  // namespace

constinit const Section kResolverSection{
    "resolver", SectionKind::Table,
    "How names are looked up (NAPTR, SRV, A and AAAA), and next hops that fail avoided.", kKeys};

}  // namespace signalbox::config
