// The message for a key that nobody knows: it names the one that was most likely meant.
#pragma once

#include <string>
#include <string_view>

#include "config/key.h"

namespace signalbox::config {

/// "unknown key \"expire_max\" in [registrar]; the nearest known key is \"expires_max\"". What is
/// named is a key of this section, a section where `section` is the top of the file, or the section
/// in which a key of exactly this name stands.
std::string unknown_key(const Section& section, std::string_view name);

}  // namespace signalbox::config
