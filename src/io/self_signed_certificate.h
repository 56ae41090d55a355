// A certificate of our own making, for a server that was given none.
#pragma once

#include <string>
#include <vector>

#include "base/ip_endpoint.h"
#include "base/time.h"
#include "io/tls_context.h"

namespace signalbox::io {

/// Writes a new key (P-256) and a certificate that it signs itself, valid for ten years from the
/// day before `now`, with `names` (at least one) and `addresses` as subjectAltNames. The key's file
/// can be read by its owner only; both appear whole or not at all. The error is a sentence that
/// names the file.
TlsOutcome<void> write_self_signed(const CertificateFiles& files,
                                   const std::vector<std::string>& names,
                                   const std::vector<IpAddress>& addresses, WallTime now);

}  // namespace signalbox::io
