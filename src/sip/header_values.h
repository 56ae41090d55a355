// The structured header fields, each parsed from a value when asked for.
// Implements: RFC 3261 §20
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/time.h"
#include "sip/method.h"
#include "sip/uri.h"

namespace signalbox::sip {

/// One Via value. Views: the text. RFC 3261 §20.42; RFC 3581.
struct Via {
    std::string_view text;       // this value alone, not its neighbours in a comma list
    bool is_sip_2 = false;       // its protocol is SIP and the version 2.0 (RFC 3261 §8.1.1.7)
    std::string_view transport;  // "UDP", as received
    std::string_view host;       // sent-by host, IPv6 with brackets
    std::optional<uint16_t> port;
    std::string_view params;  // from the first ';' on, or empty
    std::string_view branch;  // empty: none
    std::optional<std::string_view> received;
    std::string_view received_text;  // the whole parameter, within `text`; empty: none
    bool has_rport = false;
    std::optional<uint16_t> rport;  // with a value
    std::string_view rport_text;    // the whole parameter, within `text`; empty: none
    std::optional<std::string_view> maddr;
    std::optional<uint32_t> ttl;
    /// The branch begins with z9hG4bK, in any case (RFC 3261 §8.1.1.7).
    bool has_magic_cookie() const;
    /// The port, or 5060, or 5061 for TLS and WSS.
    uint16_t port_or_default() const;
};
/// Parses the first value of a Via header field's value. `rest` receives what follows its comma
/// (empty: nothing).
Result<Via> parse_via(std::string_view value, std::string_view* rest = nullptr);
/// The same into a new `via`, which has no meaning when false is returned. No copy is made.
bool read_via(std::string_view value, Via& via, std::string_view* rest);

/// From, To, Contact, Route, Record-Route, Path, Reply-To, Refer-To: a name-addr or addr-spec with
/// parameters. Views: the text. In the form without angle brackets, parameters belong to the header
/// field, never to the URI (RFC 3261 §20).
struct NameAddr {
    std::string_view text;          // this value alone
    std::string_view display_name;  // as received, quotes included; empty: none
    std::string_view uri_text;      // between the brackets, or the addr-spec
    Uri uri;
    std::string_view params;  // header parameters, from the first ';' on, or empty
    std::string_view tag;     // empty: none
};
/// Parses the first value; `rest` as for parse_via. `bad` is the error to give.
Result<NameAddr> parse_name_addr(std::string_view value, ErrorCode bad,
                                 std::string_view* rest = nullptr);
/// The same into a new `out`, which has no meaning when false is returned. No copy is made.
bool read_name_addr(std::string_view value, NameAddr& out, std::string_view* rest);
/// All of it but the URI, of which only where it ends is looked at: `out.uri` stays empty.
bool read_around_uri(std::string_view value, NameAddr& out, std::string_view* rest);

/// One Contact value with what a registrar reads from it.
struct Contact {
    bool is_star = false;  // "*": nothing else is set
    NameAddr address;
    std::optional<uint32_t> expires;  // seconds; a value past 2^32-1 is 2^32-1; malformed: absent
                                      // (RFC 3261 §10.3 reads it as 3600 by default)
    bool has_malformed_expires = false;
    uint16_t q = 1000;  // thousandths; 1000 when absent
    bool has_q = false;
};
Result<Contact> parse_contact(std::string_view value, std::string_view* rest = nullptr);

struct CSeq {
    uint32_t number = 0;  // below 2^31
    Method method = Method::Extension;
    std::string_view method_text;
};
Result<CSeq> parse_cseq(std::string_view value);

/// 0 to 255. RFC 3261 §20.22.
Result<uint32_t> parse_max_forwards(std::string_view value);
/// How many branches may run at once below; past 2^32-1 is 2^32-1. RFC 5393 §5.3.1.
Result<uint32_t> parse_max_breadth(std::string_view value);
/// Delta-seconds; past 2^32-1 is 2^32-1 (RFC 3261 §20.19).
Result<uint32_t> parse_expires(std::string_view value);
Result<uint32_t> parse_content_length(std::string_view value);
/// word [ "@" word ].
Result<std::string_view> parse_call_id(std::string_view value);

/// "0" to "1" with at most three decimals, in thousandths.
Result<uint16_t> parse_q(std::string_view value);

/// RFC 3261 §20.17, always GMT: "Sat, 13 Nov 2010 23:29:00 GMT".
Result<WallTime> parse_date(std::string_view value);
std::string format_date(WallTime at);

struct RetryAfter {
    uint32_t seconds = 0;
    std::optional<uint32_t> duration;
    std::string_view comment;
};
Result<RetryAfter> parse_retry_after(std::string_view value);

struct Timestamp {
    std::string_view value;
    std::optional<std::string_view> delay;
};
Result<Timestamp> parse_timestamp(std::string_view value);

struct MediaType {
    std::string_view type, subtype, params;
};
Result<MediaType> parse_media_type(std::string_view value);

struct Warning {
    uint16_t code = 0;
    std::string_view agent, text;  // text with its quotes
};
Result<Warning> parse_warning(std::string_view value, std::string_view* rest = nullptr);

/// Digest credentials: Authorization, Proxy-Authorization. RFC 3261 §20.7; RFC 7616 §3.4. Views:
/// the text; quoted strings without their quotes but with quoted pairs unresolved, flagged where
/// there are any.
struct Credentials {
    std::string_view text;   // the whole value
    bool is_digest = false;  // another scheme: nothing else is set
    std::string_view username, realm, nonce, uri, response, algorithm, cnonce, opaque, qop, nc;
    /// username*, as received (RFC 7616 §3.4.4).
    std::optional<std::string_view> username_extended;
    bool userhash = false;
    bool has_duplicate = false;    // one of the parameters came twice
    bool has_quoted_pair = false;  // a value holds a backslash: unquote() it
};
Result<Credentials> parse_credentials(std::string_view value);

/// A challenge, WWW-Authenticate or Proxy-Authenticate: for clients (the tests' phones, the load
/// program).
struct Challenge {
    bool is_digest = false;
    std::string_view realm, nonce, opaque, algorithm, qop, domain;
    bool stale = false;
};
Result<Challenge> parse_challenge(std::string_view value);

}  // namespace signalbox::sip
