// The keys of [store].
#include <array>

#include "config/key_entry.h"
#include "config/key_sections.h"

namespace signalbox::config {

namespace {

constexpr std::array kKeys{
    Key{.name = "engine",
        .type = KeyType::Choice,
        .default_text = "\"sqlite\"",
        .help =
            "Where users, bindings and call records are kept. sqlite: in data_dir/signalbox.db. "
            "memory: users come from users_file, bindings and the last 10,000 records are kept in "
            "memory and end with the process; the journal is written all the same.",
        .choices = "sqlite|memory",
        .when = When::AtStart,
        .store = store_at<&LoadedConfig::engine>},
    Key{.name = "users_file",
        .type = KeyType::Text,
        .help = "For the memory engine: the file of users, one user,password a line without a "
                "header line. It is read again when it changes.",
        .when = When::AtStart,
        .store = store_at<&LoadedConfig::users_file>},
};

}  // namespace

constinit const Section kStoreSection{"store", SectionKind::Table,
                                      "What is kept beyond a restart, and where.", kKeys};

}  // namespace signalbox::config
