// Option tags in Supported, Require and Proxy-Require.
// Implements: RFC 3261 §19.2, §20.32, §20.37
#pragma once

#include <string_view>

#include "sip/message_view.h"

namespace signalbox::sip {

/// True when one of the header fields `id` lists `tag`, case apart.
bool has_option_tag(const MessageView& message, HeaderId id, std::string_view tag);

}  // namespace signalbox::sip
