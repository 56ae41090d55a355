// Which Contacts a redirected caller can call by himself. Implements: RFC 3261 §8.3
#pragma once

#include "base/ip_endpoint.h"
#include "sip/uri.h"

namespace signalbox::redirect {

/// False for a Contact that leads nowhere from where the caller is: a private address (RFC 1918,
/// RFC 4193, RFC 6598, RFC 3927, RFC 4291 §2.5.6) that was registered from another one, `seen_at`,
/// lies behind a NAT; and who asked by SIPS is not sent to less.
bool is_direct(const sip::Uri& contact, const IpAddress& seen_at, bool is_sips_asked);

}  // namespace signalbox::redirect
