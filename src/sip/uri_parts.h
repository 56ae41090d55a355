// The parts of a URI's lists, and comparison of texts with escapes: shared by parameter look-up and
// URI comparison.
// Implements: RFC 3261 §19.1.2, §19.1.4
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace signalbox::sip::uri_parts {

struct Pair {
    std::string_view name;
    std::optional<std::string_view> value;
};

/// Walks "a=1;b;c=2" or, with '&', the header components. Empty parts are skipped. Views: the text.
class PairWalker final {
 public:
    PairWalker(std::string_view text, char separator) : rest_(text), separator_(separator) {}
    std::optional<Pair> next();

 private:
    std::string_view rest_;
    char separator_;
};

enum class Case : uint8_t { Significant, Ignored };

/// Equality of what the texts mean: an escape equals its character unless that character is a
/// reserved one (RFC 3261 §19.1.4).
bool equal_escaped(std::string_view a, std::string_view b, Case letters);

/// The pair of that name, escapes and case apart; nothing when absent.
std::optional<Pair> find_pair(std::string_view text, char separator, std::string_view name);

}  // namespace signalbox::sip::uri_parts
