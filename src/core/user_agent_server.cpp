// What the server answers to requests for itself. Implements: RFC 3261 §8.2, §11.2
#include "core/user_agent_server.h"

#include <algorithm>

#include "base/text.h"
#include "core/content_check.h"
#include "presence/reg_event.h"
#include "registrar/registrar.h"
#include "sip/params.h"
#include "transport/listener.h"

namespace signalbox::core {
namespace {

/// What may be sent to this server, for itself and for its users: a peer that asks by OPTIONS wants
/// to know whether calls may come here. All that the server takes itself is among it.
/// Deviation: RFC 3261 §11.2 — a proxy, which forwards every method, should leave Allow out, and
/// INVITE to the server itself gets 405: peers of trunks send calls only to whom an OPTIONS is
/// answered with 200 and these methods.
constexpr std::string_view kAllow =
    "INVITE, ACK, CANCEL, BYE, OPTIONS, REGISTER, MESSAGE, SUBSCRIBE, NOTIFY, REFER, INFO, UPDATE, "
    "PRACK, PUBLISH";
/// What it takes as a user agent server, where the Request-URI names no user: its 405 is about that
/// address alone (RFC 3261 §21.4.6).
constexpr std::string_view kAllowForServerItself = "ACK, CANCEL, OPTIONS, REGISTER";

bool is_among(std::span<const std::string_view> known, std::string_view tag) {
    return std::any_of(known.begin(), known.end(),
                       [tag](std::string_view each) { return text::iequals(each, tag); });
}

/// What we do not support is 405, what we have never heard of 501 (RFC 3261 §8.2.1, §21.5.2).
proxy::Rejection refuse_method(const proxy::IncomingRequest& request) {
    if (request.is_in_dialog()) return {481, {}, {}};
    if (request.method() == sip::Method::Subscribe) {
        // Only users can be watched (RFC 6665 §4.2.1.1).
        proxy::Rejection rejection{489, {}, {}};
        rejection.headers[0] = {"Allow-Events", std::string(presence::kRegEventName)};
        return rejection;
    }
    const bool is_known = request.method() != sip::Method::Extension;
    proxy::Rejection rejection{is_known ? 405 : 501, {}, {}};
    rejection.headers[0] = {"Allow", std::string(kAllowForServerItself)};
    return rejection;
}

/// Where the server is reached by the way that the request came (RFC 3261 §11.2).
std::string own_contact(const proxy::IncomingRequest& request) {
    const auto uri = sip::parse_uri(request.message.request_uri());
    const bool is_sips = uri && uri->scheme == sip::Scheme::Sips;
    std::string contact = is_sips ? "<sips:" : "<sip:";
    contact += transport::sent_by(request.flow, request.snapshot.listeners).view();
    if (transport::is_reliable(request.flow.transport)) {
        contact += ";transport=";
        contact += transport::uri_transport(request.flow.transport);
    }
    return contact + ">";
}

proxy::Rejection capabilities(const proxy::IncomingRequest& request) {
    std::string supported;
    for (const std::string_view tag : registrar::kOptionTags) {
        if (!supported.empty()) supported += ", ";
        supported += tag;
    }
    proxy::Rejection answer{200, {}, {}};
    answer.headers = {{{"Allow", std::string(kAllow)},
                       {"Accept", std::string(kAcceptedType)},
                       {"Accept-Encoding", std::string(kAcceptedEncoding)},
                       {"Accept-Language", "en"},
                       {"Supported", std::move(supported)},
                       {"Contact", own_contact(request)},
                       {"Allow-Events", std::string(presence::kRegEventName)}}};
    return answer;
}

}  // namespace

bool is_for_server_itself(const proxy::Routing& routing) {
    return routing.next_route.empty() && routing.uri.is_sip() && !routing.uri.has_user &&
           routing.tenant != ports::kNoTenant;
}

std::optional<proxy::Rejection> refuse_extensions(const sip::MessageView& request,
                                                  std::span<const std::string_view> known) {
    std::string unsupported;
    for (const sip::HeaderField* field = request.first(sip::HeaderId::Require); field != nullptr;
         field = request.next(field)) {
        sip::ListWalker tags(request.value(*field));
        while (const auto tag = tags.next()) {
            if (is_among(known, *tag)) continue;
            if (!unsupported.empty()) unsupported += ", ";
            unsupported += *tag;
        }
    }
    if (unsupported.empty()) return std::nullopt;
    proxy::Rejection rejection{420, {}, {}};
    rejection.headers[0] = {"Unsupported", std::move(unsupported)};
    return rejection;
}

void answer_as_user_agent(const proxy::IncomingRequest& request, proxy::LocalReply& reply,
                          Counters& counters, transport::Transmits& out) {
    const sip::MessageView& message = request.message;
    proxy::Rejection answer;
    // The method is looked at before the header fields (RFC 3261 §8.2).
    if (message.method() != sip::Method::Options) {
        answer = refuse_method(request);
    } else if (auto unknown = refuse_extensions(message, registrar::kOptionTags)) {
        answer = std::move(*unknown);
    } else if (auto refused = refuse_content(message)) {
        answer = std::move(*refused);
    } else {
        counters.add(Counter::options_answered_total);
        answer = capabilities(request);
    }
    reply.send_stateless(message, request.flow, request.snapshot, answer, out);
}

}  // namespace signalbox::core
