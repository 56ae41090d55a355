// What a request asks of the server. Implements: RFC 5031 §4.2
#include "overload/work.h"

#include <algorithm>
#include <array>

#include "base/text.h"

namespace signalbox::overload {

namespace {

using sip::HeaderId;
using sip::Method;

constexpr std::string_view kEmergencyService = "urn:service:sos";
/// The methods that begin something. The others belong to what is there already, as a rule.
constexpr std::array<std::string_view, 8> kBeginners{
    "INVITE ", "REGISTER ", "OPTIONS ", "MESSAGE ", "SUBSCRIBE ", "PUBLISH ", "NOTIFY ", "REFER "};

bool shows_credentials(const sip::MessageView& request) {
    return request.first(HeaderId::Authorization) != nullptr ||
           request.first(HeaderId::ProxyAuthorization) != nullptr;
}

bool is_route_line(std::string_view line) {
    if (!text::istarts_with(line, "Route")) return false;
    const size_t behind = line.find_first_not_of(" \t", 5);
    return behind != std::string_view::npos && line[behind] == ':';
}

}  // namespace

bool is_emergency_service(std::string_view request_uri) {
    if (!text::istarts_with(request_uri, kEmergencyService)) return false;
    return request_uri.size() == kEmergencyService.size() ||
           request_uri[kEmergencyService.size()] == '.';
}

Work work_of(const sip::MessageView& request, bool is_trusted) {
    switch (request.method()) {
        case Method::Invite:
            return is_emergency_service(request.request_uri()) ? Work::Emergency : Work::Call;
        case Method::Register:
            return is_trusted || shows_credentials(request) ? Work::Call : Work::Registration;
        case Method::Options:
        case Method::Subscribe:
        case Method::Publish:
        case Method::Notify:
        case Method::Extension:
            return Work::Optional;
        case Method::Message:
        case Method::Refer:
        case Method::Ack:
        case Method::Bye:
        case Method::Cancel:
        case Method::Prack:
        case Method::Info:
        case Method::Update:
            break;
    }
    return Work::Call;
}

bool is_new_at_a_glance(std::string_view datagram) {
    const auto begins = [&](std::string_view method) { return datagram.starts_with(method); };
    const auto* const method = std::find_if(kBeginners.begin(), kBeginners.end(), begins);
    if (method == kBeginners.end()) return false;
    if (text::istarts_with(datagram.substr(method->size()), kEmergencyService)) return false;
    size_t line = datagram.find('\n');
    while (line != std::string_view::npos) {
        const std::string_view rest = datagram.substr(line + 1);
        if (rest.starts_with("\r\n")) return true;
        if (is_route_line(rest.substr(0, rest.find('\n')))) return false;
        line = datagram.find('\n', line + 1);
    }
    return false;
}

}  // namespace signalbox::overload
