// The alternatives that a redirecting response offers. Implements: RFC 3261 §8.3, §20.10, §21.3
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace signalbox::redirect {

/// One place to try. Views: for the call.
struct Alternative {
    std::string_view uri;
    uint16_t q = 1000;       // thousandths
    uint32_t expires_s = 0;  // how long the place is known to hold
};

/// The value of a Contact header field with these alternatives, in their order, each with q and
/// expires. Those equal to `request_uri` are left out: nobody is sent where he comes from (RFC 3261
/// §8.3). Empty: none is left.
std::string contact_list(std::span<const Alternative> alternatives, std::string_view request_uri);

}  // namespace signalbox::redirect
