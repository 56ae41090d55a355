// The parts of a URI's lists, and comparison of texts with escapes.
// Implements: RFC 3261 §19.1.2, §19.1.4
#include "sip/uri_parts.h"

#include "base/text.h"
#include "sip/uri.h"

namespace signalbox::sip {

namespace {

bool is_escape(std::string_view text, size_t at) {
    return text[at] == '%' && text.size() - at > 2 && text::hex_digit(text[at + 1]) >= 0 &&
           text::hex_digit(text[at + 2]) >= 0;
}

char escaped_octet(std::string_view text, size_t at) {
    return static_cast<char>(text::hex_digit(text[at + 1]) * 16 + text::hex_digit(text[at + 2]));
}

bool is_reserved(char c) {
    return c != '\0' && std::string_view(";/?:@&=+$,").find(c) != std::string_view::npos;
}

/// One character of a text with escapes.
struct Character {
    char octet = 0;
    bool is_escaped_reserved = false;
};

/// Reads the characters of a text one by one.
class CharacterReader final {
 public:
    explicit CharacterReader(std::string_view text) : text_(text) {}
    bool at_end() const { return at_ == text_.size(); }
    Character next() {
        if (!is_escape(text_, at_)) return {text_[at_++], false};
        const char octet = escaped_octet(text_, at_);
        at_ += 3;
        return {octet, is_reserved(octet)};
    }

 private:
    std::string_view text_;
    size_t at_ = 0;
};

}  // namespace

namespace uri_parts {

std::optional<Pair> PairWalker::next() {
    while (!rest_.empty()) {
        const size_t end = rest_.find(separator_);
        const std::string_view part = rest_.substr(0, end);
        rest_.remove_prefix(end == std::string_view::npos ? rest_.size() : end + 1);
        if (part.empty()) continue;
        const size_t equals = part.find('=');
        if (equals == std::string_view::npos) return Pair{part, std::nullopt};
        return Pair{part.substr(0, equals), part.substr(equals + 1)};
    }
    return std::nullopt;
}

bool equal_escaped(std::string_view a, std::string_view b, Case letters) {
    CharacterReader left(a);
    CharacterReader right(b);
    while (!left.at_end() && !right.at_end()) {
        const Character x = left.next();
        const Character y = right.next();
        if (x.is_escaped_reserved != y.is_escaped_reserved) return false;
        const bool same = letters == Case::Significant
                              ? x.octet == y.octet
                              : text::lower(x.octet) == text::lower(y.octet);
        if (!same) return false;
    }
    return left.at_end() && right.at_end();
}

std::optional<Pair> find_pair(std::string_view text, char separator, std::string_view name) {
    PairWalker walker(text, separator);
    while (const std::optional<Pair> pair = walker.next()) {
        if (equal_escaped(pair->name, name, Case::Ignored)) return pair;
    }
    return std::nullopt;
}

}  // namespace uri_parts

std::optional<std::string_view> Uri::find_param(std::string_view name) const {
    const std::optional<uri_parts::Pair> pair = uri_parts::find_pair(params, ';', name);
    if (!pair) return std::nullopt;
    return pair->value.value_or(std::string_view{});
}

void unescape(std::string_view escaped, std::string& out) {
    for (size_t i = 0; i < escaped.size(); ++i) {
        if (is_escape(escaped, i)) {
            out.push_back(escaped_octet(escaped, i));
            i += 2;
        } else {
            out.push_back(escaped[i]);
        }
    }
}

}  // namespace signalbox::sip
