// The methods of SIP.
// Implements: RFC 3261 §7.1 (and the extension methods of the IANA registry)
#pragma once

#include <cstdint>
#include <string_view>

namespace signalbox::sip {

/// Extension stands for any token that is not in this list: it is proxied like a known non-INVITE
/// method.
enum class Method : uint8_t {
    Invite,
    Ack,
    Bye,
    Cancel,
    Options,
    Register,
    Prack,
    Subscribe,
    Notify,
    Publish,
    Info,
    Refer,
    Message,
    Update,
    Extension
};

/// Case matters (RFC 3261 §7.1). Never fails: an unknown token is Extension.
Method parse_method(std::string_view token);
/// The name; empty for Extension.
std::string_view method_name(Method method);

}  // namespace signalbox::sip
