// The configuration file as values: read, checked as a whole, and turned into the snapshot that
// calls keep.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

#include "base/time.h"
#include "ports/snapshot.h"

namespace signalbox::config {

enum class StoreEngine : uint8_t { Sqlite, Memory };

/// What a listener wants of its clients' certificates: nothing, one that it may do without, one
/// without which there is no connection.
enum class ClientCertificates : uint8_t { Ignore, Ask, Require };

/// How the connections of one listener are secured.
struct ListenSecurity {
    std::vector<std::string> certificates;  // absolute paths; the first one's key is the first of
    std::vector<std::string> private_keys;  // these. None: self-signed, in data_dir
    std::optional<ClientCertificates> client_certificates;  // nothing: by the transport
    std::vector<std::string> origins;
};

/// A whole, checked configuration. Plain data.
struct LoadedConfig {
    std::string file;      // absolute; empty: started without a configuration
    std::string data_dir;  // absolute
    StoreEngine engine = StoreEngine::Sqlite;
    std::string users_file;  // absolute; empty: none
    uint64_t journal_segment_bytes = uint64_t{64} << 20;
    uint64_t journal_keep_bytes = uint64_t{10} << 30;
    Duration records_keep = std::chrono::hours(365 * 24);  // 0: for ever
    uint64_t records_limit = 20'000'000;                   // 0: none
    std::string log_level = "info";                        // debug, info, warning, error
    std::string log_file;                                  // absolute; empty: standard error
    uint32_t shards = 0;                   // 0: one for each CPU of the affinity mask
    uint32_t transactions_max = 0;         // of each side; 0: by the memory
    std::vector<std::string> dns_servers;  // "192.0.2.53:53"; empty: those of the system
    Duration shutdown_max = std::chrono::seconds(5);
    std::vector<ListenSecurity> listen_security;  // by listener
    bool verify_servers = true;  // the certificates of those to whom we open TLS connections
    std::string ca_file;         // absolute; empty: the authorities that the system trusts
    /// Everything of a snapshot but its version, own_addresses and limits.transactions_max.
    /// auth.realm is empty when neither a realm nor a domain is configured: then it is the name
    /// fixed in data_dir (make_snapshot takes it).
    ports::Snapshot settings;
    /// Every key that takes effect only at a start, with its value as text: what a reload compares.
    std::map<std::string, std::string> start_values;
    std::vector<std::string> warnings;  // whole sentences with file and line

    bool has_file() const { return !file.empty(); }
    /// auth.realm, or `fixed` when it is empty.
    std::string realm_or(std::string_view fixed) const {
        return settings.auth.realm.empty() ? std::string(fixed) : settings.auth.realm;
    }
};

/// One fault: where, what, what was expected. line 0: the file as a whole.
struct ConfigError {
    std::string file;
    uint32_t line = 0;
    std::string text;
    /// "signalbox.toml:7: ...".
    std::string to_string() const;
};
using ConfigErrors = std::vector<ConfigError>;

/// Reads and checks `file`. All faults at once. Relative paths in it are relative to its directory.
tl::expected<LoadedConfig, ConfigErrors> load_config(const std::string& file);
/// As load_config() for a text that stands in `file`.
tl::expected<LoadedConfig, ConfigErrors> parse_config(std::string_view text,
                                                      const std::string& file);
/// What holds without a file: UDP and TCP 5060 on all addresses; the machine's addresses, its host
/// name (from which the realm comes) and localhost as domains; ./data.
LoadedConfig default_config();

/// The snapshot of a configuration. `fixed_realm` is store::fixed_realm(); `own_addresses` are the
/// machine's (machine.h).
std::unique_ptr<ports::Snapshot> make_snapshot(const LoadedConfig& config, uint64_t version,
                                               std::string_view fixed_realm,
                                               std::vector<IpAddress> own_addresses);

/// The names of the keys that differ between the two and take effect only at a start: listen,
/// data_dir, store.engine, ...
std::vector<std::string> changed_keys_that_need_a_restart(const LoadedConfig& running,
                                                          const LoadedConfig& next);

}  // namespace signalbox::config
