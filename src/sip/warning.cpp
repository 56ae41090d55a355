// Warning: what a server has to say about a response beyond its status.
// Implements: RFC 3261 §20.43
#include "sip/header_values.h"
#include "sip/lexer.h"

namespace signalbox::sip {

Result<Warning> parse_warning(std::string_view value, std::string_view* rest) {
    lexer::Cursor cursor(value);
    cursor.skip_white();
    const std::string_view code = cursor.run(lexer::kToken);
    const std::optional<uint32_t> number = lexer::number(code, 999);
    if (!number || code.size() != 3 || *number < 100) return fail(ErrorCode::malformed);
    cursor.skip_white();
    Warning out;
    out.code = static_cast<uint16_t>(*number);
    out.agent = cursor.run(lexer::kParamValue);  // a host with a port, or a pseudonym
    if (out.agent.empty()) return fail(ErrorCode::malformed);
    cursor.skip_white();
    const std::optional<std::string_view> text = cursor.quoted();
    if (!text) return fail(ErrorCode::malformed);
    out.text = *text;
    cursor.skip_white();
    if (!lexer::end_of_value(cursor, rest)) return fail(ErrorCode::malformed);
    return out;
}

}  // namespace signalbox::sip
