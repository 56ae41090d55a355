// The tables of data_dir/signalbox.db, and how an older database becomes a current one.
#include "store/schema.h"

#include <array>

#include "base/result.h"

namespace signalbox::store {

namespace {

/// In order; a database's user_version says how many it has.
constexpr std::array kMigrations{
#include "store/migrations/0001_tables.sql"
    ,
#include "store/migrations/0002_record_count.sql"
};

Outcome<int64_t> user_version(sqlite::Database& database) {
    auto statement = database.prepare("PRAGMA user_version");
    if (!statement) return tl::unexpected(statement.error());
    if (!statement->step()) return tl::unexpected(database.trouble());
    return statement->integer(0);
}

Outcome<void> migrate(sqlite::Database& database, const std::string& path) {
    TRY(database.execute("BEGIN IMMEDIATE"));
    const auto version = user_version(database);
    if (!version) return tl::unexpected(version.error());
    const auto known = static_cast<int64_t>(kMigrations.size());
    if (*version > known) {
        return failure("The database " + path +
                       " was written by a newer signalbox (its version is " +
                       std::to_string(*version) + ", this program knows " + std::to_string(known) +
                       "). Use the newer program.");
    }
    for (auto next = *version; next < known; ++next) {
        TRY(database.execute(kMigrations[static_cast<size_t>(next)]));
    }
    TRY(database.execute("PRAGMA user_version = " + std::to_string(known)));
    return database.execute("COMMIT");
}

}  // namespace

std::string database_path(const std::string& data_dir) {
    return data_dir + "/signalbox.db";
}

Outcome<std::unique_ptr<sqlite::Database>> open_database(const std::string& data_dir,
                                                         std::chrono::milliseconds busy_timeout) {
    const std::string path = database_path(data_dir);
    auto database = sqlite::Database::open(path, sqlite::Database::Mode::ReadWrite, busy_timeout);
    if (!database) return database;
    // NORMAL: a loss of power may take the last transactions, never the database; the journal has
    // them.
    TRY((*database)->execute("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;"));
    const auto version = user_version(**database);
    if (!version) return tl::unexpected(version.error());
    if (*version != static_cast<int64_t>(kMigrations.size())) TRY(migrate(**database, path));
    return database;
}

}  // namespace signalbox::store
