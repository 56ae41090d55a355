// What every command begins with: the configuration, and how it says that something went wrong.
#include "main/context.h"

#include <algorithm>
#include <filesystem>
#include <iostream>

#include "base/result.h"
#include "config/machine.h"
#include "store/data_dir.h"

namespace signalbox::cli {

namespace {

constexpr const char* kDefaultFile = "signalbox.toml";

}  // namespace

int fail(std::string_view sentence) {
    std::cerr << "Error: " << sentence << '\n';
    return kFailed;
}

std::optional<config::LoadedConfig> load(const std::string& file) {
    std::error_code error;
    std::string name = file;
    if (name.empty() && std::filesystem::exists(kDefaultFile, error)) name = kDefaultFile;
    if (name.empty()) return config::default_config();
    auto loaded = config::load_config(name);
    if (loaded) return std::move(*loaded);
    for (const config::ConfigError& fault : loaded.error()) std::cerr << fault.to_string() << '\n';
    fail("The configuration " + name + " is refused. docs/configuration.md lists every key.");
    return std::nullopt;
}

store::Outcome<store::RealmOfUsers> realm_of(const config::LoadedConfig& config) {
    TRY(store::make_data_dir(config.data_dir));
    const auto fixed = store::fixed_realm(config.data_dir, config::host_name());
    if (!fixed) return tl::unexpected(fixed.error());
    store::RealmOfUsers realm;
    realm.realm = config.realm_or(*fixed);
    const bool has_domains = config.has_file() && !config.settings.domains.empty();
    realm.domain = has_domains ? config.settings.domains.front() : realm.realm;
    return realm;
}

std::string foreign_realm_warning(store::UserAccounts& accounts, const std::string& realm) {
    const auto users = accounts.list();
    if (!users) return {};
    const auto is_foreign = [&realm](const auto& user) { return user.realm != realm; };
    const auto count = std::count_if(users->begin(), users->end(), is_foreign);
    if (count == 0) return {};
    const auto first = std::find_if(users->begin(), users->end(), is_foreign);
    return std::to_string(count) + " of " + std::to_string(users->size()) +
           " users have passwords for another realm (\"" + first->realm +
           "\") than the present one (\"" + realm +
           "\") and cannot register. Set their passwords again, or set realm under [auth].";
}

}  // namespace signalbox::cli
