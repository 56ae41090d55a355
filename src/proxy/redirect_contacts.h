// The Contacts of a 3xx that came back: read to be tried here, removed from what goes upstream.
// Implements: RFC 3261 §16.7 step 4
#pragma once

#include <array>
#include <bitset>
#include <string>

#include "sip/header_values.h"
#include "sip/message_view.h"

namespace signalbox::proxy {

/// More Contacts of one response are left to the caller.
inline constexpr size_t kRedirectContactsMax = 32;

/// The first Contacts of a response, in its order; nothing in the place of a malformed one.
struct RedirectContacts {
    std::array<std::optional<sip::Contact>, kRedirectContactsMax> list;  // views: the response
    size_t count = 0;
};
RedirectContacts read_redirect_contacts(const sip::MessageView& response);

/// The response without the Contacts that `tried` names by their places, into `out` (cleared
/// first). False when none is left: then it tells nobody anything, and `out` is empty.
bool remove_redirect_contacts(const sip::MessageView& response,
                              const std::bitset<kRedirectContactsMax>& tried, std::string& out);

}  // namespace signalbox::proxy
