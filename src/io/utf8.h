// Whether octets are UTF-8. Implements: RFC 3629 §3, §4
#pragma once

#include <string_view>

namespace signalbox::io {

/// True when all of `text` is well-formed: no overlong form, no surrogate, nothing past U+10FFFF,
/// nothing cut off.
bool is_utf8(std::string_view text);

}  // namespace signalbox::io
