// What of a target's URI may stand in a Request-URI. Implements: RFC 3261 §16.6 step 2, §19.1.1
#pragma once

#include <string>
#include <string_view>

namespace signalbox::proxy {

/// The target without header fields and without the method parameter, which have no place in a
/// Request-URI. A view of `target` where that is enough, else of `scratch`, which is overwritten
/// then. A target that is no SIP URI is given back as it is.
std::string_view request_uri_of(std::string_view target, std::string& scratch);

/// True for a SIP or SIPS URI. Contacts of a binding may be of any other scheme (RFC 3261 §10.2.1).
bool is_sip_uri(std::string_view target);

}  // namespace signalbox::proxy
