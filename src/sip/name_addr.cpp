// Addresses with display names and parameters.
// Implements: RFC 3261 §20.10, §20.20, §20.30, §20.34, §20.39
#include "base/text.h"
#include "sip/header_values.h"
#include "sip/lexer.h"

namespace signalbox::sip {

namespace {

/// [ display-name ] "<". False when there is none: the value is then an addr-spec and the cursor
/// has not moved.
bool read_up_to_bracket(lexer::Cursor& cursor, NameAddr& out) {
    if (cursor.take('<')) return true;
    const char* const begin = cursor.position();
    if (const auto quoted = cursor.quoted()) {
        out.display_name = *quoted;
        cursor.skip_white();
    } else {
        const char* before = nullptr;
        while (cursor.position() != before) {
            before = cursor.position();
            cursor.run(lexer::kDisplay);
            cursor.skip_white();  // folds
        }
        out.display_name = lexer::trimmed_since(cursor, begin);
    }
    if (cursor.take('<')) return true;
    out.display_name = {};
    cursor.back_to(begin);
    return false;
}

/// URI ">". No octet of a URI is a bracket, so the first one ends it.
bool read_bracketed_uri(lexer::Cursor& cursor, NameAddr& out) {
    const std::string_view rest = cursor.rest();
    const size_t close = rest.find('>');
    if (close == std::string_view::npos) return false;
    out.uri_text = rest.substr(0, close);
    cursor = lexer::Cursor(rest.substr(close + 1));
    return true;
}

/// An addr-spec without brackets. RFC 3261 §20: a comma, a semicolon or a question mark cannot be
/// part of it; behind a question mark the caller finds neither parameters nor the value's end.
void read_bare_uri(lexer::Cursor& cursor, NameAddr& out) {
    const char* begin = cursor.position();
    while (lexer::is(cursor.peek(), lexer::kOpaque) && cursor.peek() != ';' &&
           cursor.peek() != ',' && cursor.peek() != '?') {
        cursor.take(cursor.peek());
    }
    out.uri_text = cursor.since(begin);
}

/// False when the tag comes twice or is not a value without quotes.
bool read_tag(NameAddr& out, const Param& param) {
    if (!out.tag.empty() || !param.value || param.value->empty()) return false;
    if (param.value->front() == '"') return false;
    out.tag = *param.value;
    return true;
}

void read_expires(Contact& contact, const Param& param) {
    contact.expires = param.value ? lexer::saturated_number(*param.value) : std::nullopt;
    contact.has_malformed_expires = !contact.expires.has_value();
}

bool read_q(Contact& contact, const Param& param) {
    const Result<uint16_t> q = parse_q(param.value.value_or(std::string_view{}));
    if (!q) return false;
    contact.q = *q;
    contact.has_q = true;
    return true;
}

}  // namespace

bool read_around_uri(std::string_view value, NameAddr& out, std::string_view* rest) {
    lexer::Cursor cursor(value);
    cursor.skip_white();
    const char* begin = cursor.position();
    if (!read_up_to_bracket(cursor, out)) {
        read_bare_uri(cursor, out);
    } else if (!read_bracketed_uri(cursor, out)) {
        return false;
    }

    cursor.skip_white();
    const char* params = cursor.position();
    while (cursor.take(';')) {
        cursor.skip_white();
        Param param;
        if (!cursor.parameter(param)) return false;
        const bool is_tag = param.name.size() == 3 && lexer::is_name(param.name, "tag");
        if (is_tag && !read_tag(out, param)) return false;
    }
    out.params = lexer::trimmed_since(cursor, params);
    out.text = lexer::trimmed_since(cursor, begin);
    return lexer::end_of_value(cursor, rest);
}

bool read_name_addr(std::string_view value, NameAddr& out, std::string_view* rest) {
    return read_around_uri(value, out, rest) && read_uri(out.uri_text, out.uri).has_value();
}

Result<NameAddr> parse_name_addr(std::string_view value, ErrorCode bad, std::string_view* rest) {
    Result<NameAddr> result;
    if (!read_name_addr(value, *result, rest)) result = fail(bad);
    return result;
}

Result<Contact> parse_contact(std::string_view value, std::string_view* rest) {
    Contact contact;
    if (text::trim(value) == "*") {
        contact.is_star = true;
        if (rest != nullptr) *rest = {};
        return contact;
    }
    TRY_ASSIGN(address, parse_name_addr(value, ErrorCode::malformed_contact, rest));
    contact.address = address;
    ParamWalker walker(address.params);
    while (const std::optional<Param> param = walker.next()) {
        if (lexer::is_name(param->name, "expires")) {
            read_expires(contact, *param);
        } else if (lexer::is_name(param->name, "q")) {
            if (!read_q(contact, *param)) return fail(ErrorCode::malformed_contact);
        }
    }
    return contact;
}

}  // namespace signalbox::sip
