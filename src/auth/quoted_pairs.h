// Resolves quoted pairs in parameters whose quotes are already gone.
// Implements: RFC 3261 §25.1
#pragma once

#include <string>
#include <string_view>

namespace signalbox::auth {

/// A copy in which each backslash gives way to the octet behind it; a last lone one stays.
inline std::string resolve_pairs(std::string_view text) {
    std::string out;
    out.reserve(text.size());
    for (size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '\\' && i + 1 < text.size()) ++i;
        out.push_back(text[i]);
    }
    return out;
}

}  // namespace signalbox::auth
