// A REGISTER with what is read from it once. Internal to the registrar.
#pragma once

#include "registrar/registrar.h"

namespace signalbox::registrar {

/// Views: the packet, or the registrar's scratch.
struct Registrar::Request {
    Now now;
    const sip::MessageView& message;
    const transport::Flow& flow;
    const RegisterContext& context;
    std::string_view call_id = {};
    uint32_t cseq = 0;
    uint32_t expires = 0;           // for contacts without a parameter of their own
    bool is_expires_asked = false;  // by an Expires header field
    std::string_view user_agent = {};
    std::string_view path = {};      // all Path values, joined (RFC 3327 §5.3)
    bool supports_outbound = false;  // the phone does
    bool is_outbound = false;        // the reg-id of its Contact counts

    const ports::RegistrarSettings& settings() const { return context.snapshot.registrar; }
    /// RFC 3261 §10.3 step 7: of two requests of one Call-ID the older must not undo the newer.
    bool is_older_than(const ports::BindingView& record) const {
        return record.call_id == call_id && cseq <= record.cseq;
    }
};

}  // namespace signalbox::registrar
