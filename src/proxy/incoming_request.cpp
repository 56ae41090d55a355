// A checked request with the values that every step reads, parsed once.
#include "proxy/incoming_request.h"

namespace signalbox::proxy {

IncomingRequest make_request(const sip::MessageView& message, const sip::KeyFields& fields,
                             const transport::Flow& flow, const ports::Snapshot& snapshot,
                             transaction::ServerKey key) {
    return {message,
            flow,
            snapshot,
            fields.via,
            fields.more_vias,
            fields.from,
            fields.to,
            fields.cseq,
            message.value(sip::HeaderId::CallId),
            fields.max_forwards,
            snapshot.is_trusted(flow),
            snapshot.mode_for(flow, message.method_text(), message.request_uri()),
            key};
}

}  // namespace signalbox::proxy
