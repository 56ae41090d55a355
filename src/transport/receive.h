// What a server does to the top Via on reception, and where a response goes. Implements: RFC 3261
// §18.2.1, §18.2.2; RFC 3263 §5; RFC 3581 §4
#pragma once

#include <optional>
#include <string>

#include "sip/edit_list.h"
#include "sip/header_values.h"
#include "transport/flow.h"

namespace signalbox::transport {

/// The parameters that the top Via must get: `received` when its host is not the source address as
/// text, or rport was asked for (RFC 3581 §4), and the value of rport where it was asked for.
/// Values that the client put there itself are overwritten. An IPv6 `received` is written without
/// brackets. Appends to `edits` what adds or replaces them in the message that is forwarded or
/// copied. `top` must be the first Via of that message.
void stamp_top_via(const sip::MessageView& request, const sip::Via& top, const Flow& flow,
                   sip::EditList& edits);

/// The same as text: the top Via's value with those parameters, for responses that we build from
/// the request. Appended to `out`.
void append_stamped_via(const sip::Via& top, const Flow& flow, std::string& out);

/// Where the response to a request that came by `flow` goes. Streams: the same connection, with the
/// address to open one to should it have closed: the source with the sent-by port. Datagrams: maddr
/// with the sent-by port where maddr is an address, else the source address and port, as if rport
/// had been asked for (RFC 3581 §4).
Flow response_flow(const sip::Via& top, const Flow& flow);

/// The same for a request that keeps no transaction, where a datagram without maddr and rport goes
/// to the source address and the port of sent-by (RFC 3261 §18.2.2, §16.11).
Flow stateless_response_flow(const sip::Via& top, const Flow& flow);

}  // namespace signalbox::transport
