// A request that was kept, parsed again when something is needed of it later.
#pragma once

#include <optional>

#include "proxy/incoming_request.h"
#include "proxy/response_context.h"

namespace signalbox::proxy {

/// Views: the octets, the flow and the snapshot. It was read before, so that it can be read again:
/// anything else is a programmer's error.
class ResumedRequest final {
 public:
    ResumedRequest(std::string_view bytes, const transport::Flow& flow,
                   const ports::Snapshot& snapshot) {
        CHECK(sip::parse_message(bytes, message_).has_value());
        const auto fields = sip::check_message(message_);
        CHECK(fields.has_value());
        fields_ = *fields;
        request_.emplace(make_request(message_, fields_, flow, snapshot));
    }
    explicit ResumedRequest(const ResponseContext& context)
        : ResumedRequest(context.request, context.flow, *context.snapshot) {}
    ResumedRequest(const ResumedRequest&) = delete;
    ResumedRequest& operator=(const ResumedRequest&) = delete;

    const sip::MessageView& message() const { return message_; }
    const IncomingRequest& request() const { return *request_; }

 private:
    sip::MessageView message_;
    sip::KeyFields fields_;
    std::optional<IncomingRequest> request_;
};

}  // namespace signalbox::proxy
