// Small operations on text that the grammars share. ASCII only, no locale.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>

namespace signalbox::text {

inline char lower(char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
}
inline bool is_digit(char c) {
    return c >= '0' && c <= '9';
}
inline bool is_alpha(char c) {
    return lower(c) >= 'a' && lower(c) <= 'z';
}

/// The same octets. For short texts of hot paths: inlined, no call.
inline bool equals(std::string_view a, std::string_view b) {
    const auto differ = [&]<class Word>(Word, size_t at) {
        Word x;
        Word y;
        std::memcpy(&x, a.data() + at, sizeof(Word));
        std::memcpy(&y, b.data() + at, sizeof(Word));
        return x != y;
    };
    const size_t size = a.size();
    if (size != b.size()) return false;
    if (size < sizeof(uint32_t)) {
        for (size_t i = 0; i < size; ++i) {
            if (a[i] != b[i]) return false;
        }
        return true;
    }
    // The last word may begin within the one before.
    if (size < sizeof(uint64_t))
        return !differ(uint32_t{}, 0) && !differ(uint32_t{}, size - sizeof(uint32_t));
    for (size_t at = 0; at + sizeof(uint64_t) < size; at += sizeof(uint64_t)) {
        if (differ(uint64_t{}, at)) return false;
    }
    return !differ(uint64_t{}, size - sizeof(uint64_t));
}

/// a, which must not be shorter than b, begins with b, in another case perhaps.
bool starts_in_any_case(std::string_view a, std::string_view b);
/// a begins with b, without regard to ASCII case. Most texts are written as expected.
inline bool istarts_with(std::string_view a, std::string_view b) {
    if (a.size() < b.size()) return false;
    // Most that differ do so here: "sip:" from "sips:", a method from a version.
    if (!b.empty() && lower(a[b.size() - 1]) != lower(b.back())) return false;
    return equals(a.substr(0, b.size()), b) || starts_in_any_case(a, b);
}
/// Equality without regard to ASCII case.
inline bool iequals(std::string_view a, std::string_view b) {
    return a.size() == b.size() && (equals(a, b) || starts_in_any_case(a, b));
}
/// Without spaces, tabs, CR and LF at both ends.
std::string_view trim(std::string_view text);
/// All of `text` as a decimal number; nothing when empty, when it has another character or does not
/// fit.
std::optional<uint32_t> to_u32(std::string_view text);
std::optional<uint64_t> to_u64(std::string_view text);
/// 0 to 15, or -1.
int hex_digit(char c);
/// Lower-case hexadecimal.
std::string to_hex(std::string_view bytes);
std::optional<std::string> from_hex(std::string_view hex);
/// A copy in lower case.
std::string to_lower(std::string_view text);
/// Appends a decimal number.
void append_number(std::string& out, uint64_t value);
/// Edits that turn one word into another (Levenshtein): for "did you mean".
size_t edit_distance(std::string_view a, std::string_view b);

}  // namespace signalbox::text
