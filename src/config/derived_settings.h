// What follows from the keys that were written: absolute paths, and settings that stand for others.
#pragma once

#include <toml++/toml.h>

#include "config/config.h"

namespace signalbox::config {

/// `config` with paths relative to the directory of its file, the realm, the listeners where none
/// is named, the default expiry between its limits, the timers that follow from others, and
/// warnings of timers that are too short. `root` is what the file says.
LoadedConfig derived(LoadedConfig config, const toml::table& root);

}  // namespace signalbox::config
