// The one table of configuration keys, joined from its sections: the checks, the error messages and
// docs/configuration.md come from it.
#pragma once

#include <span>

#include "config/key.h"

namespace signalbox::config {

/// In the order of the documentation; the top of the file is the first.
std::span<const Section* const> sections();

}  // namespace signalbox::config
