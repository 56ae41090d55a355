// What is wrong with keys that are right each by itself: what one says of another.
#pragma once

#include <toml++/toml.h>

#include "config/config.h"

namespace signalbox::config {

/// The faults of `config`, which `root` has said. A fault has the line of the key that it names
/// first, or of the table.
ConfigErrors check_together(const LoadedConfig& config, const toml::table& root);

}  // namespace signalbox::config
