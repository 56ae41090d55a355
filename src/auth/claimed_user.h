// Which credentials of a request are for us, and who they claim to come from.
// Implements: RFC 3261 §22.3; RFC 7616 §3.4.4
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "sip/header_values.h"
#include "sip/message_view.h"

namespace signalbox::auth {

/// A longer parameter of the credentials is malformed.
inline constexpr size_t kCredentialBytesMax = 1024;

/// The credentials of a request that are meant for us: the first digest for `realm` in its `id`
/// header fields (Authorization or Proxy-Authorization), which may hold others for other proxies.
/// Nothing: there are none. An error: none are for us, and one of them cannot be read. Views: the
/// request.
Result<std::optional<sip::Credentials>> find_credentials(const sip::MessageView& request,
                                                         sip::HeaderId id, std::string_view realm);

/// Whose credentials these are. The shard that can check them is that of `name`.
struct ClaimedUser {
    std::string name;    // without a domain
    std::string domain;  // empty: the phone wrote none
};
/// Reads username or username*, quoted pairs and percent escapes resolved; what follows the last
/// '@' is the domain. Nothing when the credentials name nobody, name him both ways, or in a
/// malformed way.
std::optional<ClaimedUser> claimed_user(const sip::Credentials& credentials);

}  // namespace signalbox::auth
