// Which SIP domains a certificate speaks for. Implements: RFC 5922 §7.1, §7.2; RFC 5924 §4
#pragma once

#include <openssl/x509.h>

#include <string>
#include <string_view>
#include <vector>

#include "base/ip_endpoint.h"

namespace signalbox::io {

/// The SIP domain identities of a certificate, lower case: its subjectAltNames of the form
/// "sip:domain" without a user, and its DNS names; the common name only when it has no
/// subjectAltName at all. Wildcards are none. Empty when its extended key usages exclude SIP. At
/// most 64.
std::vector<std::string> domain_identities(X509* certificate);

/// True when `certificate` speaks for `domain` (the whole name, without regard to case).
bool is_certificate_of(X509* certificate, std::string_view domain);
/// True when it names `address` as a subjectAltName.
bool is_certificate_of(X509* certificate, const IpAddress& address);

}  // namespace signalbox::io
