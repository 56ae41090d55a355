// Retry-After and Timestamp.
// Implements: RFC 3261 §20.33, §20.38
#include "base/text.h"
#include "sip/header_values.h"
#include "sip/lexer.h"

namespace signalbox::sip {

namespace {

/// "(" *( text / quoted-pair / comment ) ")" with its parentheses; nothing when unbalanced.
/// Comments nest.
std::optional<std::string_view> take_comment(lexer::Cursor& cursor) {
    const std::string_view rest = cursor.rest();
    size_t depth = 0;
    for (size_t i = 0; i < rest.size(); ++i) {
        if (rest[i] == '\\') {
            ++i;
        } else if (rest[i] == '(') {
            ++depth;
        } else if (rest[i] == ')' && --depth == 0) {
            cursor = lexer::Cursor(rest.substr(i + 1));
            return rest.substr(0, i + 1);
        }
    }
    return std::nullopt;
}

/// *DIGIT [ "." *DIGIT ].
bool is_decimal(std::string_view value) {
    const size_t dot = value.find('.');
    const std::string_view whole = value.substr(0, dot);
    for (const char c : whole) {
        if (!text::is_digit(c)) return false;
    }
    if (dot == std::string_view::npos) return true;
    for (const char c : value.substr(dot + 1)) {
        if (!text::is_digit(c)) return false;
    }
    return true;
}

}  // namespace

Result<RetryAfter> parse_retry_after(std::string_view value) {
    lexer::Cursor cursor(value);
    cursor.skip_white();
    RetryAfter out;
    const std::optional<uint32_t> seconds = lexer::saturated_number(cursor.run(lexer::kToken));
    if (!seconds) return fail(ErrorCode::malformed_retry_after);
    out.seconds = *seconds;
    cursor.skip_white();
    if (cursor.peek() == '(') {
        const std::optional<std::string_view> comment = take_comment(cursor);
        if (!comment) return fail(ErrorCode::malformed_retry_after);
        out.comment = *comment;
        cursor.skip_white();
    }
    while (cursor.take(';')) {
        cursor.skip_white();
        Param param;
        if (!cursor.parameter(param)) return fail(ErrorCode::malformed_retry_after);
        if (!text::iequals(param.name, "duration")) continue;
        out.duration = param.value ? lexer::saturated_number(*param.value) : std::nullopt;
        if (!out.duration) return fail(ErrorCode::malformed_retry_after);
    }
    if (!cursor.at_end()) return fail(ErrorCode::malformed_retry_after);
    return out;
}

Result<Timestamp> parse_timestamp(std::string_view value) {
    lexer::Cursor cursor(value);
    cursor.skip_white();
    Timestamp out;
    out.value = cursor.run(lexer::kToken);
    if (out.value.empty() || !text::is_digit(out.value.front()) || !is_decimal(out.value)) {
        return fail(ErrorCode::malformed);
    }
    cursor.skip_white();
    if (cursor.at_end()) return out;
    out.delay = cursor.run(lexer::kToken);
    cursor.skip_white();
    if (!is_decimal(*out.delay) || !cursor.at_end()) return fail(ErrorCode::malformed);
    return out;
}

}  // namespace signalbox::sip
