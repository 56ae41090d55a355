// The registrar's responses.
// Implements: RFC 3261 §10.3 step 8; RFC 3327 §5.3; RFC 5626 §6; RFC 5627 §5.3; RFC 3608 §6.3
#include "base/text.h"
#include "location/gruu.h"
#include "location/instance_id.h"
#include "registrar/outbound.h"
#include "registrar/register_request.h"
#include "sip/option_tags.h"
#include "sip/response_builder.h"
#include "transport/listener.h"

namespace signalbox::registrar {

namespace {

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

/// The route that the phone's own requests shall take (RFC 3608 §6.3).
std::string service_route(const ports::Snapshot& snapshot, const transport::Flow& flow) {
    if (snapshot.registrar.service_route != ports::kServiceRouteSelf)
        return snapshot.registrar.service_route;
    std::string route = "<sip:";
    route += transport::sent_by(flow, snapshot.listeners).view();
    if (transport::is_reliable(flow.transport)) {
        route += ";transport=";
        route += transport::uri_transport(flow.transport);
    }
    return route + ";lr>";
}

}  // namespace

/// The GRUUs of a binding that names its instance (RFC 5627 §5.3). They lead to us by the address
/// of record, or, where that does not name us as a Request-URI would, by how the phone reached us.
void Registrar::append_gruus(const Request& request, const ports::BindingView& record) {
    const std::string_view instance = location::instance_of(record.parameters);
    if (instance.empty()) return;
    const auto to =
        sip::parse_name_addr(request.message.value(sip::HeaderId::To), ErrorCode::malformed_to);
    const auto target = sip::parse_uri(request.message.request_uri());
    if (!to || !target) return;
    const RegisterContext& context = request.context;
    const bool is_own = context.snapshot.tenant_of(to->uri) != ports::kNoTenant && to->uri.is_sip();
    const sip::Uri& host_uri = is_own ? to->uri : *target;
    std::string host_port(host_uri.host);
    if (host_uri.port) host_port += ":" + std::to_string(*host_uri.port);
    const location::GruuHost host{to->uri.scheme == sip::Scheme::Sips ? "sips" : "sip",
                                  to->uri.is_sip() ? to->uri.user : context.aor, context.aor,
                                  host_port};
    line_.append(";pub-gruu=\"");
    location::append_public_gruu(host, instance, line_);
    line_.append("\";temp-gruu=\"");
    location::append_temporary_gruu(host, location::instance_hash(instance),
                                    location::registration_hash(record.call_id), random_.next(),
                                    node_, keys_, line_);
    line_.append("\"");
}

void Registrar::append_contact(const Request& request, const location::Binding& binding,
                               bool with_gruus) {
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
    if (with_gruus) append_gruus(request, record);
}

int Registrar::accept(const Request& request, std::string& response) {
    const RegisterContext& context = request.context;
    sip::ResponseBuilder builder(request.message, 200, {}, context.to_tag, response,
                                 context.top_via);
    const bool with_gruus = sip::has_option_tag(request.message, sip::HeaderId::Supported, "gruu");
    for (const location::Binding& binding :
         location_.lookup(request.now, context.tenant, context.aor)) {
        append_contact(request, binding, with_gruus);
        builder.add("Contact", line_);
    }
    if (!request.path.empty()) builder.add("Path", request.path);
    if (request.is_outbound) add_outbound(request, builder);
    if (!context.snapshot.registrar.service_route.empty()) {
        builder.add("Service-Route", service_route(context.snapshot, request.flow));
    }
    builder.add("Date", date(request.now.wall));
    if (!context.snapshot.server_name.empty()) {
        builder.add("Server", context.snapshot.server_name);
    }
    builder.finish();
    counters_.add(Counter::registrations_accepted_total);
    return 200;
}

void Registrar::add_outbound(const Request& request, sip::ResponseBuilder& builder) {
    if (request.supports_outbound) {
        builder.add("Require", "outbound");
        builder.add("Supported", "path, outbound, gruu");
    }
    if (!came_directly(request.message)) return;
    line_.clear();
    text::append_number(line_, flow_timer_s(request.flow));
    builder.add("Flow-Timer", line_);
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
