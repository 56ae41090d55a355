// Reads the answers of DNS that c-ares hands over as they came. Implements: RFC 1035 §4.1; RFC 2308
// §5; RFC 2782; RFC 3403 §4.1
#pragma once

#include <optional>
#include <string_view>

#include "resolver/dns_records.h"

namespace signalbox::io {

/// The records of `type` (SRV or NAPTR) in the answer section, behind whatever CNAMEs, with the
/// smallest TTL on the way; None with the TTL of the SOA record when there is none. Nothing when
/// the message cannot be read.
std::optional<resolver::RecordSet> read_dns_answer(std::string_view message,
                                                   resolver::RecordType type);

}  // namespace signalbox::io
