// A request that a context kept, parsed again when something is needed of it later.
#pragma once

#include <optional>

#include "proxy/incoming_request.h"
#include "proxy/response_context.h"

namespace signalbox::proxy {

/// Views: the context's arena. It was read before, so that it can be read again: anything else is a
/// programmer's error.
class ResumedRequest final {
 public:
    explicit ResumedRequest(const ResponseContext& context) {
        CHECK(sip::parse_message(context.request, message_).has_value());
        auto read = read_request(message_, context.flow, *context.snapshot);
        CHECK(read.has_value());
        request_.emplace(*read);
    }
    ResumedRequest(const ResumedRequest&) = delete;
    ResumedRequest& operator=(const ResumedRequest&) = delete;

    const sip::MessageView& message() const { return message_; }
    const IncomingRequest& request() const { return *request_; }

 private:
    sip::MessageView message_;
    std::optional<IncomingRequest> request_;
};

}  // namespace signalbox::proxy
