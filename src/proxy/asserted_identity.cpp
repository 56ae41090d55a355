// Who is calling, on the word of this server. Implements: RFC 3325 §5, §6, §7; RFC 7315 §5
#include "proxy/asserted_identity.h"

#include <algorithm>
#include <array>

#include "base/text.h"
#include "proxy/privacy.h"
#include "sip/lexer.h"

namespace signalbox::proxy {
namespace {

using sip::HeaderId;

constexpr size_t kDisplayNameMax = 64;

/// Indexed header fields by which a network says who somebody is. Diversion (RFC 5806) and
/// Remote-Party-ID say it too, and are believed by those who bill.
constexpr std::array kAssertions{HeaderId::PAssertedIdentity, HeaderId::RemotePartyId,
                                 HeaderId::Diversion};

/// More of them, which are rare. All begin with "P-".
constexpr std::array<std::string_view, 7> kPrivateAssertions{
    "P-Asserted-Service",  "P-Charging-Function-Addresses",
    "P-Charging-Vector",   "P-Profile-Key",
    "P-Served-User",       "P-User-Database",
    "P-Visited-Network-ID"};

bool is_private_assertion(std::string_view name) {
    return std::any_of(kPrivateAssertions.begin(), kPrivateAssertions.end(),
                       [name](std::string_view each) { return text::iequals(each, name); });
}

void remove_all(const sip::MessageView& message, HeaderId id, sip::EditList& edits) {
    for (const sip::HeaderField* field = message.first(id); field != nullptr;
         field = message.next(field)) {
        edits.remove_header(*field);
    }
}

/// The first of these from `field` on, itself one whose name is not indexed; or null.
const sip::HeaderField* private_assertion(const sip::MessageView& message,
                                          const sip::HeaderField* field) {
    for (; field != nullptr; field = message.next(field)) {
        const std::string_view name = message.name(*field);
        if (name.size() > 2 && name[1] == '-' && is_private_assertion(name)) break;
    }
    return field;
}

void remove_assertions(const sip::MessageView& message, sip::EditList& edits) {
    for (const HeaderId id : kAssertions) remove_all(message, id, edits);
    const sip::HeaderField* field = private_assertion(message, message.first(HeaderId::Other));
    for (; field != nullptr; field = private_assertion(message, message.next(field)))
        edits.remove_header(*field);
}

bool has_any_assertion(const sip::MessageView& message) {
    return message.first(HeaderId::PAssertedIdentity) != nullptr ||
           message.first(HeaderId::RemotePartyId) != nullptr;
}

/// Words and ordinary punctuation, in UTF-8; nothing that looks like an address or a number, which
/// a display could show in place of the identity that we vouch for.
bool is_harmless(std::string_view display) {
    if (display.empty() || display.size() > kDisplayNameMax) return false;
    bool has_letter = false;
    for (const char c : display) {
        const bool is_letter = text::is_alpha(c) || static_cast<unsigned char>(c) >= 0x80;
        has_letter = has_letter || is_letter;
        if (!is_letter && !text::is_digit(c) && c != ' ' && c != '-' && c != '.' && c != '\'' &&
            c != ',')
            return false;
    }
    return has_letter;
}

std::string_view without_quotes(std::string_view display) {
    const bool is_quoted = display.size() >= 2 && display.front() == '"' && display.back() == '"';
    return is_quoted ? display.substr(1, display.size() - 2) : display;
}

void append_user(std::string_view name, std::string& out) {
    static constexpr char kHex[] = "0123456789ABCDEF";
    for (const char c : name) {
        if (sip::lexer::is(c, sip::lexer::kUser) && c != '#' && c != ';' && c != '?' && c != '/') {
            out += c;
            continue;
        }
        const auto octet = static_cast<unsigned char>(c);
        out += '%';
        out += kHex[octet >> 4];
        out += kHex[octet & 15];
    }
}

}  // namespace

std::string preferred_identity(const IncomingRequest& request) {
    const std::string_view value = request.message.value(HeaderId::PPreferredIdentity);
    if (value.empty()) return {};
    std::string_view rest;
    const auto preferred = sip::parse_name_addr(value, ErrorCode::malformed_from, &rest);
    if (!preferred) return {};
    // A number that he was granted is an address of ours under which others may know him.
    if (preferred->uri.scheme != sip::Scheme::Tel &&
        request.snapshot.tenant_of_identity(preferred->uri) == ports::kNoTenant)
        return {};
    return sip::canonical_user(preferred->uri);
}

void write_asserted_identity(const IncomingRequest& request, std::string_view name,
                             std::string& out) {
    out.clear();
    const auto& domains = request.snapshot.domains;
    if (domains.empty() || name.empty()) return;
    const bool is_own_name =
        request.snapshot.tenant_of_identity(request.from.uri) != ports::kNoTenant;
    const std::string_view display = without_quotes(request.from.display_name);
    if (is_own_name && is_harmless(display)) {
        out += '"';
        out += display;
        out += "\" ";
    }
    out += "<sip:";
    append_user(name, out);
    out += '@';
    out += domains.front();
    out += '>';
}

bool says_of_users(const sip::MessageView& message) {
    if (message.first(HeaderId::PPreferredIdentity) != nullptr) return true;
    for (const HeaderId id : kAssertions) {
        if (message.first(id) != nullptr) return true;
    }
    return private_assertion(message, message.first(HeaderId::Other)) != nullptr;
}

void edit_identity(const sip::MessageView& message, const TrustBorder& border,
                   sip::EditList& edits) {
    remove_all(message, HeaderId::PPreferredIdentity, edits);
    if (!border.is_from_trusted) {
        remove_assertions(message, edits);
    }
    const bool says_who =
        border.is_from_trusted ? has_any_assertion(message) : !border.asserted.empty();
    if (!says_who) return;
    const bool is_concealed = !border.is_to_trusted &&
                              message.first(HeaderId::Privacy) != nullptr &&
                              read_privacy(message).conceals_identity();
    if (border.is_from_trusted && is_concealed) {
        remove_all(message, HeaderId::PAssertedIdentity, edits);
        remove_all(message, HeaderId::RemotePartyId, edits);
    } else if (!border.is_from_trusted && !is_concealed) {
        edits.append_header("P-Asserted-Identity", border.asserted);
    }
}

}  // namespace signalbox::proxy
