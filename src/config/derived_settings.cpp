// What follows from the keys that were written: absolute paths, and settings that stand for others.
#include "config/derived_settings.h"

#include <algorithm>
#include <filesystem>
#include <string>

#include "config/default_listeners.h"
#include "config/timer_warnings.h"
#include "config/toml_value.h"

namespace signalbox::config {

namespace {

void make_paths_absolute(LoadedConfig& config) {
    const std::filesystem::path base = std::filesystem::path(config.file).parent_path();
    const auto make_absolute = [&base](std::string& path) {
        if (!path.empty()) path = (base / path).lexically_normal().string();
    };
    for (std::string* path :
         {&config.data_dir, &config.users_file, &config.log_file, &config.ca_file}) {
        make_absolute(*path);
    }
    for (ListenSecurity& security : config.listen_security) {
        for (auto* paths : {&security.certificates, &security.private_keys}) {
            for (std::string& path : *paths) make_absolute(path);
        }
    }
}

/// Whoever sets only the limits need not think of the default between them.
void keep_default_expiry_within_limits(ports::RegistrarSettings& registrar) {
    if (registrar.expires_min_s > registrar.expires_max_s) return;
    registrar.expires_default_s =
        std::clamp(registrar.expires_default_s, registrar.expires_min_s, registrar.expires_max_s);
}

}  // namespace

LoadedConfig derived(LoadedConfig config, const toml::table& root) {
    ports::Snapshot& settings = config.settings;
    make_paths_absolute(config);
    if (settings.auth.realm.empty() && !settings.domains.empty()) {
        settings.auth.realm = settings.domains.front();
    }
    if (settings.listeners.empty()) settings.listeners = default_listeners();
    config.listen_security.resize(settings.listeners.size());
    if (!root["registrar"]["expires_default"]) {
        keep_default_expiry_within_limits(settings.registrar);
    }
    for (const auto& [name, text] : timer_warnings(settings.timers)) {
        const ConfigError warning{config.file, line_of(root, "timers", name), text};
        config.warnings.push_back(warning.to_string());
    }
    if (const auto text = stream_idle_warning(settings)) {
        const bool is_written = bool{root["limits"]["stream_idle_timeout"]};
        const uint32_t line = is_written ? line_of(root, "limits", "stream_idle_timeout")
                                         : line_of(root, "registrar", "expires_max");
        config.warnings.push_back(ConfigError{config.file, line, *text}.to_string());
    }
    settings.timers = settings.timers.resolved();
    return config;
}

}  // namespace signalbox::config
