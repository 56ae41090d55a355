// The terminals that the grammars of this folder share: octet classes, white space, tokens, quoted
// strings, hosts, numbers.
// Implements: RFC 3261 §25.1
#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string_view>

#include "base/text.h"
#include "sip/params.h"

namespace signalbox::sip::lexer {

/// What an octet may be part of. A percent sign belongs to tokens and words only: the URI classes
/// take it as the head of an escape.
enum OctetClass : uint16_t {
    kToken = 1 << 0,
    kWord = 1 << 1,
    kUser = 1 << 2,
    kPassword = 1 << 3,
    kUriParam = 1 << 4,
    kUriHeader = 1 << 5,
    kHost = 1 << 6,        // a host name or an IPv4 address
    kAddress6 = 1 << 7,    // within the brackets of an IPv6 reference
    kParamValue = 1 << 8,  // a value without quotes; wider than gen-value, because tags and
                           // branches with '=' are in use
    kScheme = 1 << 9,
    kOpaque = 1 << 10,  // behind a scheme that we do not know
    kPhone = 1 << 11,
    kQuoted = 1 << 12,  // within quotes, apart from white space, quotes and backslashes
    kVisible = 1 << 13,
    kListed = 1 << 14,   // of a list's value: neither a comma nor what may hide one
    kDisplay = 1 << 15,  // a display name without quotes: tokens, white space, and UTF-8, which is
                         // outside the grammar but frequent
};

constexpr bool is_one_of(unsigned char c, std::string_view set) {
    return c != 0 && set.find(static_cast<char>(c)) != std::string_view::npos;
}

constexpr bool is_space(char c) {
    return c == ' ' || c == '\t';
}

constexpr uint16_t classes_of(unsigned char c) {
    const bool digit = c >= '0' && c <= '9';
    const bool alpha = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    const bool alphanumeric = digit || alpha;
    const bool hexadecimal = digit || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
    const bool unreserved = alphanumeric || is_one_of(c, "-_.!~*'()");
    const bool visible = c > 0x20 && c < 0x7f;
    const bool token = alphanumeric || is_one_of(c, "-.!%*_+`'~");
    unsigned classes = 0;
    const auto set = [&classes](bool member, OctetClass octet_class) {
        if (member) classes |= octet_class;
    };
    set(token, kToken);
    set(token || is_one_of(c, "()<>:\\\"/[]?{}"), kWord);
    // Deviation: RFC 3261 §25.1 — '#' stands unescaped in the user part that telephones send for
    // service codes.
    set(unreserved || is_one_of(c, "&=+$,;?/#"), kUser);
    set(unreserved || is_one_of(c, "&=+$,"), kPassword);
    set(unreserved || is_one_of(c, "[]/:&+$"), kUriParam);
    set(unreserved || is_one_of(c, "[]/?:+$=&"), kUriHeader);
    // Deviation: RFC 3261 §25.1 — '_' occurs in host names of closed networks.
    set(alphanumeric || is_one_of(c, "-._"), kHost);
    set(hexadecimal || is_one_of(c, ":."), kAddress6);
    set((visible && !is_one_of(c, "\",;<>\\")) || c >= 0x80, kParamValue);
    set(alphanumeric || is_one_of(c, "+-."), kScheme);
    set(visible && !is_one_of(c, "<>\""), kOpaque);
    set(hexadecimal || is_one_of(c, "+*#-.()"), kPhone);
    set((visible && c != '"' && c != '\\') || c >= 0x80, kQuoted);
    set(visible, kVisible);
    set(!is_one_of(c, ",\"<"), kListed);
    set(token || is_space(static_cast<char>(c)) || c >= 0x80, kDisplay);
    return static_cast<uint16_t>(classes);
}

constexpr std::array<uint16_t, 256> make_classes() {
    std::array<uint16_t, 256> table{};
    for (unsigned c = 0; c < 256; ++c) table[c] = classes_of(static_cast<unsigned char>(c));
    return table;
}

inline constexpr std::array<uint16_t, 256> kClasses = make_classes();

/// The classes that hold all of a host name's octets.
constexpr uint16_t classes_of_hosts() {
    uint16_t classes = 0xffff;
    for (const uint16_t each : kClasses) {
        if ((each & kHost) != 0) classes &= each;
    }
    return classes;
}

inline constexpr uint16_t kClassesOfHosts = classes_of_hosts();

inline bool is(char c, OctetClass octet_class) {
    return (kClasses[static_cast<unsigned char>(c)] & octet_class) != 0;
}
/// White space and the octets of a fold.
inline bool is_white(char c) {
    return c <= ' ' && (c == ' ' || c == '\t' || c == '\r' || c == '\n');
}

/// All octets of a text that is not empty are of the class.
inline bool all_of(std::string_view text, OctetClass octet_class) {
    for (const char c : text) {
        if (!is(c, octet_class)) return false;
    }
    return !text.empty();
}

/// Equality without regard to case with a name that is written in lower case, as most write it too.
inline bool is_name(std::string_view text, std::string_view lower_case_name) {
    return text::iequals(text, lower_case_name);
}

/// Decimal digits; what is past 2^32-1 is one more. Nothing for anything else. Any count of leading
/// zeros. Inlined like what follows: an optional number that is returned goes by memory.
inline std::optional<uint64_t> digits_value(std::string_view digits) {
    constexpr uint64_t kPast = uint64_t{1} << 32;
    if (digits.empty()) return std::nullopt;
    uint64_t value = 0;
    for (const char c : digits) {
        const auto digit = static_cast<uint64_t>(static_cast<unsigned char>(c)) - '0';
        if (digit > 9) return std::nullopt;
        value = value * 10 + digit;
        if (value > kPast) value = kPast;
    }
    return value;
}
/// A decimal number of at most `max`.
inline std::optional<uint32_t> number(std::string_view digits, uint32_t max) {
    const std::optional<uint64_t> value = digits_value(digits);
    if (!value || *value > max) return std::nullopt;
    return static_cast<uint32_t>(*value);
}
/// The same, but a number past 2^32-1 is 2^32-1.
inline std::optional<uint32_t> saturated_number(std::string_view digits) {
    constexpr uint64_t kMax = 0xffffffff;
    const std::optional<uint64_t> value = digits_value(digits);
    if (!value) return std::nullopt;
    return static_cast<uint32_t>(*value > kMax ? kMax : *value);
}
/// 1 to 65535.
inline std::optional<uint16_t> port(std::string_view digits) {
    const std::optional<uint64_t> value = digits_value(digits);
    if (!value || *value == 0 || *value > 65535) return std::nullopt;
    return static_cast<uint16_t>(*value);
}

/// Walks over a text. Every function moves on only when it finds what it looks for. Views: the
/// text.
class Cursor final {
 public:
    explicit Cursor(std::string_view text) : at_(text.data()), end_(text.data() + text.size()) {}

