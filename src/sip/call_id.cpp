// Call-ID.
// Implements: RFC 3261 §8.1.1.4, §20.8
#include "base/text.h"
#include "sip/header_values.h"
#include "sip/lexer.h"

namespace signalbox::sip {

Result<std::string_view> parse_call_id(std::string_view value) {
    value = text::trim(value);
    lexer::Cursor cursor(value);
    if (cursor.run(lexer::kWord).empty()) return fail(ErrorCode::malformed_call_id);
    if (cursor.take('@') && cursor.run(lexer::kWord).empty()) {
        return fail(ErrorCode::malformed_call_id);
    }
    if (!cursor.at_end()) return fail(ErrorCode::malformed_call_id);
    return value;
}

}  // namespace signalbox::sip
