// A checked request with the values that every step reads, parsed once.
#include "proxy/incoming_request.h"

namespace signalbox::proxy {

Result<IncomingRequest> read_request(const sip::MessageView& message, const transport::Flow& flow,
                                     const ports::Snapshot& snapshot) {
    using sip::HeaderId;
    IncomingRequest request{message, flow, snapshot, {}, {}, {}, {}, {}};
    TRY_ASSIGN(via, sip::parse_via(message.value(HeaderId::Via)));
    TRY_ASSIGN(from,
               sip::parse_name_addr(message.value(HeaderId::From), ErrorCode::malformed_from));
    TRY_ASSIGN(to, sip::parse_name_addr(message.value(HeaderId::To), ErrorCode::malformed_to));
    TRY_ASSIGN(cseq, sip::parse_cseq(message.value(HeaderId::CSeq)));
    request.via = via;
    request.from = from;
    request.to = to;
    request.cseq = cseq;
    request.call_id = message.value(HeaderId::CallId);
    request.is_trusted = snapshot.is_trusted(flow);
    request.mode = snapshot.mode_for(flow, message.method_text(), message.request_uri());
    return request;
}

}  // namespace signalbox::proxy
