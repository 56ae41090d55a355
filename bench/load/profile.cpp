// Reads the profile of a changing load.
#include "load/profile.h"

#include <charconv>
#include <system_error>

namespace bench {
namespace {

/// Takes a positive number from the front of `text`.
bool take_number(std::string_view& text, double& value) {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || !(value > 0)) return false;
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    return true;
}

bool take_sign(std::string_view& text, char sign) {
    if (!text.starts_with(sign)) return false;
    text.remove_prefix(1);
    return true;
}

}  // namespace

std::optional<std::vector<Phase>> read_profile(std::string_view text) {
    std::vector<Phase> phases;
    do {
        Phase phase;
        const bool is_read = take_number(text, phase.rate) && take_sign(text, 'x') &&
                             take_number(text, phase.seconds);
        if (!is_read) return std::nullopt;
        phases.push_back(phase);
    } while (take_sign(text, ','));
    if (!text.empty()) return std::nullopt;
    return phases;
}

}  // namespace bench
