// The alternatives that a redirecting response offers.
#include "redirect/contact_list.h"

#include "base/text.h"
#include "sip/uri.h"

namespace signalbox::redirect {
namespace {

bool is_same(std::string_view a, std::string_view b) {
    if (a == b) return true;
    const auto first = sip::parse_uri(a);
    const auto second = sip::parse_uri(b);
    return first && second && sip::uris_equal(*first, *second);
}

/// "1", "0.5", "0.025".
void append_q(std::string& out, uint16_t q) {
    if (q >= 1000) {
        out += '1';
        return;
    }
    std::string digits;
    text::append_number(digits, uint64_t{1000} + q);
    digits.erase(digits.find_last_not_of('0') + 1);
    out += '0';
    if (digits.size() > 1) out.append(".").append(digits, 1);
}

}  // namespace

std::string contact_list(std::span<const Alternative> alternatives, std::string_view request_uri) {
    std::string list;
    for (const Alternative& each : alternatives) {
        if (is_same(each.uri, request_uri)) continue;
        if (!list.empty()) list += ", ";
        list.append("<").append(each.uri).append(">;q=");
        append_q(list, each.q);
        list += ";expires=";
        text::append_number(list, each.expires_s);
    }
    return list;
}

}  // namespace signalbox::redirect
