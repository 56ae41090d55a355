// What every command begins with: the configuration, and how it says that something went wrong.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "config/config.h"
#include "store/outcome.h"
#include "store/user_accounts.h"

namespace signalbox::cli {

inline constexpr int kOk = 0;
inline constexpr int kFailed = 1;
inline constexpr int kUsage = 2;

/// Prints "Error: ..." and returns kFailed.
int fail(std::string_view sentence);

/// The configuration of `file`; without a name that of ./signalbox.toml where it exists, else the
/// defaults. Nothing after every fault was printed.
std::optional<config::LoadedConfig> load(const std::string& file);

/// For which realm and domain passwords are hashed. Fixes the realm in data_dir where no domain is
/// configured.
store::Outcome<store::RealmOfUsers> realm_of(const config::LoadedConfig& config);

/// A sentence when users have passwords for another realm than the present one; else empty.
std::string foreign_realm_warning(store::UserAccounts& accounts, const std::string& realm);

}  // namespace signalbox::cli
