// The two requests that a client transaction makes out of the INVITE it sent. Implements: RFC 3261
// §17.1.1.3, §9.1
#pragma once

#include <string>
#include <string_view>

#include "sip/message_view.h"

namespace signalbox::transaction {

/// The ACK of the failure `response` to `invite`, the request as it was sent: the same Request-URI,
/// top Via, Route, From, Call-ID and CSeq number, To as in the response. `out` is cleared; it stays
/// empty when `invite` cannot be read.
void build_ack(std::string_view invite, const sip::MessageView& response, std::string& out);

/// The CANCEL of `invite`: all of those as in the INVITE. `reason` is the value of its Reason
/// header field, or empty (RFC 3326).
void build_cancel(std::string_view invite, std::string_view reason, std::string& out);

}  // namespace signalbox::transaction
