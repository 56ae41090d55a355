// The registrar's steps: read what is asked, plan all of it, then change everything or nothing.
// Implements: RFC 3261 §10.3 steps 2, 5, 6, 7, 8; RFC 3261 §10.2.1.1, §8.2.2.3
#include "registrar/registrar.h"

#include <algorithm>

#include "base/text.h"
#include "sip/params.h"
#include "sip/response_builder.h"

namespace signalbox::registrar {

namespace {

/// What a malformed expiration means, and the bound above which none may be refused as too short
/// (RFC 3261 §10.2.1.1, §10.3 step 7).
constexpr uint32_t kHour = 3600;

/// Thousandths as a q value: "1", "0.5", "0.025".
void append_q(std::string& out, uint16_t q) {
    if (q >= 1000) {
        out.push_back('1');
        return;
    }
    out.push_back('0');
    if (q == 0) return;
    out.push_back('.');
    for (uint32_t rest = q, unit = 100; rest != 0; unit /= 10) {
        out.push_back(static_cast<char>('0' + rest / unit));
        rest %= unit;
    }
}

/// Whole seconds that are left, rounded up: a live binding never shows 0, which would mean removed.
uint64_t seconds_left(Now now, Instant expires) {
    return static_cast<uint64_t>(
        std::chrono::ceil<std::chrono::seconds>(expires - now.monotonic).count());
}

/// Every option tag of Require, joined: the registrar knows none (RFC 3261 §8.2.2.3).
void append_required(const sip::MessageView& message, std::string& out) {
    for (const sip::HeaderField* field = message.first(sip::HeaderId::Require); field != nullptr;
         field = message.next(field)) {
        sip::ListWalker walker(message.value(*field));
        while (const auto tag = walker.next()) {
            if (!out.empty()) out.append(", ");
            out.append(*tag);
        }
    }
}

bool is_nated(const sip::Uri& contact, const transport::Flow& flow) {
    const auto address = IpAddress::parse(contact.host);
    return !address || *address != flow.remote.address;
}

}  // namespace

/// A request with what is read from it once.
struct Registrar::Request {
    Now now;
    const sip::MessageView& message;
    const transport::Flow& flow;
    const RegisterContext& context;
    std::string_view call_id;
    uint32_t cseq = 0;
    uint32_t expires = 0;           // for contacts without a parameter of their own
    bool is_expires_asked = false;  // by an Expires header field
    std::string_view user_agent;

