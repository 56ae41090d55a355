// The keys of [journal].
#include <array>

#include "config/key_entry.h"
#include "config/key_sections.h"

namespace signalbox::config {

namespace {

constexpr std::array kKeys{
    Key{.name = "segment",
        .type = KeyType::Bytes,
        .default_text = "\"64MiB\"",
        .help = "The size of one file of the journal. Each shard reserves one or two of them on "
                "the disk.",
        .min = kMiB,
        .max = kGiB,
        .when = When::AtStart,
        .store = store_at<&LoadedConfig::journal_segment_bytes>},
    Key{.name = "keep",
        .type = KeyType::Bytes,
        .default_text = "\"10GiB\"",
        .help = "The oldest files of the journal are removed when all together take more than "
                "this, but never before the database has what stands in them. What is kept is what "
                "deleted records come back from. Age removes files too: see keep under [records].",
        .min = kMiB,
        .max = 1024 * kGiB,
        .when = When::AtStart,
        .store = store_at<&LoadedConfig::journal_keep_bytes>},
};

}  // namespace

constinit const Section kJournalSection{
    "journal", SectionKind::Table,
    "The journal: every call and every change of a registration is written to it at once, and the "
    "database follows from it.",
    kKeys};

}  // namespace signalbox::config
