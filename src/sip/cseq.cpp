// CSeq: the number that orders requests, and their method.
// Implements: RFC 3261 §8.1.1.5, §20.16
#include "sip/header_values.h"
#include "sip/lexer.h"

namespace signalbox::sip {

namespace {
constexpr uint32_t kNumberMax = 0x7fffffffU;  // RFC 3261 §8.1.1.5: below 2^31
}

Result<CSeq> parse_cseq(std::string_view value) {
    lexer::Cursor cursor(value);
    cursor.skip_white();
    const char* digits = cursor.position();
    cursor.run(lexer::kToken);
    const std::optional<uint32_t> number = lexer::number(cursor.since(digits), kNumberMax);
    if (!number) return fail(ErrorCode::malformed_cseq);
    const char* gap = cursor.position();
    cursor.skip_white();
    if (cursor.position() == gap) return fail(ErrorCode::malformed_cseq);

    CSeq cseq;
    cseq.number = *number;
    cseq.method_text = cursor.run(lexer::kToken);
    cursor.skip_white();
    if (cseq.method_text.empty() || !cursor.at_end()) return fail(ErrorCode::malformed_cseq);
    cseq.method = parse_method(cseq.method_text);
    return cseq;
}

}  // namespace signalbox::sip
