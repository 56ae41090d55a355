// The users in the database as the command line changes them, also while the server runs.
#include "store/user_accounts.h"

#include <algorithm>

#include "auth/ha1.h"
#include "base/result.h"
#include "store/schema.h"
#include "store/user_rows.h"

namespace signalbox::store {

namespace {

ports::UserRecord make_one(crypto::Digester& digester, std::string_view name,
                           std::string_view password, const RealmOfUsers& realm) {
    ports::UserRecord user;
    user.name = name;
    user.realm = realm.realm;
    user.domain = realm.domain;
    user.ha1 = auth::make_ha1(digester, name, realm.realm, realm.domain, password);
    return user;
}

/// Runs `change` in a transaction that is undone when it fails.
template <class Change>
Outcome<void> in_transaction(sqlite::Database& database, Change&& change) {
    TRY(database.execute("BEGIN IMMEDIATE"));
    Outcome<void> result = change();
    if (result) result = database.execute("COMMIT");
    if (!result) static_cast<void>(database.execute("ROLLBACK"));
    return result;
}

}  // namespace

ports::UserRecord make_user(std::string_view name, std::string_view password,
                            const RealmOfUsers& realm) {
    crypto::Digester digester;
    return make_one(digester, name, password, realm);
}

std::vector<ports::UserRecord> make_users(const std::vector<UserLine>& lines,
                                          const RealmOfUsers& realm) {
    crypto::Digester digester;
    std::vector<ports::UserRecord> users;
    users.reserve(lines.size());
    for (const UserLine& line : lines) {
        users.push_back(make_one(digester, line.name, line.password, realm));
    }
    return users;
}

Outcome<UserAccounts> UserAccounts::open(const std::string& data_dir) {
    auto database = open_database(data_dir, kCommandBusyTimeout);
    if (!database) return tl::unexpected(database.error());
    return UserAccounts(std::move(*database));
}

Outcome<std::vector<ports::UserRecord>> UserAccounts::list() {
    auto users = read_users(*database_, 0, RemovedUsers::LeftOut);
    if (!users) return users;
    std::sort(users->begin(), users->end(),
              [](const auto& a, const auto& b) { return a.name < b.name; });
    return users;
}

Outcome<std::optional<ports::UserRecord>> UserAccounts::find(std::string_view name) {
    auto users = read_users(*database_, 0, RemovedUsers::LeftOut);
    if (!users) return tl::unexpected(users.error());
    for (ports::UserRecord& user : *users) {
        if (user.name == name) return std::optional(std::move(user));
    }
    return std::optional<ports::UserRecord>();
}

Outcome<bool> UserAccounts::is_untouched() {
    const auto change = last_user_change(*database_);
    if (!change) return tl::unexpected(change.error());
    return *change == 0;
}

Outcome<void> UserAccounts::import(const std::vector<ports::UserRecord>& users) {
    return in_transaction(*database_,
                          [&] { return write_users(*database_, users, Addresses::Keep); });
}

Outcome<void> UserAccounts::put(const ports::UserRecord& user) {
    return in_transaction(*database_,
                          [&] { return write_users(*database_, {user}, Addresses::Replace); });
}

Outcome<bool> UserAccounts::remove(std::string_view name) {
    const auto found = find(name);
    if (!found) return tl::unexpected(found.error());
    if (!*found) return false;
    ports::UserRecord removed;
    removed.tenant = (*found)->tenant;
    removed.name = name;
    removed.addresses = (*found)->addresses;  // whose bindings end with his
    removed.is_removed = true;
    TRY(put(removed));
    return true;
}

}  // namespace signalbox::store
