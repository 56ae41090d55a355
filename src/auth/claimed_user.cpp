// Who credentials claim to come from, and which credentials of a request are for us.
// Implements: RFC 3261 §22.3; RFC 7616 §3.4.4; RFC 5987 §3.2
#include "auth/claimed_user.h"

#include "auth/quoted_pairs.h"
#include "base/text.h"

namespace signalbox::auth {

namespace {

/// "UTF-8'en'al%C3%A9x" as text; nothing when it is no ext-value in UTF-8.
std::optional<std::string> decode_extended(std::string_view value) {
    const size_t charset_end = value.find('\'');
    if (charset_end == std::string_view::npos) return std::nullopt;
    if (!text::iequals(value.substr(0, charset_end), "UTF-8")) return std::nullopt;
    const size_t language_end = value.find('\'', charset_end + 1);
    if (language_end == std::string_view::npos) return std::nullopt;
    const std::string_view escaped = value.substr(language_end + 1);
    std::string out;
    out.reserve(escaped.size());
    for (size_t i = 0; i < escaped.size(); ++i) {
        if (escaped[i] != '%') {
            out.push_back(escaped[i]);
            continue;
        }
        if (escaped.size() - i < 3) return std::nullopt;
        const int high = text::hex_digit(escaped[i + 1]);
        const int low = text::hex_digit(escaped[i + 2]);
        if (high < 0 || low < 0) return std::nullopt;
        out.push_back(static_cast<char>(high * 16 + low));
        i += 2;
    }
    return out;
}

}  // namespace

Result<std::optional<sip::Credentials>> find_credentials(const sip::MessageView& request,
                                                         sip::HeaderId id, std::string_view realm) {
    std::optional<Error> unreadable;
    for (const sip::HeaderField* field = request.first(id); field != nullptr;
         field = request.next(field)) {
        const auto credentials = sip::parse_credentials(request.value(*field));
        if (!credentials) {
            unreadable = credentials.error();
            continue;
        }
        if (!credentials->is_digest) continue;
        const bool is_ours = credentials->has_quoted_pair
                                 ? resolve_pairs(credentials->realm) == realm
                                 : credentials->realm == realm;
        if (is_ours) return std::optional<sip::Credentials>(*credentials);
    }
    if (unreadable) return tl::unexpected(*unreadable);
    return std::optional<sip::Credentials>();
}

std::optional<ClaimedUser> claimed_user(const sip::Credentials& credentials) {
    std::string decoded;
    std::string_view claimed = credentials.username;
    if (credentials.username_extended) {
        if (!claimed.empty()) return std::nullopt;
        auto extended = decode_extended(*credentials.username_extended);
        if (!extended) return std::nullopt;
        decoded = std::move(*extended);
        claimed = decoded;
    } else if (credentials.has_quoted_pair) {
        decoded = resolve_pairs(claimed);
        claimed = decoded;
    }
    if (claimed.size() > kCredentialBytesMax) return std::nullopt;
    const size_t at = claimed.rfind('@');
    ClaimedUser user;
    user.name = claimed.substr(0, at);
    if (at != std::string_view::npos) user.domain = claimed.substr(at + 1);
    const bool is_whole =
        !user.name.empty() && (at == std::string_view::npos || !user.domain.empty());
    if (!is_whole) return std::nullopt;
    return user;
}

}  // namespace signalbox::auth
