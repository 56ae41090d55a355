// The keys of [overload].
#include <array>

#include "config/key_entry.h"
#include "config/key_sections.h"

namespace signalbox::config {

namespace {

using ports::OverloadSettings;
using ports::Snapshot;

std::string store_retry_after(LoadedConfig& config, const Value& value) {
    config.settings.overload.retry_after_s = value.seconds();
    return {};
}

constexpr std::array kKeys{
    Key{.name = "enabled",
        .type = KeyType::Boolean,
        .default_text = "true",
        .help = "Whether new work is refused with 503 while messages wait longer than "
                "delay_target. Without it everything is taken, late. Tables that are nearly full "
                "(see transactions_max) refuse new work all the same.",
        .store = store_setting<&Snapshot::overload, &OverloadSettings::is_enabled>},
    Key{.name = "delay_target",
        .type = KeyType::Duration,
        .default_text = "\"30ms\"",
        .help = "How long messages may wait before they are handled, as a lasting mean. A shorter "
                "one refuses earlier, a longer one makes calls ring later.",
        .min = 5,
        .max = kSecond,
        .store = store_setting<&Snapshot::overload, &OverloadSettings::delay_target>},
    Key{.name = "retry_after",
        .type = KeyType::Seconds,
        .default_text = "\"5s\"",
        .help = "After what time those who were refused are asked to come again: drawn between "
                "this and twice of it, so that they do not all come at once.",
        .min = kSecond,
        .max = kHour,
        .store = store_retry_after},
};

}  // namespace

constinit const Section kOverloadSection{
    "overload", SectionKind::Table,
    "What the server does when more comes than it can handle. New OPTIONS, SUBSCRIBE and PUBLISH "
    "are refused first, then registrations, then calls and messages, each by the share that is too "
    "much; last, new datagrams are dropped unread. What belongs to a call in progress is never "
    "refused, nor are calls to urn:service:sos.",
    kKeys};

}  // namespace signalbox::config
