// Whether the server can take the body of a request for itself. Implements: RFC 3261 §8.2.3
#include "core/content_check.h"

#include "base/text.h"
#include "sip/header_values.h"
#include "sip/params.h"

namespace signalbox::core {
namespace {

using sip::HeaderId;

bool is_optional(const sip::MessageView& request) {
    const std::string_view disposition = request.value(HeaderId::ContentDisposition);
    const size_t params = disposition.find(';');
    if (params == std::string_view::npos) return false;
    const auto handling = sip::find_param(disposition.substr(params), "handling");
    return handling && handling->value && text::iequals(*handling->value, "optional");
}

proxy::Rejection unsupported(std::string_view field, std::string_view accepted) {
    proxy::Rejection rejection{415, {}, {}};
    rejection.headers[0] = {field, std::string(accepted)};
    return rejection;
}

}  // namespace

std::optional<proxy::Rejection> refuse_content(const sip::MessageView& request) {
    if (request.body().empty() || is_optional(request)) return std::nullopt;
    const std::string_view encoding = request.value(HeaderId::ContentEncoding);
    if (!encoding.empty() && !text::iequals(encoding, kAcceptedEncoding))
        return unsupported("Accept-Encoding", kAcceptedEncoding);
    if (request.first(HeaderId::ContentType) == nullptr) return std::nullopt;
    const auto type = sip::parse_media_type(request.value(HeaderId::ContentType));
    const bool is_taken =
        type && text::iequals(type->type, "application") && text::iequals(type->subtype, "sdp");
    if (is_taken) return std::nullopt;
    return unsupported("Accept", kAcceptedType);
}

}  // namespace signalbox::core
