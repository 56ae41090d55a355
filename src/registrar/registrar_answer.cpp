// The registrar's responses.
// Implements: RFC 3261 §10.3 step 8; RFC 3327 §5.3; RFC 5626 §6
#include "base/text.h"
#include "registrar/outbound.h"
#include "registrar/register_request.h"
#include "sip/response_builder.h"

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

}  // namespace

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
    if (!request.path.empty()) builder.add("Path", request.path);
    if (request.is_outbound) {
        if (request.supports_outbound) builder.add("Require", "outbound");
        if (came_directly(request.message)) {
            line_.clear();
            text::append_number(line_, flow_timer_s(request.flow));
            builder.add("Flow-Timer", line_);
        }
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
