// The keys of [registrar].
#include <array>

#include "config/key_entry.h"
#include "config/key_sections.h"
#include "sip/header_values.h"

namespace signalbox::config {

namespace {

using ports::RegistrarSettings;

template <auto member>
constexpr auto store = store_setting<&ports::Snapshot::registrar, member>;

template <uint32_t RegistrarSettings::*member>
std::string store_seconds(LoadedConfig& config, const Value& value) {
    config.settings.registrar.*member = value.seconds();
    return {};
}

std::string store_nat_keep_alive(LoadedConfig& config, const Value& value) {
    const Duration interval = value.duration();
    if (interval != Duration{} && interval < std::chrono::seconds(1))
        return "must be \"0s\" or at least \"1s\"";
    config.settings.registrar.nat_keep_alive = interval;
    return {};
}

/// A list of name-addrs, each a loose router.
bool is_route(std::string_view text) {
    while (!text.empty()) {
        const auto hop = sip::parse_name_addr(text, ErrorCode::malformed_route, &text);
        if (!hop || !hop->uri.is_sip() || !hop->uri.param("lr")) return false;
    }
    return true;
}

std::string store_service_route(LoadedConfig& config, const Value& value) {
    std::string& service_route = config.settings.registrar.service_route;
    if (value.text == "off") {
        service_route.clear();
        return {};
    }
    if (value.text != ports::kServiceRouteSelf && !is_route(value.text)) {
        return "must be off, self, or Route values such as <sip:proxy.example.com;lr>";
    }
    service_route = value.text;
    return {};
}

constexpr std::array kKeys{
    Key{.name = "expires_default",
        .type = KeyType::Seconds,
        .default_text = "\"1h\"",
        .help = "How long a binding lives when the phone does not say.",
        .min = kSecond,
        .max = 365 * kDay,
        .store = store_seconds<&RegistrarSettings::expires_default_s>},
    Key{.name = "expires_min",
        .type = KeyType::Seconds,
        .default_text = "\"60s\"",
        .help = "A phone that asks for less is refused with 423 and told this time.",
        .min = kSecond,
        .max = 365 * kDay,
        .store = store_seconds<&RegistrarSettings::expires_min_s>},
    Key{.name = "expires_max",
        .type = KeyType::Seconds,
        .default_text = "\"2h\"",
        .help = "A phone that asks for more is given this time.",
        .min = kSecond,
        .max = 365 * kDay,
        .store = store_seconds<&RegistrarSettings::expires_max_s>},
    Key{.name = "contacts_max",
        .type = KeyType::Integer,
        .default_text = "10",
        .help = "How many contacts one address of record may have. A call rings no more.",
        .min = 1,
        .max = 60,
        .store = store<&RegistrarSettings::contacts_max>},
    Key{.name = "expires_spread",
        .type = KeyType::Integer,
        .default_text = "10",
        .help = "A registration longer than 10 minutes is granted up to so many percent less, at "
                "random, so that phones that all came back at one moment do not return together "
                "for ever. Never below expires_min; 0: as asked.",
        .min = 0,
        .max = 10,
        .store = store<&RegistrarSettings::expires_spread_percent>},
    Key{.name = "nat_keep_alive",
        .type = KeyType::Duration,
        .default_text = "\"20s\"",
        .help = "How often the server sends an OPTIONS to a phone that registered over UDP from "
                "behind a NAT, so that its router does not forget it. Phones with a reg-id (RFC "
                "5626) do that themselves. \"0s\": never.",
        .min = 0,
        .max = kHour,
        .store = store_nat_keep_alive},
    Key{.name = "service_route",
        .type = KeyType::Text,
        .default_text = "\"off\"",
        .help = "Where registered phones are told to send their requests (Service-Route, RFC "
                "3608): \"off\", \"self\" for this server as the phone reached it, or Route values "
                "such as \"<sip:proxy.example.com;lr>\".",
        .store = store_service_route},
};

}  // namespace

constinit const Section kRegistrarSection{"registrar", SectionKind::Table, "How phones register.",
                                          kKeys};

}  // namespace signalbox::config
