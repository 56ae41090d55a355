// signalbox user add, list, remove, passwd and import: they write the database, and tell the server
// when one runs.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <set>

#include "base/result.h"
#include "main/commands.h"
#include "main/context.h"
#include "main/control_client.h"
#include "main/text_table.h"
#include "sip/uri.h"
#include "store/user_accounts.h"

namespace signalbox::cli {

namespace {

/// The users of one configuration, ready to be changed.
struct Users {
    const config::LoadedConfig& config;
    store::RealmOfUsers realm;
    store::UserAccounts accounts;
};

store::Outcome<Users> open_users(const config::LoadedConfig& config) {
    if (config.engine == config::StoreEngine::Memory) {
        return store::failure(
            config.users_file.empty()
                ? "The configuration has the memory engine and no users_file. Name one under "
                  "[store]."
                : "The configuration keeps its users in " + config.users_file +
                      ". Edit that file: a running server reads it again by itself.");
    }
    auto realm = realm_of(config);
    if (!realm) return tl::unexpected(realm.error());
    auto accounts = store::UserAccounts::open(config.data_dir);
    if (!accounts) return tl::unexpected(accounts.error());
    return Users{config, std::move(*realm), std::move(*accounts)};
}

/// A server that runs looks for changes each second anyway: a ping that fails does no harm.
void tell_server(const std::string& data_dir) {
    ControlClient server(data_dir);
    if (server.is_connected()) static_cast<void>(server.ask({{"command", "users-changed"}}));
}

std::string unknown_user(const std::string& name) {
    return "There is no user " + name + ". \"signalbox user list\" shows who there is.";
}

std::string joined(const std::vector<std::string>& texts) {
    std::string joined;
    for (const std::string& text : texts) joined += (joined.empty() ? "" : ", ") + text;
    return joined;
}

/// The canonical user part of "+15550100", "tel:+15550100" or "sip:+15550100@example.test".
store::Outcome<std::string> address_of(const std::string& written, const ports::Snapshot& ours) {
    const bool is_bare = written.find(':') == std::string::npos;
    // The parsed URI is views into this text.
    const std::string text = is_bare ? "sip:" + written + "@localhost" : written;
    const auto uri = sip::parse_uri(text);
    if (!uri || uri->user.empty()) {
        return store::failure(
            "\"" + written +
            "\" is no address. Write a user part such as +15550100, or a whole SIP URI.");
    }
    const bool is_in_domain = !is_bare && uri->scheme != sip::Scheme::Tel;
    if (is_in_domain && ours.tenant_of_identity(*uri) == ports::kNoTenant) {
        return store::failure("\"" + written +
                              "\" is no address here: its domain is none of this configuration (" +
                              joined(ours.domains) + "). Nothing was changed.");
    }
    return sip::canonical_user(*uri);
}

/// Runs `change` on the opened users and tells the server when it has succeeded.
template <class Change>
int change_users(const UserOptions& options, Change&& change) {
    const auto config = load(options.config_file);
    if (!config) return kFailed;
    auto users = open_users(*config);
    if (!users) return fail(users.error().text);
    const store::Outcome<std::string> done = change(*users);
    if (!done) return fail(done.error().text);
    tell_server(config->data_dir);
    std::cout << *done << '\n';
    return kOk;
}

std::string shown(const ObtainedPassword& password) {
    return password.is_made ? " The password is " + password.text : "";
}

store::Outcome<std::string> add(Users& users, const UserOptions& options) {
    const std::string fault = store::fault_of_user_name(options.name);
    if (!fault.empty()) return store::failure("The user name " + fault + ".");
    const auto existing = users.accounts.find(options.name);
    if (!existing) return tl::unexpected(existing.error());
    if (*existing) {
        return store::failure("The user " + options.name +
                              " exists already. \"signalbox user passwd " + options.name +
                              "\" gives a new password.");
    }
    std::vector<std::string> addresses;
    for (const std::string& written : options.addresses) {
        auto address = address_of(written, users.config.settings);
        if (!address) return tl::unexpected(address.error());
        addresses.push_back(std::move(*address));
    }
    const auto password = obtain_password(options.password);
    if (!password) return tl::unexpected(password.error());
    ports::UserRecord user = store::make_user(options.name, password->text, users.realm);
    user.addresses = std::move(addresses);
    TRY(users.accounts.put(user));
    std::string told = "The user " + options.name + " was added." + shown(*password);
    if (!user.addresses.empty()) {
        told += "\nThe user may show in From, and register for as long as no user has that name: " +
                joined(user.addresses) + ".";
    }
    for (const std::string& address : user.addresses) {
        const auto holder = users.accounts.find(address);
        if (holder && *holder) {
            told += "\nWarning: " + address + " is a user; " + options.name +
                    " may now call under that name, but not register for it.";
        }
    }
    return told;
}

store::Outcome<std::string> set_password(Users& users, const UserOptions& options) {
    const auto existing = users.accounts.find(options.name);
    if (!existing) return tl::unexpected(existing.error());
    if (!*existing) return store::failure(unknown_user(options.name));
    const auto password = obtain_password(options.password);
    if (!password) return tl::unexpected(password.error());
    TRY(users.accounts.import({store::make_user(options.name, password->text, users.realm)}));
    return "The user " + options.name + " has a new password." + shown(*password);
}

store::Outcome<std::string> remove(Users& users, const UserOptions& options) {
    const auto is_removed = users.accounts.remove(options.name);
    if (!is_removed) return tl::unexpected(is_removed.error());
    if (!*is_removed) return store::failure(unknown_user(options.name));
    return "The user " + options.name + " was removed.";
}

store::Outcome<std::string> read_all(const std::string& file) {
    if (file == "-") return std::string(std::istreambuf_iterator<char>(std::cin), {});
    std::error_code error;
    if (std::filesystem::is_directory(file, error)) {
        return store::failure(file + " is a folder. Name a file with lines of user,password.");
    }
    std::ifstream stream(file, std::ios::binary);
    std::string content(std::istreambuf_iterator<char>(stream), {});
    if (!stream.is_open() || stream.bad())
        return store::failure("The file " + file + " cannot be read.");
    return content;
}

/// The wrong file is wrong in every line: the first ones say enough.
void print_faults(const std::string& file, const std::vector<std::string>& faults) {
    constexpr size_t kShownMax = 20;
    const size_t shown = std::min(faults.size(), kShownMax);
    for (size_t i = 0; i < shown; ++i) std::cerr << file << ": " << faults[i] << '\n';
    if (shown < faults.size())
        std::cerr << file << ": " << faults.size() - shown << " further lines are bad too.\n";
}

store::Outcome<std::string> import(Users& users, const UserOptions& options) {
    const auto content = read_all(options.file);
    if (!content) return tl::unexpected(content.error());
    const auto lines = store::parse_user_csv(*content);
    if (!lines) {
        print_faults(options.file, lines.error());
        return store::failure(
            "Nothing was imported. Mend the lines above and import the file again.");
    }
    const auto existing = users.accounts.list();
    if (!existing) return tl::unexpected(existing.error());
    std::set<std::string_view> names;
    for (const ports::UserRecord& user : *existing) names.insert(user.name);
    size_t known = 0;
    for (const store::UserLine& line : *lines) known += names.count(line.name);
    TRY(users.accounts.import(store::make_users(*lines, users.realm)));
    return "Imported " + std::to_string(lines->size()) +
           (lines->size() == 1 ? " user: " : " users: ") + std::to_string(lines->size() - known) +
           " new, " + std::to_string(known) + " with the password of the file.";
}

}  // namespace

int user_add(const UserOptions& options) {
    return change_users(options, [&options](Users& users) { return add(users, options); });
}

int user_passwd(const UserOptions& options) {
    return change_users(options, [&options](Users& users) { return set_password(users, options); });
}

int user_remove(const UserOptions& options) {
    return change_users(options, [&options](Users& users) { return remove(users, options); });
}

int user_import(const UserOptions& options) {
    return change_users(options, [&options](Users& users) { return import(users, options); });
}

int user_list(const UserOptions& options) {
    const auto config = load(options.config_file);
    if (!config) return kFailed;
    auto opened = open_users(*config);
    if (!opened) return fail(opened.error().text);
    const auto users = opened->accounts.list();
    if (!users) return fail(users.error().text);
    sinks::Json list = sinks::Json::array();
    TextTable table({{"USER", 40}, {"REALM", 40}, {"FURTHER ADDRESSES", 60}});
    for (const ports::UserRecord& user : *users) {
        list.push_back({{"name", user.name}, {"realm", user.realm}, {"addresses", user.addresses}});
        std::string addresses;
        for (const std::string& address : user.addresses)
            addresses += (addresses.empty() ? "" : " ") + address;
        table.add({printable(user.name), printable(user.realm), printable(addresses)});
    }
    if (options.is_json) {
        std::cout << sinks::dump(list) << '\n';
    } else if (table.is_empty()) {
        std::cout << "There are no users. \"signalbox user add NAME\" makes one.\n";
    } else {
        table.print(std::cout);
    }
    const std::string warning = foreign_realm_warning(opened->accounts, opened->realm.realm);
    if (!warning.empty()) std::cerr << "Warning: " << warning << '\n';
    return kOk;
}

}  // namespace signalbox::cli
