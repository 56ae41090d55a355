// Comparing and wiping of secrets.
#pragma once

#include <string>
#include <string_view>

namespace signalbox::crypto {

/// Equality in a time that depends on the lengths only: a length is never the secret.
bool equal_constant_time(std::string_view a, std::string_view b);

/// Overwrites all that `secret` has allocated, also where the compiler sees no later use, and
/// empties it.
void wipe(std::string& secret);

}  // namespace signalbox::crypto
