// The keys of [records].
#include <array>

#include "config/key_entry.h"
#include "config/key_sections.h"

namespace signalbox::config {

namespace {

constexpr std::array kKeys{
    Key{.name = "call_max",
        .type = KeyType::Duration,
        .default_text = "\"1d\"",
        .help = "An answered call whose end was never seen is recorded as ended after this time.",
        .min = kMinute,
        .max = 30 * kDay,
        .store = store_setting<&ports::Snapshot::limits, &ports::LimitSettings::call_max>},
    Key{.name = "keep",
        .type = KeyType::Duration,
        .default_text = "\"365d\"",
        .help = "The record of a call is removed so long after the call began; files of the "
                "journal in which everything is older go too. Not shorter than call_max. 0s: "
                "nothing is removed because of its age.",
        .min = 0,
        .max = 36500 * kDay,
        .when = When::AtStart,
        .store = store_at<&LoadedConfig::records_keep>},
    Key{.name = "limit",
        .type = KeyType::Integer,
        .default_text = "20000000",
        .help = "How many records are kept: beyond it those of the calls that began first are "
                "removed. A record takes about half a kilobyte on the disk. 0: no limit.",
        .min = 0,
        .max = 1'000'000'000'000,
        .when = When::AtStart,
        .store = store_at<&LoadedConfig::records_limit>},
};

}  // namespace

constinit const Section kRecordsSection{"records", SectionKind::Table, "Call records.", kKeys};

}  // namespace signalbox::config
