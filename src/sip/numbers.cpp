// Header fields and parameters that are a number.
// Implements: RFC 3261 §20.14, §20.19, §20.22, §20.23, §25.1 (qvalue); RFC 5393 §5.3.1
#include "base/text.h"
#include "sip/header_values.h"
#include "sip/lexer.h"

namespace signalbox::sip {

Result<uint32_t> parse_max_forwards(std::string_view value) {
    const std::optional<uint32_t> number = lexer::number(text::trim(value), 255);
    if (!number) return fail(ErrorCode::malformed_max_forwards);
    return *number;
}

Result<uint32_t> parse_max_breadth(std::string_view value) {
    const std::optional<uint32_t> number = lexer::saturated_number(text::trim(value));
    if (!number) return fail(ErrorCode::malformed_max_breadth);
    return *number;
}

Result<uint32_t> parse_expires(std::string_view value) {
    const std::optional<uint32_t> seconds = lexer::saturated_number(text::trim(value));
    if (!seconds) return fail(ErrorCode::malformed_expires);
    return *seconds;
}

Result<uint32_t> parse_content_length(std::string_view value) {
    const std::optional<uint32_t> octets = lexer::number(text::trim(value), 0xffffffffU);
    if (!octets) return fail(ErrorCode::malformed_content_length);
    return *octets;
}

Result<uint16_t> parse_q(std::string_view value) {
    value = text::trim(value);
    if (value.empty() || (value[0] != '0' && value[0] != '1')) return fail(ErrorCode::malformed_q);
    if (value.size() > 1 && value[1] != '.') return fail(ErrorCode::malformed_q, 1);
    if (value.size() > 5) return fail(ErrorCode::malformed_q, 5);
    unsigned thousandths = value[0] == '1' ? 1000 : 0;
    unsigned weight = 100;
    for (size_t i = 2; i < value.size(); ++i) {
        if (!text::is_digit(value[i])) return fail(ErrorCode::malformed_q, i);
        thousandths += static_cast<unsigned>(value[i] - '0') * weight;
        weight /= 10;
    }
    if (thousandths > 1000) return fail(ErrorCode::malformed_q);
    return static_cast<uint16_t>(thousandths);
}

}  // namespace signalbox::sip
