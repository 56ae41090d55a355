// Responses that we make ourselves.
// Implements: RFC 3261 §8.2.6, §16.2
#pragma once

#include <string>
#include <string_view>

#include "sip/message_view.h"

namespace signalbox::sip {

/// The phrase of RFC 3261 §21 for a status, or that of its class.
std::string_view default_reason(int status);

/// Builds a response to one request: Via in order, From, To (with `to_tag` added when it has none
/// and the status is not 100), Call-ID, CSeq, and Timestamp for a 100, copied as received; then
/// what is added; then Content-Length: 0 or the body.
class ResponseBuilder final {
 public:
    /// `request` may be a view that parse_message left after an error: absent header fields are
    /// left out. `out` is cleared. An empty `reason` means default_reason(). `top_via`, where
    /// given, stands for the first value of the first Via: the value that reception stamped with
    /// received and rport (RFC 3261 §18.2.1).
    ResponseBuilder(const MessageView& request, int status, std::string_view reason,
                    std::string_view to_tag, std::string& out, std::string_view top_via = {});
    void add(std::string_view name, std::string_view value);
    /// Ends the response; nothing may follow.
    void finish(std::string_view content_type = {}, std::string_view body = {});

 private:
    void copy_vias(const MessageView& request, std::string_view top_via);
    void copy_to(const MessageView& request, std::string_view to_tag);

    std::string& out_;
};

}  // namespace signalbox::sip
