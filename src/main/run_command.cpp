// signalbox run and signalbox check.
#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <iostream>
#include <set>

#include "base/result.h"
#include "config/machine.h"
#include "main/commands.h"
#include "main/context.h"
#include "node/certificates.h"
#include "node/run_server.h"
#include "sinks/log.h"
#include "store/data_dir.h"
#include "store/user_csv.h"

namespace signalbox::cli {

namespace {

/// The address at which a phone in the same network reaches the server.
std::string reachable_address() {
    const std::vector<IpAddress> addresses = config::own_addresses();
    for (const IpAddress& address : addresses) {
        if (address.family == Family::V4 && !address.is_loopback()) return address.to_string();
    }
    return "127.0.0.1";
}

/// How this program is called where it was started: by its path, or by the script that started it.
std::string own_command() {
    const char* script = std::getenv("SIGNALBOX_COMMAND");
    return script != nullptr && *script != '\0' ? script : program_invocation_name;
}

void tell_how_to_register(const std::vector<store::UserLine>& users, const std::string& address) {
    const std::string command = "  " + own_command() + " ";
    std::cout << "\nTwo users were made for a first call. Their passwords are shown this once:\n\n"
              << "  server   " << address << "  (UDP or TCP, port 5060)\n";
    for (const store::UserLine& user : users) {
        std::cout << "  user     " << user.name
                  << std::string(8 - std::min<size_t>(7, user.name.size()), ' ') << "password  "
                  << user.password << '\n';
    }
    std::cout << "\nIn a softphone, register as sip:" << users[0].name << "@" << address
              << " with this user and password, in another one as\nsip:" << users[1].name << "@"
              << address << "; then call " << users[1].name << " from the first. Afterwards see:\n"
              << command << "registrations          who is registered\n"
              << command << "calls                  what was called\n"
              << command << "user passwd " << users[0].name << "      set another password\n"
              << command << "user add carol         one more user\n\n"
              << std::flush;
}

/// Without a configuration the first start makes two users, so that there is somebody to call.
store::Outcome<void> make_first_users(const config::LoadedConfig& config,
                                      store::UserAccounts& accounts,
                                      const store::RealmOfUsers& realm) {
    if (config.has_file()) return {};
    const auto is_untouched = accounts.is_untouched();
    if (!is_untouched) return tl::unexpected(is_untouched.error());
    if (!*is_untouched) return {};
    const std::vector<store::UserLine> users{{1, "alice", make_password()},
                                             {2, "bob", make_password()}};
    TRY(accounts.import(store::make_users(users, realm)));
    tell_how_to_register(users, reachable_address());
    return {};
}

store::Outcome<void> prepare_users(const config::LoadedConfig& config) {
    const auto realm = realm_of(config);
    if (!realm) return tl::unexpected(realm.error());
    if (config.engine != config::StoreEngine::Sqlite) return {};
    auto accounts = store::UserAccounts::open(config.data_dir);
    if (!accounts) return tl::unexpected(accounts.error());
    TRY(make_first_users(config, *accounts, *realm));
    const std::string warning = foreign_realm_warning(*accounts, realm->realm);
    if (!warning.empty()) std::cerr << "Warning: " << warning << '\n';
    return {};
}

void print_warnings(const config::LoadedConfig& config) {
    for (const std::string& warning : config.warnings) std::cerr << "Warning: " << warning << '\n';
}

}  // namespace

int run(const std::string& config_file, const std::string& version) {
    const auto config = load(config_file);
    if (!config) return kFailed;
    print_warnings(*config);
    std::string trouble;
    const auto log =
        sinks::Log::open({sinks::parse_log_level(config->log_level), config->log_file}, trouble);
    if (log == nullptr) return fail(trouble);
    std::cout << "Signalbox " << version << ", data in " << config->data_dir << ", "
              << (config->has_file() ? "configuration " + config->file : "no configuration file")
              << ".\n"
              << std::flush;
    const auto prepared = prepare_users(*config);
    if (!prepared) return fail(prepared.error().text);
    node::RunOptions options;
    options.version = version;
    options.log = log.get();
    options.progress = [](std::string_view line) {
        const bool is_error = line.substr(0, 7) == "Error: ";
        (is_error ? std::cerr : std::cout) << line << '\n' << std::flush;
    };
    return node::run_server(*config, options);
}

int check(const std::string& config_file) {
    const auto config = load(config_file);
    if (!config) return kFailed;
    print_warnings(*config);
    if (const auto certificates = node::check_certificates(*config); !certificates) {
        return fail(certificates.error().text);
    }
    if (config->engine == config::StoreEngine::Memory && !config->users_file.empty()) {
        const auto users = store::read_users_file(config->users_file);
        if (!users) return fail(users.error().text);
    }
    const ports::Snapshot& settings = config->settings;
    std::cout << (config->has_file() ? config->file
                                     : "There is no configuration file; the defaults")
              << ": right.\n";
    for (const transport::Listener& listener : settings.listeners) {
        std::cout << "  listens on " << transport::transport_name(listener.transport) << " "
                  << listener.bound.to_string() << '\n';
    }
    for (const std::string& domain : settings.domains) std::cout << "  serves " << domain << '\n';
    std::cout << "  keeps its data in " << config->data_dir << '\n';
    return kOk;
}

}  // namespace signalbox::cli
