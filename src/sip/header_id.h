// The header fields that the server looks at, by name and compact form.
// Implements: RFC 3261 §7.3.3, §20; RFC 3323 §4.2; RFC 3325 §9; RFC 4028 §4, §5
#pragma once

#include <cstdint>
#include <string_view>

namespace signalbox::sip {

/// Every header field of RFC 3261 §20, and those of extensions that the server reads. Other is any
/// further name.
enum class HeaderId : uint8_t {
#define SIGNALBOX_HEADER(id, name, compact) id,
#include "sip/headers.def"
#undef SIGNALBOX_HEADER
    Other,
    kCount
};

/// Case-insensitive; knows the compact forms. Never fails.
HeaderId parse_header_name(std::string_view name);
/// The long form as the RFC writes it; empty for Other.
std::string_view header_name(HeaderId id);

}  // namespace signalbox::sip
