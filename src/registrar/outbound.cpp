// Whether the first hop of a registration keeps the flow to its phone.
#include "registrar/outbound.h"

#include "sip/header_values.h"
#include "sip/params.h"

namespace signalbox::registrar {

bool came_directly(const sip::MessageView& request) {
    const sip::HeaderField* via = request.first(sip::HeaderId::Via);
    if (via == nullptr || request.next(via) != nullptr) return false;
    sip::ListWalker values(request.value(*via));
    values.next();
    return !values.next();
}

bool first_hop_keeps_flows(const sip::MessageView& request, std::string_view path) {
    if (came_directly(request)) return true;
    std::string_view last;
    sip::ListWalker values(path);
    while (const auto value = values.next()) last = *value;
    const auto hop = sip::parse_name_addr(last, ErrorCode::malformed_route);
    return hop && hop->uri.param("ob").has_value();
}

uint32_t flow_timer_s(const transport::Flow& flow) {
    return transport::is_reliable(flow.transport) ? 120 : 29;
}

}  // namespace signalbox::registrar
