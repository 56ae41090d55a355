// The two requests that a client transaction makes out of the INVITE it sent. Implements: RFC 3261
// §17.1.1.3, §9.1
#include "transaction/ack_and_cancel.h"

#include "base/text.h"
#include "sip/header_values.h"

namespace signalbox::transaction {

namespace {

void append_header(std::string& out, std::string_view name, std::string_view value) {
    out.append(name).append(": ").append(value).append("\r\n");
}

/// `to` and `reason` are values; an empty reason means none.
void append_request(const sip::MessageView& invite, std::string_view method, std::string_view to,
                    std::string_view reason, std::string& out) {
    const Result<sip::Via> via = sip::parse_via(invite.value(sip::HeaderId::Via));
    const std::optional<sip::CSeq>& cseq = invite.cseq();
    if (!via || !cseq) return;

    out.append(method).append(" ").append(invite.request_uri()).append(" SIP/2.0\r\n");
    append_header(out, "Via", via->text);
    append_header(out, "Max-Forwards", "70");
    for (const sip::HeaderField* route = invite.first(sip::HeaderId::Route); route != nullptr;
         route = invite.next(route)) {
        append_header(out, "Route", invite.value(*route));
    }
    append_header(out, "From", invite.value(sip::HeaderId::From));
    append_header(out, "To", to);
    append_header(out, "Call-ID", invite.value(sip::HeaderId::CallId));
    out.append("CSeq: ");
    text::append_number(out, cseq->number);
    out.append(" ").append(method).append("\r\n");
    if (!reason.empty()) append_header(out, "Reason", reason);
    out.append("Content-Length: 0\r\n\r\n");
}

}  // namespace

void build_ack(std::string_view invite, const sip::MessageView& response, std::string& out) {
    out.clear();
    sip::MessageView view;
    if (!sip::parse_message(invite, view)) return;
    append_request(view, "ACK", response.value(sip::HeaderId::To), {}, out);
}

void build_cancel(std::string_view invite, std::string_view reason, std::string& out) {
    out.clear();
    sip::MessageView view;
    if (!sip::parse_message(invite, view)) return;
    append_request(view, "CANCEL", view.value(sip::HeaderId::To), reason, out);
}

}  // namespace signalbox::transaction
