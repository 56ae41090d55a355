// The names of the methods.
// Implements: RFC 3261 §7.1
#include "sip/method.h"

#include <array>

#include "base/text.h"

namespace signalbox::sip {

namespace {

constexpr std::array<std::string_view, static_cast<size_t>(Method::Extension)> kNames = {
    "INVITE",    "ACK",    "BYE",     "CANCEL", "OPTIONS", "REGISTER", "PRACK",
    "SUBSCRIBE", "NOTIFY", "PUBLISH", "INFO",   "REFER",   "MESSAGE",  "UPDATE"};

/// The one method that a token of this length and first letter can be; Extension when there is
/// none.
Method candidate(std::string_view token) {
    const char first = token.front();
    switch (token.size()) {
        case 3:
            return first == 'A' ? Method::Ack : Method::Bye;
        case 4:
            return Method::Info;
        case 5:
            return first == 'P' ? Method::Prack : Method::Refer;
        case 6:
            if (first == 'I') return Method::Invite;
            if (first == 'C') return Method::Cancel;
            return first == 'N' ? Method::Notify : Method::Update;
        case 7:
            if (first == 'O') return Method::Options;
            return first == 'P' ? Method::Publish : Method::Message;
        case 8:
            return Method::Register;
        case 9:
            return Method::Subscribe;
        default:
            return Method::Extension;
    }
}

}  // namespace

Method parse_method(std::string_view token) {
    if (token.empty()) return Method::Extension;
    const Method method = candidate(token);
    return text::equals(method_name(method), token) ? method : Method::Extension;
}

std::string_view method_name(Method method) {
    if (method >= Method::Extension) return {};
    return kNames[static_cast<size_t>(method)];
}

}  // namespace signalbox::sip
