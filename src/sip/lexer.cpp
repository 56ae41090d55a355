// The terminals that the grammars of this folder share.
// Implements: RFC 3261 §25.1; RFC 5118 §4.10
#include "sip/lexer.h"

#include "base/text.h"
#include "sip/octet_scan.h"

namespace signalbox::sip::lexer {

namespace {

constexpr size_t kHostBytesMax = 255;

/// Over octets of the class. May stop before the end of their run, never behind it.
inline const char* skip_class(const char* at, const char* end, OctetClass octet_class) {
    return (kClassesOfHosts & octet_class) != 0 ? skip_host_octets(at, end) : at;
}

/// Where a run of octets of the class ends.
inline const char* end_of_run(const char* at, const char* end, OctetClass octet_class) {
    at = skip_class(at, end, octet_class);
    while (at != end && is(*at, octet_class)) ++at;
    return at;
}

}  // namespace

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

std::string_view Cursor::run(OctetClass octet_class) {
    const char* const begin = at_;
    at_ = end_of_run(begin, end_, octet_class);
    return since(begin);
}

std::string_view Cursor::escaped_run(OctetClass octet_class) {
    const char* const begin = at_;
    const char* at = skip_class(begin, end_, octet_class);
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
    const char* const begin = at_;
    if (!take('"')) return std::nullopt;
    at_ = skip_quoted_octets(at_, end_);
    while (at_ != end_) {
        const char c = *at_;
        if (is(c, kQuoted)) {
            ++at_;
        } else if (c == '"') {
            ++at_;
            return since(begin);
        } else if (c == '\\') {
            // A quoted pair may hold any octet of ASCII, NUL too, but CR and LF.
            if (end_ - at_ < 2 || at_[1] == '\r' || at_[1] == '\n') break;
            at_ += 2;
        } else {
            const char* const before = at_;
            skip_white();
            if (at_ == before) break;
        }
    }
    at_ = begin;
    return std::nullopt;
}

std::string_view Cursor::host() {
    const char* const begin = at_;
    if (peek() == '[' ? address6() : host_name()) return since(begin);
    at_ = begin;
    return {};
}

/// Only the octets are checked, so that three colons in a row do not make a message unreadable (RFC
/// 5118 §4.10).
bool Cursor::address6() {
    take('[');
    const std::string_view address = run(kAddress6);
    const size_t colon = address.find(':');
    const bool two_colons =
        colon != std::string_view::npos && address.find(':', colon + 1) != std::string_view::npos;
    return two_colons && take(']');
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
    const char* const begin = at_;
    out.value.reset();
    at_ = end_of_run(begin, end_, kToken);
    out.name = since(begin);
    if (out.name.empty()) return false;
    skip_white();
    if (!take('=')) return true;
    skip_white();
    if (peek() == '"') {
        out.value = quoted();
        if (!out.value) return false;
    } else {
        const char* const value = at_;
        at_ = end_of_run(value, end_, kParamValue);
        out.value = since(value);
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
