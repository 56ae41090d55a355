// Users as rows of the database: read by the server, written by the command line.
#include "store/user_rows.h"

#include <string>

#include "base/result.h"

namespace signalbox::store {

namespace {

constexpr std::string_view kSelect =
    "SELECT tenant, name, realm, domain, md5, sha256, sha512_256, domain_md5, domain_sha256, "
    "domain_sha512_256, is_removed FROM users WHERE change > ?1 AND is_removed <= ?2 "
    "ORDER BY change";
constexpr std::string_view kSelectAddresses =
    "SELECT address FROM user_addresses WHERE tenant = ? AND name = ?";
constexpr std::string_view kInsert =
    "INSERT INTO users (tenant, name, realm, domain, md5, sha256, sha512_256, domain_md5, "
    "domain_sha256, domain_sha512_256, change, is_removed) VALUES (?,?,?,?,?,?,?,?,?,?,?,?) "
    "ON CONFLICT (tenant, name) DO UPDATE SET realm = excluded.realm, domain = excluded.domain, "
    "md5 = excluded.md5, sha256 = excluded.sha256, sha512_256 = excluded.sha512_256, "
    "domain_md5 = excluded.domain_md5, domain_sha256 = excluded.domain_sha256, "
    "domain_sha512_256 = excluded.domain_sha512_256, change = excluded.change, "
    "is_removed = excluded.is_removed";

/// A user who comes again has nothing of what an earlier one of his name was granted.
constexpr std::string_view kForgetAddressesOfRemoved =
    "DELETE FROM user_addresses WHERE tenant = ?1 AND name = ?2 AND EXISTS (SELECT 1 FROM users "
    "WHERE tenant = ?1 AND name = ?2 AND is_removed)";

Outcome<void> write_addresses(sqlite::Database& database, const ports::UserRecord& user) {
    auto clear = database.prepare("DELETE FROM user_addresses WHERE tenant = ? AND name = ?");
    if (!clear) return tl::unexpected(clear.error());
    if (!clear->reset().bind(user.tenant).bind_text(user.name).run()) {
        return tl::unexpected(database.trouble());
    }
    auto insert = database.prepare("INSERT OR IGNORE INTO user_addresses VALUES (?, ?, ?)");
    if (!insert) return tl::unexpected(insert.error());
    for (const std::string& address : user.addresses) {
        insert->reset().bind(user.tenant).bind_text(user.name).bind_text(address);
        if (!insert->run()) return tl::unexpected(database.trouble());
    }
    return {};
}

}  // namespace

Outcome<std::vector<ports::UserRecord>> read_users(sqlite::Database& database, uint64_t after,
                                                   RemovedUsers removed) {
    auto select = database.prepare(kSelect);
    if (!select) return tl::unexpected(select.error());
    auto select_addresses = database.prepare(kSelectAddresses);
    if (!select_addresses) return tl::unexpected(select_addresses.error());
    std::vector<ports::UserRecord> users;
    database.clear();
    select->reset().bind(after).bind(removed == RemovedUsers::Included ? 1 : 0);
    while (select->step()) {
        ports::UserRecord user;
        user.tenant = static_cast<ports::TenantId>(select->integer(0));
        user.name = select->text(1);
        user.realm = select->text(2);
        user.domain = select->text(3);
        for (int i = 0; i < 3; ++i) {
            user.ha1.plain[static_cast<size_t>(i)] = select->text(4 + i);
            user.ha1.with_domain[static_cast<size_t>(i)] = select->text(7 + i);
        }
        user.is_removed = select->integer(10) != 0;
        select_addresses->reset().bind(user.tenant).bind_text(user.name);
        while (select_addresses->step()) user.addresses.push_back(select_addresses->text(0));
        users.push_back(std::move(user));
    }
    if (!database.is_ok()) return tl::unexpected(database.trouble());
    return users;
}

Outcome<uint64_t> last_user_change(sqlite::Database& database) {
    auto select = database.prepare("SELECT coalesce(max(change), 0) FROM users");
    if (!select) return tl::unexpected(select.error());
    if (!select->step()) return tl::unexpected(database.trouble());
    return select->natural(0);
}

Outcome<void> write_users(sqlite::Database& database, const std::vector<ports::UserRecord>& users,
                          Addresses addresses) {
    auto change = last_user_change(database);
    if (!change) return tl::unexpected(change.error());
    auto forget = database.prepare(kForgetAddressesOfRemoved);
    if (!forget) return tl::unexpected(forget.error());
    auto insert = database.prepare(kInsert);
    if (!insert) return tl::unexpected(insert.error());
    for (const ports::UserRecord& user : users) {
        if (!forget->reset().bind(user.tenant).bind_text(user.name).run())
            return tl::unexpected(database.trouble());
        insert->reset().bind(user.tenant).bind_text(user.name).bind_text(user.realm);
        insert->bind_text(user.domain);
        for (const std::string& ha1 : user.ha1.plain) insert->bind_blob(ha1);
        for (const std::string& ha1 : user.ha1.with_domain) insert->bind_blob(ha1);
        insert->bind(++*change).bind(user.is_removed ? 1 : 0);
        if (!insert->run()) return tl::unexpected(database.trouble());
        if (addresses == Addresses::Replace) TRY(write_addresses(database, user));
    }
    return {};
}

}  // namespace signalbox::store
