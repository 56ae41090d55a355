// What a response says about the life of a session. Implements: RFC 4028 §4, §7.2, §8.2 (observed)
#pragma once

#include <cstdint>
#include <optional>

#include "base/time.h"
#include "sip/message_view.h"

namespace signalbox::proxy {

/// The session interval that a 2xx to INVITE or UPDATE grants: within it a refresh or a BYE must
/// come. Nothing without a Session-Expires that can be read: the session does not expire by itself.
/// Intervals below the smallest that RFC 4028 §4 allows (90 s) are taken as that.
std::optional<Duration> session_interval(const sip::MessageView& response);

/// True when a 2xx to this method begins or refreshes a session (RFC 4028 §7.4).
bool refreshes_session(sip::Method method);

}  // namespace signalbox::proxy
