// Test helper: the text of a configuration file as what it means, or as its faults.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "config/config.h"

namespace signalbox::config {

inline constexpr const char* kFile = "/etc/signalbox/signalbox.toml";

/// The configuration that `text` is in kFile; a fault fails the test.
inline LoadedConfig good(std::string_view text) {
    auto config = parse_config(text, kFile);
    if (config) return std::move(*config);
    for (const ConfigError& error : config.error()) ADD_FAILURE() << error.to_string();
    return {};
}

/// "LINE: what is wrong", for each fault.
inline std::vector<std::string> faults(std::string_view text) {
    std::vector<std::string> all;
    const auto config = parse_config(text, kFile);
    if (config) return all;
    for (const ConfigError& error : config.error()) {
        all.push_back(std::to_string(error.line) + ": " + error.text);
    }
    return all;
}

/// The first of them, or "none".
inline std::string fault(std::string_view text) {
    const std::vector<std::string> all = faults(text);
    return all.empty() ? "none" : all.front();
}

}  // namespace signalbox::config
