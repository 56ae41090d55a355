// Base32 in lower case without padding: bytes that may stand in a SIP token, a URI's user part or a
// parameter. Implements: RFC 4648 §6
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace signalbox::crypto {

/// Characters that base32_encode() writes for `bytes` octets.
constexpr size_t base32_size(size_t bytes) {
    return (bytes * 8 + 4) / 5;
}

/// Writes base32_size(bytes.size()) characters to `out`; returns their number.
size_t base32_encode(std::string_view bytes, char* out);
void append_base32(std::string& out, std::string_view bytes);

/// Reads either case into `out`; returns the octets written. Nothing when a character is not of the
/// alphabet, when the length or the stray bits at the end are none that base32_encode() writes, or
/// when `out_max` octets are too few: so one value has one text but for its case.
std::optional<size_t> base32_decode(std::string_view text, char* out, size_t out_max);

}  // namespace signalbox::crypto
