// Parameter lists (";name=value") and comma-separated lists of header values.
// Implements: RFC 3261 §7.3.1, §25.1
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace signalbox::sip {

struct Param {
    std::string_view name;
    std::optional<std::string_view> value;  // as received: a quoted string keeps its quotes
};

/// Walks ";a=1;b;c=\"x\"". Views: the text.
class ParamWalker final {
 public:
    /// `text` begins at a ';' or is empty; with `separator` ',' it walks digest's "a=1, b=\"x\""
    /// lists.
    explicit ParamWalker(std::string_view text, char separator = ';')
        : rest_(text), separator_(separator) {}
    /// The next parameter, or nothing at the end or when the rest is malformed: see ok().
    std::optional<Param> next();
    bool ok() const { return ok_; }

 private:
    std::string_view rest_;
    char separator_;
    bool ok_ = true;
};

/// The parameter of that name (case-insensitive), or nothing.
std::optional<Param> find_param(std::string_view params, std::string_view name);

/// Splits a header value at its top-level commas: not inside quotes or angle brackets. Values are
/// trimmed; empty ones are skipped. Views: the text.
class ListWalker final {
 public:
    explicit ListWalker(std::string_view value) : rest_(value) {}
    std::optional<std::string_view> next();

 private:
    std::string_view rest_;
};

/// The text of a quoted string: quotes removed, quoted pairs resolved. A token comes back as it is;
/// the inside of a quoted string, as Credentials gives it, has its quoted pairs resolved too.
std::string unquote(std::string_view value);

bool is_token(std::string_view text);

}  // namespace signalbox::sip
