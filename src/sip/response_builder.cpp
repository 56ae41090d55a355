// Responses that we make ourselves, from the octets of the request.
// Implements: RFC 3261 §8.2.6, §16.2
#include "sip/response_builder.h"

#include "base/text.h"
#include "sip/header_values.h"
#include "sip/params.h"

namespace signalbox::sip {

namespace {

void copy_first(const MessageView& request, HeaderId id, std::string& out) {
    const HeaderField* field = request.first(id);
    if (field == nullptr) return;
    out.append(request.bytes().substr(field->begin, field->end - field->begin));
}

/// A To that cannot be parsed is copied with a tag too: it has none that we could read.
bool needs_tag(std::string_view to) {
    if (to.empty()) return false;
    if (to.find('=') == std::string_view::npos) return true;  // no parameter with a value
    const Result<NameAddr> address = parse_name_addr(to, ErrorCode::malformed_to);
    return !address || address->tag.empty();
}

}  // namespace

ResponseBuilder::ResponseBuilder(const MessageView& request, int status, std::string_view reason,
                                 std::string_view to_tag, std::string& out,
                                 std::string_view top_via)
    : out_(out) {
    out_.clear();
    out_.append("SIP/2.0 ");
    text::append_number(out_, static_cast<uint64_t>(status));
    out_.push_back(' ');
    out_.append(reason.empty() ? default_reason(status) : reason);
    out_.append("\r\n");
    copy_vias(request, top_via);
    copy_first(request, HeaderId::From, out_);
    copy_to(request, status == 100 ? std::string_view{} : to_tag);
    copy_first(request, HeaderId::CallId, out_);
    copy_first(request, HeaderId::CSeq, out_);
    if (status == 100) copy_first(request, HeaderId::Timestamp, out_);
}

void ResponseBuilder::copy_vias(const MessageView& request, std::string_view top_via) {
    const std::string_view bytes = request.bytes();
    const HeaderField* via = request.first(HeaderId::Via);
    if (via != nullptr && !top_via.empty()) {
        ListWalker walker(request.value(*via));
        const std::optional<std::string_view> first = walker.next();
        const char* behind = first ? first->data() + first->size() : bytes.data() + via->value_end;
        const auto rest = static_cast<size_t>(behind - bytes.data());
        out_.append(bytes.substr(via->begin, via->value_begin - via->begin));
        out_.append(top_via);
        out_.append(bytes.substr(rest, via->end - rest));
        via = request.next(via);
    }
    for (; via != nullptr; via = request.next(via)) {
        out_.append(bytes.substr(via->begin, via->end - via->begin));
    }
}

void ResponseBuilder::copy_to(const MessageView& request, std::string_view to_tag) {
    const HeaderField* to = request.first(HeaderId::To);
    if (to == nullptr) return;
    const std::string_view bytes = request.bytes();
    out_.append(bytes.substr(to->begin, to->value_end - to->begin));
    if (!to_tag.empty() && needs_tag(request.value(*to))) {
        out_.append(";tag=");
        out_.append(to_tag);
    }
    out_.append(bytes.substr(to->value_end, to->end - to->value_end));
}

void ResponseBuilder::add(std::string_view name, std::string_view value) {
    out_.append(name);
    out_.append(": ");
    out_.append(value);
    out_.append("\r\n");
}

void ResponseBuilder::finish(std::string_view content_type, std::string_view body) {
    if (!content_type.empty()) add("Content-Type", content_type);
    out_.append("Content-Length: ");
    text::append_number(out_, body.size());
    out_.append("\r\n\r\n");
    out_.append(body);
}

}  // namespace signalbox::sip
