// Parameter lists, comma lists and quoted strings.
// Implements: RFC 3261 §7.3.1, §25.1
#include "sip/params.h"

#include "base/text.h"
#include "sip/lexer.h"

namespace signalbox::sip {

namespace {

/// Past what hides commas: quotes up to their end, angle brackets up to theirs.
size_t end_of_hidden(std::string_view text, size_t at) {
    if (text[at] == '<') {
        const size_t close = text.find('>', at + 1);
        return close == std::string_view::npos ? text.size() : close + 1;
    }
    for (++at; at < text.size() && text[at] != '"'; ++at) {
        if (text[at] == '\\') ++at;
    }
    return at + 1;
}

/// The offset of the comma that ends the first value, or the text's size.
size_t first_comma(std::string_view text) {
    const size_t comma = text.find(',');
    if (comma == std::string_view::npos) return text.size();
    const std::string_view before = text.substr(0, comma);
    if (before.find('"') == std::string_view::npos && before.find('<') == std::string_view::npos)
        return comma;
    size_t at = 0;
    while (at < text.size()) {
        if (lexer::is(text[at], lexer::kListed)) {
            ++at;
        } else if (text[at] == ',') {
            return at;
        } else {
            at = end_of_hidden(text, at);
        }
    }
    return text.size();
}

}  // namespace

std::optional<Param> ParamWalker::next() {
    lexer::Cursor cursor(rest_);
    cursor.skip_white();
    if (cursor.at_end()) return std::nullopt;
    // A ';' opens each parameter; a ',' stands between them, where parameter() and the branch below
    // left it behind.
    if (separator_ == ';') {
        if (!cursor.take(';')) {
            ok_ = false;
            rest_ = {};
            return std::nullopt;
        }
        cursor.skip_white();
    }
    Param param;
    bool good = cursor.parameter(param);
    if (good && !cursor.at_end()) {
        if (cursor.peek() != separator_) {
            good = false;
        } else if (separator_ != ';') {
            cursor.take(separator_);
            cursor.skip_white();
            good = !cursor.at_end();
        }
    }
    rest_ = good ? cursor.rest() : std::string_view{};
    ok_ = good;
    if (!good) return std::nullopt;
    return param;
}

std::optional<Param> find_param(std::string_view params, std::string_view name) {
    ParamWalker walker(params);
    while (std::optional<Param> param = walker.next()) {
        if (text::iequals(param->name, name)) return param;
    }
    return std::nullopt;
}

std::optional<std::string_view> ListWalker::next() {
    while (!rest_.empty()) {
        const size_t comma = first_comma(rest_);
        const std::string_view value = text::trim(rest_.substr(0, comma));
        rest_.remove_prefix(comma == rest_.size() ? comma : comma + 1);
        if (!value.empty()) return value;
    }
    return std::nullopt;
}

std::string unquote(std::string_view value) {
    if (value.size() >= 2 && value.front() == '"' && value.back() == '"') {
        value = value.substr(1, value.size() - 2);
    }
    std::string out;
    out.reserve(value.size());
    for (size_t i = 0; i < value.size(); ++i) {
        if (value[i] == '\\' && i + 1 < value.size()) ++i;
        out.push_back(value[i]);
    }
    return out;
}

bool is_token(std::string_view text) {
    return lexer::all_of(text, lexer::kToken);
}

}  // namespace signalbox::sip
