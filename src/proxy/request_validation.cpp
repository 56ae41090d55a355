// The checks that every request passes before it is proxied. Implements: RFC 3261 §16.3
#include "proxy/request_validation.h"

#include "sip/params.h"

namespace signalbox::proxy {

std::optional<Rejection> validate_request(const IncomingRequest& request, const Routing& routing) {
    const sip::MessageView& message = request.message;
    if (routing.uri.scheme == sip::Scheme::Other) return Rejection{416, {}, {}};
    if (message.first(sip::HeaderId::MaxForwards) != nullptr) {
        const auto max_forwards =
            sip::parse_max_forwards(message.value(sip::HeaderId::MaxForwards));
        if (!max_forwards) return Rejection{400, error_text(max_forwards.error().code), {}};
        if (*max_forwards == 0) return Rejection{483, {}, {}};
    }
    if (message.first(sip::HeaderId::ProxyRequire) != nullptr) {
        // We support no extension that a proxy must understand, so each option tag is unsupported.
        Rejection rejection{420, {}, {}};
        std::string unsupported;
        for (const sip::HeaderField* field = message.first(sip::HeaderId::ProxyRequire);
             field != nullptr; field = message.next(field)) {
            sip::ListWalker tags(message.value(*field));
            while (const auto tag = tags.next()) {
                if (!unsupported.empty()) unsupported += ", ";
                unsupported += *tag;
            }
        }
        rejection.headers[0] = {"Unsupported", std::move(unsupported)};
        return rejection;
    }
    return std::nullopt;
}

}  // namespace signalbox::proxy
