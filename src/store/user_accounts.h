// The users in the database as the command line changes them, also while the server runs.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ports/user_record.h"
#include "store/sqlite.h"
#include "store/user_csv.h"

namespace signalbox::store {

/// For which realm passwords are hashed, and which domain stands behind the @ for phones that send
/// it with the user name.
struct RealmOfUsers {
    std::string realm;
    std::string domain;
};

/// A user with the hashes of his password. `name` as in a SIP address, escapes not needed.
ports::UserRecord make_user(std::string_view name, std::string_view password,
                            const RealmOfUsers& realm);
/// The same for many, with one set of hash contexts.
std::vector<ports::UserRecord> make_users(const std::vector<UserLine>& lines,
                                          const RealmOfUsers& realm);

/// One command at a time; each change is one transaction. Waits up to kCommandBusyTimeout for the
/// database.
class UserAccounts final {
 public:
    static Outcome<UserAccounts> open(const std::string& data_dir);

    /// Users that exist, sorted by name.
    Outcome<std::vector<ports::UserRecord>> list();
    Outcome<std::optional<ports::UserRecord>> find(std::string_view name);
    /// True when no user was ever added, removed ones included.
    Outcome<bool> is_untouched();
    /// Adds users, or gives those who exist their new password; addresses of users who exist stay.
    /// All or none.
    Outcome<void> import(const std::vector<ports::UserRecord>& users);
    /// Writes one user as it is, its addresses too.
    Outcome<void> put(const ports::UserRecord& user);
    /// False when there is no such user.
    Outcome<bool> remove(std::string_view name);

 private:
    explicit UserAccounts(std::unique_ptr<sqlite::Database> database)
        : database_(std::move(database)) {}
    std::unique_ptr<sqlite::Database> database_;
};

}  // namespace signalbox::store
