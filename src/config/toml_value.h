// One value of a TOML file, read as the type that a key wants.
#pragma once

#include <toml++/toml.h>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "config/key.h"

namespace signalbox::config {

/// Nothing when `node` has another type than `key`, or lies outside the key's range or choices.
std::optional<Value> read_value(const Key& key, const toml::node& node);

/// The value as it stands in the file, for messages and comparisons.
std::string as_written(const toml::node& node);

uint32_t line_of(const toml::node& node);
/// The line of `key` in [section]; 0: it does not stand there.
uint32_t line_of(const toml::table& root, std::string_view section, std::string_view key);

}  // namespace signalbox::config
