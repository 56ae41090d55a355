// The FINGERPRINT of a STUN message. Implements: RFC 5389 §15.5; RFC 8489 §14.7
#pragma once

#include <cstdint>
#include <string_view>

namespace signalbox::stun {

/// The value that a FINGERPRINT behind `octets` must have: all of the message in front of it, whose
/// length counts it already.
uint32_t fingerprint(std::string_view octets);

}  // namespace signalbox::stun
