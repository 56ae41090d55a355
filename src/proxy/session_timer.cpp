// What a response says about the life of a session. Implements: RFC 4028 §4, §7.2, §8.2 (observed)
#include "proxy/session_timer.h"

#include <algorithm>

#include "base/text.h"
#include "sip/header_values.h"

namespace signalbox::proxy {

namespace {
constexpr uint32_t kIntervalMin_s = 90;
}

std::optional<Duration> session_interval(const sip::MessageView& response) {
    const std::string_view value = response.value(sip::HeaderId::SessionExpires);
    const auto seconds = sip::parse_expires(text::trim(value.substr(0, value.find(';'))));
    if (!seconds) return std::nullopt;
    return std::chrono::seconds(std::max(*seconds, kIntervalMin_s));
}

bool refreshes_session(sip::Method method) {
    return method == sip::Method::Invite || method == sip::Method::Update;
}

}  // namespace signalbox::proxy
