// The checks that every request passes before it is proxied. Implements: RFC 3261 §16.3, §8.3;
// RFC 3323 §5; RFC 5393 §5.3.3
#include "proxy/request_validation.h"

#include "base/text.h"
#include "proxy/privacy.h"
#include "sip/params.h"

namespace signalbox::proxy {

namespace {

/// "privacy" is an extension that we have as far as we can give what is asked for; where we cannot
/// and it is critical, there is a better answer than 420 (RFC 3323 §5).
bool is_supported(std::string_view option_tag, const sip::MessageView& message) {
    if (!text::iequals(option_tag, "privacy")) return false;
    const Privacy privacy = read_privacy(message);
    return privacy.is_provided() || privacy.is_critical;
}

/// A request that may have no branch at all can go nowhere.
std::optional<Rejection> check_breadth(const sip::MessageView& message) {
    if (message.first(sip::HeaderId::MaxBreadth) == nullptr) return std::nullopt;
    const auto breadth = sip::parse_max_breadth(message.value(sip::HeaderId::MaxBreadth));
    if (!breadth) return Rejection{400, error_text(breadth.error().code), {}};
    if (*breadth == 0) return Rejection{440, {}, {}};
    return std::nullopt;
}

/// RFC 3261 §8.3: a redirect server passes over what it does not understand, and forwards nothing.
bool is_redirected(const IncomingRequest& request, const Routing& routing) {
    return request.mode == ports::ProxyMode::Redirect && routing.next_route.empty() &&
           !routing.token && !routing.edge_flow;
}

}  // namespace

std::optional<Rejection> validate_request(const IncomingRequest& request, const Routing& routing) {
    const sip::MessageView& message = request.message;
    // With another Route, it is the next proxy that has to understand it (RFC 5031 §4.2).
    if (routing.uri.scheme == sip::Scheme::Other && routing.next_route.empty())
        return Rejection{416, {}, {}};
    if (is_redirected(request, routing)) return std::nullopt;
    if (request.max_forwards == 0) return Rejection{483, {}, {}};
    if (message.first(sip::HeaderId::ProxyRequire) != nullptr) {
        std::string unsupported;
        for (const sip::HeaderField* field = message.first(sip::HeaderId::ProxyRequire);
             field != nullptr; field = message.next(field)) {
            sip::ListWalker tags(message.value(*field));
            while (const auto tag = tags.next()) {
                if (is_supported(*tag, message)) continue;
                if (!unsupported.empty()) unsupported += ", ";
                unsupported += *tag;
            }
        }
        if (!unsupported.empty()) {
            Rejection rejection{420, {}, {}};
            rejection.headers[0] = {"Unsupported", std::move(unsupported)};
            return rejection;
        }
    }
    if (auto refused = refuse_critical_privacy(message)) return refused;
    return check_breadth(message);
}

}  // namespace signalbox::proxy
