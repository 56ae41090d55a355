// docs/configuration.md, made from the table of keys.
#pragma once

#include <string>

namespace signalbox::config {

/// The whole document.
std::string documentation();

}  // namespace signalbox::config
