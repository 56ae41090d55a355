// The tables of data_dir/signalbox.db, and how an older database becomes a current one.
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "store/sqlite.h"

namespace signalbox::store {

std::string database_path(const std::string& data_dir);

/// Opens data_dir/signalbox.db in WAL mode, makes it when it does not exist, and applies the
/// migrations that it does not have. A failure also when it was written by a newer program.
Outcome<std::unique_ptr<sqlite::Database>> open_database(const std::string& data_dir,
                                                         std::chrono::milliseconds busy_timeout);

/// Another program or a person may hold the database for this long before a command gives up.
inline constexpr std::chrono::milliseconds kCommandBusyTimeout{5000};

}  // namespace signalbox::store
