// The keys of [log].
#include <array>

#include "config/key_entry.h"
#include "config/key_sections.h"

namespace signalbox::config {

namespace {

constexpr std::string_view kLevels = "debug|info|warning|error";

std::string store_level(LoadedConfig& config, const Value& value) {
    config.log_level = split_choices(kLevels)[value.number];
    return {};
}

constexpr std::array kKeys{
    Key{.name = "level",
        .type = KeyType::Choice,
        .default_text = "\"info\"",
        .help = "The least important kind of line that is written. No level above debug has a line "
                "for each message or call.",
        .choices = kLevels,
        .store = store_level},
    Key{.name = "file",
        .type = KeyType::Text,
        .help = "The file to which lines are appended. By default they go to standard error.",
        .when = When::AtStart,
        .store = store_at<&LoadedConfig::log_file>},
};

}  // namespace

constinit const Section kLogSection{"log", SectionKind::Table,
                                    "The log: one event a line, as key=value.", kKeys};

}  // namespace signalbox::config
