// The configuration as values: defaults, cross-checks between keys, and the snapshot.
#include "config/config.h"

#include <filesystem>
#include <fstream>
#include <sstream>

#include "config/default_listeners.h"
#include "config/machine.h"

namespace signalbox::config {

namespace {

constexpr uint16_t kSipPort = 5060;
constexpr std::string_view kLocalHost = "localhost";

}  // namespace

std::string ConfigError::to_string() const {
    if (line == 0) return file + ": " + text;
    return file + ":" + std::to_string(line) + ": " + text;
}

std::vector<transport::Listener> default_listeners() {
    std::vector<IpAddress> wildcards{IpAddress::v4(0, 0, 0, 0)};
    if (has_ipv6()) wildcards.push_back(IpAddress::v6({}));
    std::vector<transport::Listener> listeners;
    for (const transport::Transport transport :
         {transport::Transport::Udp, transport::Transport::Tcp}) {
        for (const IpAddress& address : wildcards) {
            transport::Listener listener;
            listener.transport = transport;
            listener.bound = {address, kSipPort};
            listeners.push_back(listener);
        }
    }
    return listeners;
}

LoadedConfig default_config() {
    LoadedConfig config;
    config.data_dir = (std::filesystem::current_path() / "data").string();
    config.settings.server_name = "Signalbox";
    config.settings.domains = {host_name()};
    if (config.settings.domains.front() != kLocalHost) {
        config.settings.domains.emplace_back(kLocalHost);
    }
    config.settings.listeners = default_listeners();
    config.listen_security.resize(config.settings.listeners.size());
    config.settings.timers = config.settings.timers.resolved();
    return config;
}

tl::expected<LoadedConfig, ConfigErrors> load_config(const std::string& file) {
    std::error_code error;
    const std::string absolute = std::filesystem::absolute(file, error).string();
    std::ifstream stream(file, std::ios::binary);
    std::ostringstream content;
    if (stream && !std::filesystem::is_directory(absolute, error)) content << stream.rdbuf();
    if (!stream || std::filesystem::is_directory(absolute, error)) {
        return tl::unexpected(ConfigErrors{
            {file, 0, "the file cannot be read; name an existing one with --config FILE"}});
    }
    auto config = parse_config(content.str(), absolute);
    if (config) return config;
    // People know the name that they wrote.
    for (ConfigError& fault : config.error()) fault.file = file;
    return config;
}

std::unique_ptr<ports::Snapshot> make_snapshot(const LoadedConfig& config, uint64_t version,
                                               std::string_view fixed_realm,
                                               std::vector<IpAddress> own_addresses) {
    auto snapshot = std::make_unique<ports::Snapshot>(config.settings);
    snapshot->version = version;
    snapshot->auth.realm = config.realm_or(fixed_realm);
    snapshot->own_addresses = std::move(own_addresses);
    return snapshot;
}

std::vector<std::string> changed_keys_that_need_a_restart(const LoadedConfig& running,
                                                          const LoadedConfig& next) {
    std::vector<std::string> changed;
    for (const auto& [name, value] : running.start_values) {
        const auto other = next.start_values.find(name);
        if (other == next.start_values.end() || other->second != value) changed.push_back(name);
    }
    for (const auto& [name, value] : next.start_values) {
        if (!running.start_values.contains(name)) changed.push_back(name);
    }
    return changed;
}

}  // namespace signalbox::config
