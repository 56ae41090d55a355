// SIP messages as the tests write and read them.
#include "tests/core/text_message.h"

#include "base/text.h"
#include "sip/params.h"

namespace signalbox::core::testing {

std::string RequestText::text() const {
    std::string out = method + " " + uri + " SIP/2.0\r\n";
    const auto line = [&out](std::string_view name, std::string_view value) {
        if (!value.empty()) out.append(name).append(": ").append(value).append("\r\n");
    };
    line("Via", via);
    for (const std::string& route : routes) line("Route", route);
    line("Max-Forwards", max_forwards);
    line("From", from);
    line("To", to);
    line("Call-ID", call_id);
    line("CSeq", std::to_string(cseq) + " " + method);
    line("Contact", contact);
    for (const std::string& header : more) out += header + "\r\n";
    if (has_content_length) line("Content-Length", std::to_string(body.size()));
    return out + "\r\n" + body;
}

std::string RequestText::branch() const {
    const auto parsed = sip::parse_via(via);
    return parsed ? std::string(parsed->branch) : std::string();
}

Message::Message(std::string text, const transport::Flow& flow)
    : parts_(std::make_shared<Parts>()) {
    parts_->text = std::move(text);
    parts_->flow = flow;
    // What cannot be read whole fails where a phone expects something of it.
    static_cast<void>(sip::parse_message(parts_->text, parts_->view));
}

std::string Message::kind() const {
    return is_request() ? method() : std::to_string(status());
}

std::string Message::header(std::string_view name) const {
    for (const sip::HeaderField& field : view().headers()) {
        if (text::iequals(view().name(field), name)) return std::string(view().value(field));
    }
    return {};
}

std::vector<std::string> Message::values(std::string_view name) const {
    std::vector<std::string> all;
    for (const sip::HeaderField& field : view().headers()) {
        if (!text::iequals(view().name(field), name)) continue;
        sip::ListWalker walker(view().value(field));
        while (const auto value = walker.next()) all.emplace_back(*value);
    }
    return all;
}

std::string Message::tag(std::string_view name) const {
    const std::string value = header(name);
    const auto address = sip::parse_name_addr(value, ErrorCode::malformed_to);
    return address ? std::string(address->tag) : std::string();
}

std::string Message::branch() const {
    const std::string value = header("Via");
    const auto via = sip::parse_via(value);
    return via ? std::string(via->branch) : std::string();
}

std::string uri_of(std::string_view name_addr) {
    const size_t begin = name_addr.find('<');
    const size_t end = name_addr.find('>');
    if (begin == std::string_view::npos || end == std::string_view::npos)
        return std::string(name_addr);
    return std::string(name_addr.substr(begin + 1, end - begin - 1));
}

}  // namespace signalbox::core::testing
