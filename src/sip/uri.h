// SIP, SIPS and tel URIs: parsing, escapes, comparison.
// Implements: RFC 3261 §19.1, §25.1; RFC 3966
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace signalbox::sip {

enum class Scheme : uint8_t { Sip, Sips, Tel, Other };

/// Views: the text it was parsed from. All parts are as received, escapes included.
struct Uri {
    Scheme scheme = Scheme::Other;
    std::string_view text;  // the whole URI
    std::string_view scheme_text;
    std::string_view
        user;  // sip: userinfo without password; tel: the subscriber's number; empty: none
    std::string_view password;
    bool has_user = false;         // "sip:@host" is malformed; "sip:host" has none
    std::string_view host;         // IPv6 with its brackets
    std::optional<uint16_t> port;  // as written
    std::string_view params;       // behind the first ';', up to '?', without that ';'
    std::string_view headers;      // behind '?'

    bool is_sip() const { return scheme == Scheme::Sip || scheme == Scheme::Sips; }
    /// A parameter's value: nothing when absent, empty when it has no value. Name case-insensitive
    /// (escapes decoded for comparison).
    std::optional<std::string_view> param(std::string_view name) const {
        if (params.empty()) return std::nullopt;  // as most
        return find_param(name);
    }
    /// The port to use: as written, or 5061 for sips, or 5060.
    uint16_t port_or_default() const;

 private:
    std::optional<std::string_view> find_param(std::string_view name) const;
};

/// Parses a URI: all of `text`, no angle brackets. Error::unsupported_uri_scheme never: another
/// scheme gives Scheme::Other with only scheme_text and text set.
Result<Uri> parse_uri(std::string_view text);
/// The same into a new `uri`, which has no meaning after an error. For what many messages have: no
/// copy is made.
Result<void> read_uri(std::string_view text, Uri& uri);

/// RFC 3261 §19.1.4: user and password case-sensitive, host and parameters not, escapes decoded but
/// those of reserved characters, transport, user, ttl, method and maddr must be in both or in
/// neither, other parameters compared when in both, header components in any order but all. tel:
/// RFC 3966 §4. Other schemes: octet equality. Not transitive: never a key of a map.
bool uris_equal(const Uri& a, const Uri& b);

/// `escaped` with its %HH decoded, appended to `out`.
void unescape(std::string_view escaped, std::string& out);

/// The canonical form of a user part: escapes decoded, a tel number or user=phone number without
/// visual separators. Two user parts name one address of record exactly when this is the same (RFC
/// 3261 §10.3 step 5; RFC 3966 §4).
std::string canonical_user(const Uri& uri);

/// A host name or address without regard to case, a final dot or brackets' inner form.
bool hosts_equal(std::string_view a, std::string_view b);

}  // namespace signalbox::sip
