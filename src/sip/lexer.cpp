// The terminals that the grammars of this folder share.
// Implements: RFC 3261 §25.1; RFC 5118 §4.10
#include "sip/lexer.h"

#include <limits>

#include "base/text.h"

namespace signalbox::sip::lexer {

namespace {

constexpr size_t kHostBytesMax = 255;

/// Decimal digits, saturating at one past 2^32-1.
std::optional<uint64_t> digits_value(std::string_view digits) {
    if (digits.empty()) return std::nullopt;
    constexpr uint64_t kPast = uint64_t{std::numeric_limits<uint32_t>::max()} + 1;
    uint64_t value = 0;
    for (const char c : digits) {
        const auto digit = static_cast<uint64_t>(static_cast<unsigned char>(c)) - '0';
        if (digit > 9) return std::nullopt;
        value = value * 10 + digit;
        if (value > kPast) value = kPast;
    }
    return value;
}

}  // namespace

std::optional<uint32_t> number(std::string_view digits, uint32_t max) {
    const std::optional<uint64_t> value = digits_value(digits);
    if (!value || *value > max) return std::nullopt;
    return static_cast<uint32_t>(*value);
}

std::optional<uint32_t> saturated_number(std::string_view digits) {
    const std::optional<uint64_t> value = digits_value(digits);
    if (!value) return std::nullopt;
    constexpr uint64_t kMax = std::numeric_limits<uint32_t>::max();
    return static_cast<uint32_t>(*value > kMax ? kMax : *value);
}

std::optional<uint16_t> port(std::string_view digits) {
    const std::optional<uint32_t> value = number(digits, 65535);
    if (!value || *value == 0) return std::nullopt;
    return static_cast<uint16_t>(*value);
}

void Cursor::skip_white_slowly() {
    const char* at = at_;
    while (at != end_) {
        if (is_space(*at)) {
            ++at;
        } else if (*at == '\r' && end_ - at > 2 && at[1] == '\n' && is_space(at[2])) {
            at += 3;
        } else {
            break;
        }
    }
    at_ = at;
}

std::string_view Cursor::escaped_run(OctetClass octet_class) {
    const char* const begin = at_;
    const char* at = begin;
    while (at != end_) {
        if (is(*at, octet_class)) {
            ++at;
        } else if (*at == '%' && end_ - at > 2 && text::hex_digit(at[1]) >= 0 &&
                   text::hex_digit(at[2]) >= 0) {
            at += 3;
        } else {
            break;
        }
    }
    at_ = at;
    return since(begin);
}

std::optional<std::string_view> Cursor::quoted() {
    if (peek() != '"') return std::nullopt;
    const char* begin = at_;
    Cursor inside = *this;
    ++inside.at_;
    while (!inside.at_end()) {
        const char c = *inside.at_;
        if (is(c, kQuoted)) {
            ++inside.at_;
        } else if (c == '"') {
            ++inside.at_;
            at_ = inside.at_;
            return since(begin);
        } else if (c == '\\') {
            // A quoted pair may hold any octet of ASCII, NUL too, but CR and LF.
            if (end_ - inside.at_ < 2 || inside.at_[1] == '\r' || inside.at_[1] == '\n') break;
            inside.at_ += 2;
        } else {
            const char* before = inside.at_;
            inside.skip_white();
            if (inside.at_ == before) break;
        }
    }
    return std::nullopt;
}

std::string_view Cursor::host() {
    const char* begin = at_;
    Cursor ahead = *this;
    if (ahead.take('[')) {
        // Only the octets are checked, so that three colons in a row do not make a message
        // unreadable (RFC 5118 §4.10).
        const std::string_view address = ahead.run(kAddress6);
        const size_t colon = address.find(':');
        const bool two_colons = colon != std::string_view::npos &&
                                address.find(':', colon + 1) != std::string_view::npos;
        if (!two_colons || !ahead.take(']')) return {};
    } else if (!ahead.host_name()) {
        return {};
    }
    at_ = ahead.at_;
    return since(begin);
}

/// No label is empty; one final dot is allowed.
bool Cursor::host_name() {
    const char* const begin = at_;
    const char* at = begin;
    char before = '.';
    for (; at != end_ && is(*at, kHost); ++at) {
        if (*at == '.' && before == '.') return false;
        before = *at;
    }
    at_ = at;
    return at != begin && *begin != '-' && static_cast<size_t>(at - begin) <= kHostBytesMax;
}

bool Cursor::parameter(Param& out) {
    out.value.reset();
    out.name = run(kToken);
    if (out.name.empty()) return false;
    skip_white();
    if (!take('=')) return true;
    skip_white();
    if (peek() == '"') {
        out.value = quoted();
        if (!out.value) return false;
    } else {
        out.value = run(kParamValue);
    }
    skip_white();
    return true;
}

bool end_of_value(Cursor& cursor, std::string_view* rest) {
    if (rest != nullptr) *rest = {};
    if (cursor.at_end()) return true;
    if (!cursor.take(',')) return false;
    cursor.skip_white();
    if (rest != nullptr) *rest = cursor.rest();
    return true;
}

}  // namespace signalbox::sip::lexer
