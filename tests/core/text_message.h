// SIP messages as the tests write and read them: a request to fill in, a received message to look
// into.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "sip/header_values.h"
#include "sip/message_view.h"
#include "transport/flow.h"

namespace signalbox::core::testing {

/// A request before it is sent. An empty field is left out.
struct RequestText {
    std::string method = "INVITE";
    std::string uri = "sip:bob@example.test";
    std::string via;
    std::vector<std::string> routes;
    std::string max_forwards = "70";
    std::string from, to;
    std::string call_id;
    uint32_t cseq = 1;
    std::string contact;
    std::vector<std::string> more;  // whole header lines
    std::string body;
    bool has_content_length = true;

    std::string text() const;
    RequestText& with(std::string line) {
        more.push_back(std::move(line));
        return *this;
    }
    std::string branch() const;
};

/// A message that a phone received. Copies share the text.
class Message final {
 public:
    Message() = default;
    Message(std::string text, const transport::Flow& flow);

    const std::string& text() const { return parts_->text; }
    const sip::MessageView& view() const { return parts_->view; }
    const transport::Flow& flow() const { return parts_->flow; }
    bool is_request() const { return view().is_request(); }
    int status() const { return view().status(); }
    std::string method() const { return std::string(view().method_text()); }
    std::string uri() const { return std::string(view().request_uri()); }
    std::string kind() const;  // "INVITE" or "200"
    std::string reason() const { return std::string(view().reason()); }
    std::string body() const { return std::string(view().body()); }
    /// The first header field of that name; empty when there is none.
    std::string header(std::string_view name) const;
    /// Every value of the header fields of that name, comma lists taken apart.
    std::vector<std::string> values(std::string_view name) const;
    bool has(std::string_view name) const { return !header(name).empty(); }
    std::string tag(std::string_view name) const;
    /// Of the top Via.
    std::string branch() const;

 private:
    struct Parts {
        std::string text;
        sip::MessageView view;
        transport::Flow flow;
    };
    std::shared_ptr<Parts> parts_;
};

/// The URI between the angle brackets of a header field's value.
std::string uri_of(std::string_view name_addr);

}  // namespace signalbox::core::testing