    bool at_end() const { return at_ == end_; }
    /// The next octet; NUL at the end.
    char peek() const { return at_ == end_ ? '\0' : *at_; }
    const char* position() const { return at_; }
    /// To where it has been. A copy to look ahead with would cost more.
    void back_to(const char* position) { at_ = position; }
    std::string_view rest() const { return {at_, static_cast<size_t>(end_ - at_)}; }
    std::string_view since(const char* begin) const {
        return {begin, static_cast<size_t>(at_ - begin)};
    }

    /// Spaces, tabs and folds (CR LF before a space or a tab).
    void skip_white() {
        if (at_ != end_ && is_white(*at_)) skip_white_slowly();
    }
    bool take(char c) {
        if (at_ == end_ || *at_ != c) return false;
        ++at_;
        return true;
    }
    /// These very octets.
    bool skip(std::string_view text) {
        if (static_cast<size_t>(end_ - at_) < text.size()) return false;
        if (std::memcmp(at_, text.data(), text.size()) != 0) return false;
        at_ += text.size();
        return true;
    }
    /// A run of octets of the class; empty when there is none.
    std::string_view run(OctetClass octet_class);
    /// A run of octets of the class and of escapes; stops at an escape that is cut short.
    std::string_view escaped_run(OctetClass octet_class);
    /// A quoted string with its quotes, or nothing when it is unbalanced or holds what it may not.
    std::optional<std::string_view> quoted();
    /// A host name, an IPv4 address or a bracketed IPv6 address; empty when there is none or it is
    /// malformed.
    std::string_view host();
    /// name [ "=" value ], with the white space behind it. False when malformed.
    bool parameter(Param& out);

 private:
    bool host_name();
    bool address6();
    void skip_white_slowly();

    const char* at_;
    const char* end_;
};

/// `begin` to the cursor without trailing white space.
inline std::string_view trimmed_since(const Cursor& cursor, const char* begin) {
    std::string_view text = cursor.since(begin);
    while (!text.empty() && is_white(text.back())) text.remove_suffix(1);
    return text;
}

/// Stands behind a value: gives what follows the comma to `rest` (may be null), or an empty view at
/// the end of the text. False when neither a comma nor the end is there. The cursor stands behind
/// white space.
bool end_of_value(Cursor& cursor, std::string_view* rest);

}  // namespace signalbox::sip::lexer
