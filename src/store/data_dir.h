// The data directory: who may read it, the name that the realm never leaves, and the keys of our
// tokens.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "crypto/token.h"
#include "store/outcome.h"

namespace signalbox::store {

/// Makes the directory (0700) with its parents when it does not exist. A failure says why.
Outcome<void> make_data_dir(const std::string& data_dir);

/// The realm that this data directory was given at its first start: `host_name` then, the same for
/// ever after, whatever the machine is called later. Kept in data_dir/identity.
Outcome<std::string> fixed_realm(const std::string& data_dir, std::string_view host_name);

/// The keys in data_dir/keys (0600), the current one first (each shard makes its own TokenKeys of
/// them), made at the first start. A current key older than 30 days is
/// replaced by a new one, and stays valid for 24 h; keys past that are dropped. A damaged file is a
/// failure: it is never silently replaced.
Outcome<std::vector<crypto::TokenKey>> load_keys(const std::string& data_dir, WallTime now);

/// Replaces the file at once or not at all; 0600. Nobody sees half of it, and it survives a loss of
/// power.
Outcome<void> write_file_atomically(const std::string& path, std::string_view content);

}  // namespace signalbox::store