    const ports::RegistrarSettings& settings() const { return context.snapshot.registrar; }
    /// RFC 3261 §10.3 step 7: of two requests of one Call-ID the older must not undo the newer.
    bool is_older_than(const ports::BindingView& record) const {
        return record.call_id == call_id && cseq <= record.cseq;
    }
};

int Registrar::process(Now now, const sip::MessageView& request, const transport::Flow& flow,
                       const RegisterContext& context, ports::Outbox& out, std::string& response) {
    Request read{now, request, flow, context, {}, 0, 0, false, {}};
    const auto cseq = sip::parse_cseq(request.value(sip::HeaderId::CSeq));
    if (!cseq) return refuse(read, {400, error_text(cseq.error().code)}, response);
    read.cseq = cseq->number;
    read.call_id = request.value(sip::HeaderId::CallId);
    const std::string_view agent = request.value(sip::HeaderId::UserAgent);
    read.user_agent = agent.substr(0, std::min(agent.find('\r'), kUserAgentBytesMax));
    read.expires = context.snapshot.registrar.expires_default_s;
    if (const sip::HeaderField* field = request.first(sip::HeaderId::Expires)) {
        read.expires = sip::parse_expires(request.value(*field)).value_or(kHour);
        read.is_expires_asked = true;
    }
    line_.clear();
    if (request.first(sip::HeaderId::Require) != nullptr) append_required(request, line_);
    Refusal refusal;
    if (!line_.empty()) refusal = {420, {}};
    if (refusal.status == 0) refusal = read_contacts(read);
    if (refusal.status == 0) refusal = plan(read);
    if (refusal.status == 0) refusal = apply(read, out);
    return refusal.status == 0 ? accept(read, response) : refuse(read, refusal, response);
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
    if (!contact->address.uri.is_sip()) return {400, "Contact is not a SIP URI"};
    if (contact->address.uri_text.size() > kContactUriBytesMax) return {400, "Contact too long"};
    Asked asked;
    asked.address = contact->address;
    asked.q = contact->q;
    asked.has_q = contact->has_q;
    asked.parameters = keep_parameters(contact->address.params);
    if (asked.parameters.size() > kParametersBytesMax) return {400, "Contact too long"};

    // RFC 3261 §10.2.1.1: the parameter, else the header field, else our default.
    asked.expires = request.expires;
    if (contact->expires) asked.expires = *contact->expires;
    if (contact->has_malformed_expires) asked.expires = kHour;
    const ports::RegistrarSettings& settings = request.settings();
    const bool is_asked =
        request.is_expires_asked || contact->expires || contact->has_malformed_expires;
    const bool is_short = asked.expires < settings.expires_min_s && asked.expires < kHour;
    if (is_asked && asked.expires != 0 && is_short) return {423, {}};
    asked.expires = std::min(asked.expires, settings.expires_max_s);
    asked_.push_back(asked);
    return {};
}

std::string_view Registrar::keep_parameters(std::string_view params) {
    // Their text is never longer than the message, for which room was reserved: earlier views stay
    // valid.
    const size_t begin = parameters_text_.size();
    sip::ParamWalker walker(params);
    while (const auto param = walker.next()) {
        if (text::iequals(param->name, "expires") || text::iequals(param->name, "q")) continue;
        parameters_text_.push_back(';');
        parameters_text_.append(param->name);
        if (!param->value) continue;
        parameters_text_.push_back('=');
        parameters_text_.append(*param->value);
    }
    return std::string_view(parameters_text_).substr(begin);
}

Registrar::Refusal Registrar::plan(const Request& request) {
    planned_.clear();
    if (asked_.empty() && !has_star_) return {};
    const auto existing =
        location_.lookup(request.now, request.context.tenant, request.context.aor);
    for (const location::Binding& binding : existing)
        planned_.push_back({binding, false, false, false});
    if (has_star_) return plan_removal_of_all(request);
    for (const Asked& asked : asked_) {
        const Refusal refusal = plan_one(request, asked);
        if (refusal.status != 0) return refusal;
    }
    return {};
}

Registrar::Refusal Registrar::plan_removal_of_all(const Request& request) {
    for (Planned& planned : planned_) {
        if (request.is_older_than(planned.binding.record)) return {500, "CSeq is not higher"};
        planned.is_touched = true;
        planned.is_removed = true;
    }
    return {};
}

size_t Registrar::find_planned(const sip::NameAddr& address) const {
    for (size_t i = 0; i < planned_.size(); ++i) {
        if (planned_[i].binding.record.contact == address.uri_text) return i;
    }
    for (size_t i = 0; i < planned_.size(); ++i) {
        const auto uri = sip::parse_uri(planned_[i].binding.record.contact);
        if (uri && sip::uris_equal(*uri, address.uri)) return i;
    }
    return planned_.size();
}

Registrar::Refusal Registrar::plan_one(const Request& request, const Asked& asked) {
    const size_t index = find_planned(asked.address);
    if (index == planned_.size()) {
        if (asked.expires == 0) return {};
        planned_.emplace_back().is_new = true;
    }
    Planned& planned = planned_[index];
    ports::BindingView& record = planned.binding.record;
    // A contact that this request names twice is compared with what was there before it; its last
    // mention holds.
    const bool is_compared = !planned.is_new && !planned.is_touched;
    if (is_compared && request.is_older_than(record)) return {500, "CSeq is not higher"};
    planned.is_touched = true;
    planned.is_removed = asked.expires == 0;
    record.contact = asked.address.uri_text;
    record.parameters = asked.parameters;
    record.call_id = request.call_id;
    record.cseq = request.cseq;
    record.q = asked.q;
    record.has_q = asked.has_q;
    record.is_nated = is_nated(asked.address.uri, request.flow);
    record.expires = request.now.wall + std::chrono::seconds(asked.expires);
    record.updated = request.now.wall;
    record.flow = request.flow;
    record.user_agent = request.user_agent;
    planned.binding.expires = request.now.monotonic + std::chrono::seconds(asked.expires);
    planned.binding.is_flow_closed = false;
    return {};
}

Registrar::Refusal Registrar::apply(const Request& request, ports::Outbox& out) {
    kept_.clear();
    bool is_changed = false;
    size_t before = 0;
    for (const Planned& planned : planned_) {
        is_changed = is_changed || planned.is_touched;
        before += planned.is_new ? 0 : 1;
        if (!planned.is_removed) kept_.push_back(planned.binding);
    }
    if (!is_changed) return {};
    // Where the limit was lowered since, what is there may be refreshed and removed but not grow.
    if (kept_.size() > request.settings().contacts_max && kept_.size() > before) {
        return {403, "Too many contacts"};
    }
    const RegisterContext& context = request.context;
    const uint64_t version = context.snapshot.version;
    if (!location_.replace(request.now, context.tenant, context.aor, kept_, version)) {
        return {503, {}};
    }
    location_.journal(request.now, context.tenant, context.aor, version, out);
    return {};
}

int Registrar::accept(const Request& request, std::string& response) {
    const RegisterContext& context = request.context;
    sip::ResponseBuilder builder(request.message, 200, {}, context.to_tag, response,
                                 context.top_via);
    for (const location::Binding& binding :
         location_.lookup(request.now, context.tenant, context.aor)) {
        const ports::BindingView& record = binding.record;
        line_.clear();
        line_.push_back('<');
        line_.append(record.contact);
        line_.push_back('>');
        if (record.has_q) {
            line_.append(";q=");
            append_q(line_, record.q);
        }
        line_.append(";expires=");
        text::append_number(line_, seconds_left(request.now, binding.expires));
        line_.append(record.parameters);
        builder.add("Contact", line_);
    }
    builder.add("Date", date(request.now.wall));
    if (!context.snapshot.server_name.empty()) {
        builder.add("Server", context.snapshot.server_name);
    }
    builder.finish();
    counters_.add(Counter::registrations_accepted_total);
    return 200;
}

int Registrar::refuse(const Request& request, const Refusal& refusal, std::string& response) {
    const RegisterContext& context = request.context;
    sip::ResponseBuilder builder(request.message, refusal.status, refusal.reason, context.to_tag,
                                 response, context.top_via);
    if (refusal.status == 420) builder.add("Unsupported", line_);
    if (refusal.status == 423) {
        line_.clear();
        text::append_number(line_, request.settings().expires_min_s);
        builder.add("Min-Expires", line_);
    }
    if (!context.snapshot.server_name.empty()) {
        builder.add("Server", context.snapshot.server_name);
    }
    builder.finish();
    counters_.add(Counter::registrations_refused_total);
    return refusal.status;
}

std::string_view Registrar::date(WallTime now) {
    const int64_t second = unix_seconds(now);
    if (second != date_second_) {
        date_second_ = second;
        date_text_ = sip::format_date(now);
    }
    return date_text_;
}

}  // namespace signalbox::registrar
