// Reads the Contacts and the Path of a REGISTER.
// Implements: RFC 3261 §10.2.1, §10.2.1.1, §10.3 step 6; RFC 3327 §5.3; RFC 5626 §6; RFC 5627 §5.1
#include <algorithm>

#include "base/text.h"
#include "location/gruu.h"
#include "location/instance_id.h"
#include "registrar/outbound.h"
#include "registrar/register_request.h"
#include "sip/params.h"

namespace signalbox::registrar {

namespace {

bool is_nated(const sip::Uri& contact, const transport::Flow& flow) {
    if (!contact.is_sip()) return false;
    const auto address = IpAddress::parse(contact.host);
    return !address || *address != flow.remote.address;
}

/// Registrations up to this many seconds are granted as asked.
constexpr uint32_t kExpiresUnspreadS = 600;

/// Addresses that many networks use behind their NATs (RFC 1918, RFC 6598, RFC 4193), and those of
/// one link or of one host.
bool is_private(const sip::Uri& contact) {
    const auto address = IpAddress::parse(contact.host);
    if (!address) return false;
    const auto& octets = address->octets;
    if (address->family == Family::V6)
        return (octets[0] & 0xfe) == 0xfc || (octets[0] == 0xfe && (octets[1] & 0xc0) == 0x80) ||
               *address == IpAddress::parse("::1");
    return octets[0] == 10 || octets[0] == 127 || (octets[0] == 172 && (octets[1] & 0xf0) == 16) ||
           (octets[0] == 192 && octets[1] == 168) ||
           (octets[0] == 100 && (octets[1] & 0xc0) == 64) || (octets[0] == 169 && octets[1] == 254);
}

/// 1 to 2^31-1; anything else is none (RFC 5626 §4.2).
uint32_t read_reg_id(std::string_view parameters) {
    const auto param = sip::find_param(parameters, "reg-id");
    const auto value = param && param->value ? text::to_u32(*param->value) : std::nullopt;
    return value && *value <= INT32_MAX ? *value : 0;
}

/// Parameters that we write ourselves; a phone that sends GRUUs back is not believed (RFC 5627
/// §5.1).
bool is_ours(std::string_view parameter) {
    for (const std::string_view name : {"expires", "q", "pub-gruu", "temp-gruu"}) {
        if (text::iequals(parameter, name)) return true;
    }
    return false;
}

/// False where a maddr leads elsewhere, whatever the host says.
bool leads_to_us(const ports::Snapshot& snapshot, sip::Uri uri) {
    if (const auto maddr = uri.param("maddr")) uri.host = *maddr;
    return snapshot.is_own_address(uri);
}

}  // namespace

/// True for the address of record itself and for a GRUU of it, at whichever name of ours: a request
/// that was sent there would come back to us for ever (RFC 5627 §5.1).
bool Registrar::is_own_address_of_record(const Request& request, const sip::Uri& contact) const {
    const RegisterContext& context = request.context;
    const auto to =
        sip::parse_name_addr(request.message.value(sip::HeaderId::To), ErrorCode::malformed_to);
    if (to && sip::uris_equal(to->uri, contact)) return true;
    if (context.snapshot.tenant_of(contact) != context.tenant ||
        !leads_to_us(context.snapshot, contact))
        return false;
    if (sip::canonical_user(contact) == context.aor) return true;
    const auto gruu = location::read_gruu(contact, keys_, request.now.wall);
    return gruu && gruu->aor == context.aor;
}

/// What a Contact with an instance-id must not be, since GRUUs lead to it (RFC 5627 §5.1).
Registrar::Refusal Registrar::refuse_instance(const Request& request,
                                              const sip::Uri& contact) const {
    if (!contact.is_sip()) return {403, "An instance has a SIP Contact"};
    if (is_own_address_of_record(request, contact))
        return {403, "Contact is the address of record"};
    return {};
}

std::string_view Registrar::unfolded(std::string_view value) {
    if (value.find('\r') == std::string_view::npos) return value;
    // Room for every value of the message was reserved: earlier views stay valid.
    const size_t begin = unfolded_text_.size();
    unfolded_text_.resize(begin + value.size());
    return sip::unfold(value, {unfolded_text_.data() + begin, value.size()});
}

Registrar::Refusal Registrar::read_contacts(const Request& request) {
    const sip::MessageView& message = request.message;
    asked_.clear();
    has_star_ = false;
    parameters_text_.clear();
    parameters_text_.reserve(message.bytes().size());
    unfolded_text_.clear();
    unfolded_text_.reserve(message.bytes().size());
    if (request.call_id.size() > kCallIdBytesMax) return {400, "Call-ID too long"};
    for (const sip::HeaderField* field = message.first(sip::HeaderId::Contact); field != nullptr;
         field = message.next(field)) {
        std::string_view rest = unfolded(message.value(*field));
        do {
            const Refusal refusal = read_contact(request, rest);
            if (refusal.status != 0) return refusal;
        } while (!rest.empty());
    }
    if (!has_star_) return {};
    // RFC 3261 §10.2.2, §10.3 step 6.
    if (!asked_.empty()) return {400, "Contact * must stand alone"};
    if (!request.is_expires_asked || request.expires != 0) {
        return {400, "Contact * needs Expires: 0"};
    }
    return {};
}

Registrar::Refusal Registrar::read_contact(const Request& request, std::string_view& rest) {
    const std::string_view value = rest;
    const auto contact = sip::parse_contact(value, &rest);
    if (!contact) return {400, error_text(contact.error().code)};
    if (contact->is_star) {
        if (has_star_) return {400, "Contact * must stand alone"};
        has_star_ = true;
        return {};
    }
    if (asked_.size() == kRequestContactsMax) return {400, "Too many Contact values"};
    if (contact->address.uri_text.size() > kContactUriBytesMax) return {400, "Contact too long"};
    AskedContact asked;
    asked.address = contact->address;
    asked.q = contact->q;
    asked.has_q = contact->has_q;
    asked.parameters = keep_parameters(contact->address.params);
    if (asked.parameters.size() > kParametersBytesMax) return {400, "Contact too long"};

    asked.is_nated = is_nated(asked.address.uri, request.flow);
    asked.is_private = is_private(asked.address.uri);
    asked.instance = location::instance_of(asked.parameters);
    // A reg-id without an instance-id means nothing (RFC 5626 §6).
    if (!asked.instance.empty()) {
        asked.reg_id = read_reg_id(asked.parameters);
        const Refusal refusal = refuse_instance(request, asked.address.uri);
        if (refusal.status != 0) return refusal;
    }

    // RFC 3261 §10.2.1.1: the parameter, else the header field, else our default.
    asked.expires = request.expires;
    if (contact->expires) asked.expires = *contact->expires;
    if (contact->has_malformed_expires) asked.expires = kExpiresMalformedS;
    const ports::RegistrarSettings& settings = request.settings();
    const bool is_asked =
        request.is_expires_asked || contact->expires || contact->has_malformed_expires;
    const bool is_short =
        asked.expires < settings.expires_min_s && asked.expires < kExpiresMalformedS;
    if (is_asked && asked.expires != 0 && is_short) return {423, {}};
    asked.expires = granted_expires(request, asked.expires);
    asked_.push_back(asked);
    return {};
}

/// What was asked, at most what is allowed. A long registration may end a little earlier: phones
/// that all registered at one moment, after a power cut, do not come back together for ever.
uint32_t Registrar::granted_expires(const Request& request, uint32_t asked) {
    const ports::RegistrarSettings& settings = request.settings();
    const uint32_t granted = std::min(asked, settings.expires_max_s);
    if (granted <= kExpiresUnspreadS) return granted;
    const auto spread = static_cast<uint32_t>(
        random_.below(uint64_t{granted} * settings.expires_spread_percent / 100 + 1));
    return std::max(granted - spread, std::min(granted, settings.expires_min_s));
}

std::string_view Registrar::keep_parameters(std::string_view params) {
    // Their text is never longer than the message, for which room was reserved: earlier views stay
    // valid.
    const size_t begin = parameters_text_.size();
    sip::ParamWalker walker(params);
    while (const auto param = walker.next()) {
        if (is_ours(param->name)) continue;
        parameters_text_.push_back(';');
        parameters_text_.append(param->name);
        if (!param->value) continue;
        parameters_text_.push_back('=');
        parameters_text_.append(*param->value);
    }
    return std::string_view(parameters_text_).substr(begin);
}

/// Joins the Path values into one list. One that is no name-addr, or that would take too much room,
/// is refused: a phone that is bound without its way is never reached.
Registrar::Refusal Registrar::read_path(Request& request) {
    const sip::MessageView& message = request.message;
    path_text_.clear();
    for (const sip::HeaderField* field = message.first(sip::HeaderId::Path); field != nullptr;
         field = message.next(field)) {
        std::string_view rest = unfolded(message.value(*field));
        while (!rest.empty()) {
            const auto hop = sip::parse_name_addr(rest, ErrorCode::malformed_route, &rest);
            if (!hop || !hop->uri.is_sip()) return {400, "Malformed Path"};
            if (!path_text_.empty()) path_text_.append(", ");
            path_text_.append(hop->text);
            if (path_text_.size() > kPathBytesMax) return {400, "Path too long"};
        }
    }
    request.path = path_text_;
    return {};
}

/// Decides for each Contact whether its reg-id counts (RFC 5626 §6).
Registrar::Refusal Registrar::apply_outbound(Request& request) {
    size_t bound = 0;
    bool has_reg_id = false;
    for (const AskedContact& asked : asked_) {
        bound += asked.expires == 0 ? 0 : 1;
        has_reg_id = has_reg_id || (asked.reg_id != 0 && asked.expires != 0);
    }
    if (!has_reg_id) return {};
    if (bound > 1) return {400, "One Contact with reg-id at a time"};
    if (first_hop_keeps_flows(request.message, request.path)) {
        request.is_outbound = true;
        return {};
    }
    if (request.supports_outbound) return {439, {}};
    for (AskedContact& asked : asked_) asked.reg_id = 0;
    return {};
}

}  // namespace signalbox::registrar
