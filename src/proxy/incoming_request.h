// A checked request with the values that every step reads, parsed once.
// Implements: RFC 3261 §16.3 step 1, §8.1.1
#pragma once

#include <optional>
#include <string_view>

#include "ports/snapshot.h"
#include "sip/check_message.h"
#include "sip/message_view.h"
#include "transaction/transaction_values.h"
#include "transport/flow.h"

namespace signalbox::proxy {

/// Views: the packet, and what check_message() read of it. Lives for one call into the core.
struct IncomingRequest {
    const sip::MessageView& message;
    const transport::Flow& flow;
    const ports::Snapshot& snapshot;
    const sip::Via& via;
    std::string_view more_vias;  // behind it in the same header field
    const sip::NameAddr& from;
    const sip::NameAddr& to;
    const sip::CSeq& cseq;
    std::string_view call_id;
    std::optional<uint32_t> max_forwards;
    bool is_trusted = false;                             // its source needs no credentials
    ports::ProxyMode mode = ports::ProxyMode::Stateful;  // what we are for it
    transaction::ServerKey key = {};

    sip::Method method() const { return message.method(); }
    bool is_in_dialog() const { return !to.tag.empty(); }
    transaction::ReceivedRequest received() const { return {message, via, key}; }
};

/// The request that came by `flow`, with what check_message() read of it; `key` as in
/// transaction::ReceivedRequest.
IncomingRequest make_request(const sip::MessageView& message, const sip::KeyFields& fields,
                             const transport::Flow& flow, const ports::Snapshot& snapshot,
                             transaction::ServerKey key = {});

}  // namespace signalbox::proxy
