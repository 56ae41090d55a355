// Whether the server can take the body of a request for itself. Implements: RFC 3261 §8.2.3
#pragma once

#include <optional>

#include "proxy/local_reply.h"
#include "sip/message_view.h"

namespace signalbox::core {

/// The one type of body that the server takes (and passes over), as Accept names it.
inline constexpr std::string_view kAcceptedType = "application/sdp";

/// And the one encoding.
inline constexpr std::string_view kAcceptedEncoding = "identity";

/// 415 with what would be taken, or nothing when there is no body, it is optional, or it is taken.
/// A body in any language is: nobody is shown it.
std::optional<proxy::Rejection> refuse_content(const sip::MessageView& request);

}  // namespace signalbox::core
