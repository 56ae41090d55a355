// What makes a message fit to be acted on. Implements: RFC 3261 §8.1.1, §8.2, §16.3
#pragma once

#include <optional>

#include "base/result.h"
#include "sip/header_values.h"
#include "sip/message_view.h"

namespace signalbox::sip {

/// What every element reads of every message. Views: the message.
struct KeyFields {
    Via via;                     // the topmost
    std::string_view more_vias;  // behind it in the same header field; empty without
    NameAddr from, to;           // of a response with `uri` empty
    CSeq cseq;
    std::optional<uint32_t> max_forwards;
};

/// Checks of a request or response as a whole that every element makes before it acts on it:
/// exactly one From, To, Call-ID and CSeq, at least one Via, at most one Max-Forwards and
/// Content-Length, each well formed (of the Content-Length parse_message() knows it); the topmost
/// Via of SIP/2.0; the CSeq number below 2^31 and its method the request's (RFC 3261 §8.1.1, §8.2,
/// §16.3 step 1). Gives the values of those that are read again. The error names the field.
Result<KeyFields> check_message(const MessageView& view);

/// Its first half: the counts and the topmost Via, by which a message is told from others.
Result<void> check_top_via(const MessageView& view, KeyFields& fields);
/// Its second half.
Result<void> check_below_via(const MessageView& view, KeyFields& fields);

}  // namespace signalbox::sip
