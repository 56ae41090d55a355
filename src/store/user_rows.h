// Users as rows of the database: read by the server, written by the command line.
#pragma once

#include <cstdint>
#include <vector>

#include "ports/user_record.h"
#include "store/sqlite.h"

namespace signalbox::store {

enum class RemovedUsers : uint8_t { LeftOut, Included };
/// The users whose change number is greater than `after`, in the order of changes. Of removed ones
/// the name and the addresses that they had.
Outcome<std::vector<ports::UserRecord>> read_users(sqlite::Database& database, uint64_t after,
                                                   RemovedUsers removed);
/// The number of the latest change; 0: no user was ever written.
Outcome<uint64_t> last_user_change(sqlite::Database& database);

/// Whether the addresses of a user who exists are replaced by the record's or stay.
enum class Addresses : uint8_t { Replace, Keep };
/// Writes users, new or not, each with the next change number. Within the caller's transaction.
Outcome<void> write_users(sqlite::Database& database, const std::vector<ports::UserRecord>& users,
                          Addresses addresses);

}  // namespace signalbox::store
