// What a Privacy header field asks for, and what of it a proxy can give. Implements: RFC 3323 §4.2,
// §5; RFC 3325 §7, §9.3; RFC 5379 §5.1.8
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "proxy/local_reply.h"
#include "sip/message_view.h"

namespace signalbox::proxy {

/// The priv-values of a message. A proxy keeps an asserted identity from those who are not trusted;
/// header fields, session descriptions and the user's own words are for a back-to-back user agent
/// to hide.
struct Privacy {
    bool is_none = false;      // nothing may be hidden, whatever else stands there
    bool is_critical = false;  // rather refuse the request than leave a part unhidden
    bool id = false;           // RFC 3325 §9.3
    bool header = false;
    bool session = false;
    bool user = false;
    bool has_other = false;  // a priv-value of an extension

    /// Asserted identities go to trusted elements only (RFC 3325 §7; of "header" RFC 5379 §5.1.8
    /// asks it too, and "user" without it would be in vain).
    bool conceals_identity() const { return !is_none && (id || header || user); }
    /// All that is asked for can be given here.
    bool is_provided() const { return is_none || !(header || session || user || has_other); }
};

/// Reads all Privacy header fields; nothing asked for when there are none. What is no token counts
/// as a priv-value that we do not know.
Privacy read_privacy(const sip::MessageView& message);

/// 500 with the priv-values that we cannot provide, for a request whose sender would rather fail
/// than go without them (RFC 3323 §5).
std::optional<Rejection> refuse_critical_privacy(const sip::MessageView& message);

}  // namespace signalbox::proxy
