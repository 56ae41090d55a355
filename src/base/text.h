// Small operations on text that the grammars share. ASCII only, no locale.
#pragma once

#include <cstddef>
#include <cstdint>
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

/// Equality without regard to ASCII case.
bool iequals(std::string_view a, std::string_view b);
/// a begins with b, without regard to ASCII case.
bool istarts_with(std::string_view a, std::string_view b);
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
