// Content-Type and the media ranges of Accept.
// Implements: RFC 3261 §20.1, §20.15
#include "sip/header_values.h"
#include "sip/lexer.h"

namespace signalbox::sip {

Result<MediaType> parse_media_type(std::string_view value) {
    lexer::Cursor cursor(value);
    cursor.skip_white();
    MediaType out;
    out.type = cursor.run(lexer::kToken);
    cursor.skip_white();
    if (out.type.empty() || !cursor.take('/')) return fail(ErrorCode::malformed);
    cursor.skip_white();
    out.subtype = cursor.run(lexer::kToken);
    if (out.subtype.empty()) return fail(ErrorCode::malformed);
    cursor.skip_white();
    const char* params = cursor.position();
    while (cursor.take(';')) {
        cursor.skip_white();
        Param param;
        if (!cursor.parameter(param)) return fail(ErrorCode::malformed);
    }
    if (!cursor.at_end()) return fail(ErrorCode::malformed);
    out.params = lexer::trimmed_since(cursor, params);
    return out;
}

}  // namespace signalbox::sip
