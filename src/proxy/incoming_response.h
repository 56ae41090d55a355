// A checked response with the values that every step reads, parsed once.
// Implements: RFC 3261 §16.7, §18.1.2
#pragma once

#include <string_view>

#include "sip/check_message.h"
#include "sip/message_view.h"
#include "transaction/branch.h"
#include "transport/flow.h"

namespace signalbox::proxy {

/// Views: the packet. Lives for one call into the core.
struct IncomingResponse {
    const sip::MessageView& message;
    const transport::Flow& flow;
    const sip::KeyFields& fields;      // its top Via is ours
    transaction::BranchFields branch;  // of our Via, opened

    int status() const { return message.status(); }
    sip::Method method() const { return message.method(); }
    bool is_success() const { return status() >= 200 && status() < 300; }
    std::string_view call_id() const { return message.value(sip::HeaderId::CallId); }
    std::string_view from_tag() const { return fields.from.tag; }
    std::string_view to_tag() const { return fields.to.tag; }
};

}  // namespace signalbox::proxy
