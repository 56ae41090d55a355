// Via: the way that a response takes back.
// Implements: RFC 3261 §20.42, §8.1.1.7; RFC 3581 §3; RFC 5118 §4.5, §4.10
#include "base/text.h"
#include "sip/header_values.h"
#include "sip/lexer.h"

namespace signalbox::sip {

namespace {

constexpr uint32_t kTtlMax = 255;

/// Sets `slot` once. RFC 3261 §7.3.1: no parameter name may come twice, and elements that differ in
/// which one they believe can be played against each other.
template <class T>
bool set_once(std::optional<T>& slot, std::optional<T> value) {
    if (slot || !value) return false;
    slot = value;
    return true;
}

/// An address with or without brackets; three colons in a row pass.
bool is_received_address(std::string_view value) {
    if (value.size() > 2 && value.front() == '[' && value.back() == ']') {
        value = value.substr(1, value.size() - 2);
    }
    return lexer::all_of(value, lexer::kAddress6);
}

/// All of it. An empty value stands behind the white space that follows its equals sign, perhaps
/// past the end of the Via.
std::string_view text_of(const Param& param) {
    const std::string_view last = param.value.value_or(param.name);
    const char* const begin = param.name.data();
    const char* end = last.data() + last.size();
    while (lexer::is_white(end[-1])) --end;
    return {begin, static_cast<size_t>(end - begin)};
}

bool set_branch(Via& via, const Param& param) {
    if (!via.branch.empty() || !param.value || param.value->empty()) return false;
    if (param.value->front() == '"') return false;
    via.branch = *param.value;
    return true;
}

bool set_rport(Via& via, const Param& param) {
    if (via.has_rport) return false;
    via.has_rport = true;
    via.rport_text = text_of(param);
    if (!param.value || param.value->empty()) return true;
    return set_once(via.rport, lexer::port(*param.value));
}

/// False when a parameter that we read is malformed or comes twice.
bool read_param(Via& via, const Param& param) {
    switch (param.name.size()) {
        case 3:
            if (!lexer::is_name(param.name, "ttl")) return true;
            return param.value && set_once(via.ttl, lexer::number(*param.value, kTtlMax));
        case 5:
            if (lexer::is_name(param.name, "rport")) return set_rport(via, param);
            if (!lexer::is_name(param.name, "maddr")) return true;
            return param.value && !param.value->empty() && set_once(via.maddr, param.value);
        case 6:
            if (!lexer::is_name(param.name, "branch")) return true;
            return set_branch(via, param);
        case 8:
            if (!lexer::is_name(param.name, "received")) return true;
            via.received_text = text_of(param);
            return param.value && is_received_address(*param.value) &&
                   set_once(via.received, param.value);
        default:
            return true;
    }
}

/// protocol-name SLASH protocol-version SLASH.
bool read_version(lexer::Cursor& cursor, Via& via) {
    via.is_sip_2 = true;
    if (cursor.skip("SIP/2.0/")) {  // as nearly all write it
        cursor.skip_white();
        return true;
    }
    for (const std::string_view ours : {"SIP", "2.0"}) {
        const std::string_view part = cursor.run(lexer::kToken);
        if (part.empty()) return false;
        via.is_sip_2 = via.is_sip_2 && text::iequals(part, ours);
        cursor.skip_white();
        if (!cursor.take('/')) return false;
        cursor.skip_white();
    }
    return true;
}

/// protocol-name SLASH protocol-version SLASH transport LWS.
bool read_protocol(lexer::Cursor& cursor, Via& via) {
    if (!read_version(cursor, via)) return false;
    via.transport = cursor.run(lexer::kToken);
    const char* gap = cursor.position();
    cursor.skip_white();
    return !via.transport.empty() && cursor.position() != gap;
}

/// host [ COLON port ], with the white space behind it.
bool read_sent_by(lexer::Cursor& cursor, Via& via) {
    via.host = cursor.host();
    if (via.host.empty()) return false;
    cursor.skip_white();
    if (!cursor.take(':')) return true;
    cursor.skip_white();
    via.port = lexer::port(cursor.run(lexer::kToken));
    cursor.skip_white();
    return via.port.has_value();
}

}  // namespace

bool Via::has_magic_cookie() const {
    // The cookie alone tells no two transactions apart (RFC 4475 §3.2.1).
    constexpr std::string_view kCookie = "z9hG4bK";
    return branch.size() > kCookie.size() && text::istarts_with(branch, kCookie);
}

uint16_t Via::port_or_default() const {
    if (port) return *port;
    if (text::iequals(transport, "TLS")) return 5061;
    if (text::iequals(transport, "WS")) return 80;
    return text::iequals(transport, "WSS") ? 443 : 5060;
}

bool read_via(std::string_view value, Via& via, std::string_view* rest) {
    lexer::Cursor cursor(value);
    cursor.skip_white();
    const char* begin = cursor.position();
    if (!read_protocol(cursor, via) || !read_sent_by(cursor, via)) return false;
    const char* params = cursor.position();
    while (cursor.take(';')) {
        cursor.skip_white();
        Param param;
        if (!cursor.parameter(param) || !read_param(via, param)) return false;
    }
    via.params = lexer::trimmed_since(cursor, params);
    via.text = lexer::trimmed_since(cursor, begin);
    return lexer::end_of_value(cursor, rest);
}

Result<Via> parse_via(std::string_view value, std::string_view* rest) {
    Result<Via> result;
    if (!read_via(value, *result, rest)) result = fail(ErrorCode::malformed_via);
    return result;
}

}  // namespace signalbox::sip
