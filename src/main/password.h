// Passwords: made, typed, or read from a pipe.
#pragma once

#include <optional>
#include <string>

#include "store/outcome.h"

namespace signalbox::cli {

/// Easy to read and type, with 63 bits of the system's randomness: "bafu-keli-nomo-tara-zipu".
std::string make_password();

/// Where the password of a command comes from.
struct PasswordSource {
    std::optional<std::string> given;  // --password
    bool is_from_stdin = false;        // --password-stdin: one line
};

struct ObtainedPassword {
    std::string text;
    bool is_made = false;  // and must be shown
};

/// From the options; else asked for on the terminal, twice and without echo; else made.
store::Outcome<ObtainedPassword> obtain_password(const PasswordSource& source);

}  // namespace signalbox::cli
