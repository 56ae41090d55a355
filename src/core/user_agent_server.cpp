// What the server answers to requests for itself. Implements: RFC 3261 §8.2, §11.2
#include "core/user_agent_server.h"

#include "core/content_check.h"
#include "sip/params.h"

namespace signalbox::core {
namespace {

constexpr std::string_view kAllow =
    "INVITE, ACK, CANCEL, BYE, OPTIONS, REGISTER, MESSAGE, SUBSCRIBE, NOTIFY, REFER, INFO, UPDATE, "
    "PRACK, PUBLISH";

}  // namespace

bool is_for_server_itself(const proxy::IncomingRequest& request, const proxy::Routing& routing) {
    return routing.next_route.empty() && routing.uri.is_sip() && !routing.uri.has_user &&
           request.snapshot.tenant_of(routing.uri) != ports::kNoTenant;
}

std::optional<proxy::Rejection> refuse_extensions(const sip::MessageView& request) {
    if (request.first(sip::HeaderId::Require) == nullptr) return std::nullopt;
    proxy::Rejection rejection{420, {}, {}};
    std::string unsupported;
    for (const sip::HeaderField* field = request.first(sip::HeaderId::Require); field != nullptr;
         field = request.next(field)) {
        if (!unsupported.empty()) unsupported += ", ";
        unsupported += request.value(*field);
    }
    rejection.headers[0] = {"Unsupported", std::move(unsupported)};
    return rejection;
}

void answer_as_user_agent(const proxy::IncomingRequest& request, proxy::LocalReply& reply,
                          Counters& counters, transport::Transmits& out) {
    proxy::Rejection answer;
    const sip::MessageView& message = request.message;
    if (auto unknown = refuse_extensions(message)) {
        answer = std::move(*unknown);
    } else if (auto refused = refuse_content(message);
               refused && message.method() == sip::Method::Options) {
        answer = std::move(*refused);
    } else if (message.method() == sip::Method::Options) {
        counters.add(Counter::options_answered_total);
        answer.status = 200;
        answer.headers[0] = {"Allow", std::string(kAllow)};
        answer.headers[1] = {"Accept", std::string(kAcceptedType)};
        answer.headers[2] = {"Accept-Language", "en"};
        answer.headers[3] = {"Supported", "path, outbound, gruu"};
    } else if (request.is_in_dialog()) {
        answer.status = 481;
    } else {
        answer.status = 405;
        answer.headers[0] = {"Allow", "ACK, CANCEL, OPTIONS, REGISTER"};
    }
    reply.send_stateless(message, request.flow, request.snapshot, answer, out);
}

}  // namespace signalbox::core
