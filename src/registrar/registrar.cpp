// The registrar's steps: read what is asked, plan all of it, then change everything or nothing.
// Implements: RFC 3261 §10.3 steps 2, 5, 6, 7, 8; RFC 3261 §8.2.2.3; RFC 5626 §6
#include "registrar/registrar.h"

#include <algorithm>

#include "base/text.h"
#include "registrar/outbound.h"
#include "registrar/register_request.h"
#include "sip/option_tags.h"
#include "sip/params.h"

namespace signalbox::registrar {

namespace {

bool is_known_option(std::string_view tag) {
    for (const std::string_view known : kOptionTags) {
        if (text::iequals(tag, known)) return true;
    }
    return false;
}

/// The option tags of Require that the registrar does not know, joined (RFC 3261 §8.2.2.3).
void append_unknown(const sip::MessageView& message, std::string& out) {
    for (const sip::HeaderField* field = message.first(sip::HeaderId::Require); field != nullptr;
         field = message.next(field)) {
        sip::ListWalker walker(message.value(*field));
        while (const auto tag = walker.next()) {
            if (is_known_option(*tag)) continue;
            if (!out.empty()) out.append(", ");
            out.append(*tag);
        }
    }
}

}  // namespace

int Registrar::process(Now now, const sip::MessageView& request, const transport::Flow& flow,
                       const RegisterContext& context, ports::Outbox& out, std::string& response) {
    left_flows_.clear();
    Request read{now, request, flow, context};
    const std::optional<sip::CSeq>& cseq = request.cseq();
    if (!cseq) return refuse(read, {400, error_text(ErrorCode::malformed_cseq)}, response);
    read.cseq = cseq->number;
    read.call_id = request.value(sip::HeaderId::CallId);
    const std::string_view agent = request.value(sip::HeaderId::UserAgent);
    read.user_agent = agent.substr(0, std::min(agent.find('\r'), kUserAgentBytesMax));
    read.expires = context.snapshot.registrar.expires_default_s;
    if (const sip::HeaderField* field = request.first(sip::HeaderId::Expires)) {
        read.expires = sip::parse_expires(request.value(*field)).value_or(kExpiresMalformedS);
        read.is_expires_asked = true;
    }
    read.supports_outbound = sip::has_option_tag(request, sip::HeaderId::Supported, "outbound");
    line_.clear();
    if (request.first(sip::HeaderId::Require) != nullptr) append_unknown(request, line_);
    Refusal refusal;
    if (!line_.empty()) refusal = {420, {}};
    if (refusal.status == 0) refusal = read_contacts(read);
    if (refusal.status == 0) refusal = read_path(read);
    if (refusal.status == 0) refusal = apply_outbound(read);
    if (refusal.status == 0) refusal = plan(read);
    if (refusal.status == 0) refusal = apply(read, out);
    if (refusal.status == 0) return accept(read, response);
    left_flows_.clear();
    return refuse(read, refusal, response);
}

Registrar::Refusal Registrar::plan(const Request& request) {
    planned_.clear();
    if (asked_.empty() && !has_star_) return {};
    const auto existing =
        location_.lookup(request.now, request.context.tenant, request.context.aor);
    for (const location::Binding& binding : existing)
        planned_.push_back({binding, false, false, false});
    if (has_star_) return plan_removal_of_all(request);
    for (size_t i = 0; i < asked_.size(); ++i) {
        const Refusal refusal = plan_one(request, i);
        if (refusal.status != 0) return refusal;
    }
    return {};
}

Registrar::Refusal Registrar::plan_removal_of_all(const Request& request) {
    for (PlannedBinding& planned : planned_) {
        if (request.is_older_than(planned.binding.record)) return {500, "CSeq is not higher"};
        planned.is_touched = true;
        planned.is_removed = true;
    }
    return {};
}

Registrar::Refusal Registrar::plan_one(const Request& request, size_t asked_index) {
    const AskedContact& asked = asked_[asked_index];
    const size_t index =
        find_binding(planned_, asked_, asked_index, {request.call_id, request.flow});
    if (index == planned_.size()) {
        if (asked.expires == 0) return {};
        make_room(request, asked);
        note_new_connection(request, asked);
        planned_.emplace_back().is_new = true;
    }
    PlannedBinding& planned = planned_[index];
    ports::BindingView& record = planned.binding.record;
    // A contact that this request names twice is compared with what was there before it; its last
    // mention holds.
    const bool is_compared = !planned.is_new && !planned.is_touched;
    if (is_compared && request.is_older_than(record)) return {500, "CSeq is not higher"};
    if (is_compared) note_move(request, asked, record);
    planned.is_touched = true;
    planned.is_removed = asked.expires == 0;
    record.contact = asked.address.uri_text;
    record.parameters = asked.parameters;
    record.call_id = request.call_id;
    record.cseq = request.cseq;
    record.q = asked.q;
    record.has_q = asked.has_q;
    record.is_nated = asked.is_nated;
    record.expires = request.now.wall + std::chrono::seconds(asked.expires);
    record.updated = request.now.wall;
    record.flow = request.flow;
    record.user_agent = request.user_agent;
    record.reg_id = asked.reg_id;
    record.path = request.path;
    planned.binding.expires = request.now.monotonic + std::chrono::seconds(asked.expires);
    planned.binding.is_flow_closed = false;
    return {};
}

/// A phone behind a NAT has another port of it, or another connection, than before. Not where
/// somebody stands between: his one flow may be that of many phones.
void Registrar::note_move(const Request& request, const AskedContact& asked,
                          const ports::BindingView& before) {
    if (!asked.is_nated || asked.expires == 0 || !before.is_nated) return;
    if (!before.path.empty() || !request.path.empty() || !came_directly(request.message)) return;
    if (transport::is_same_flow(before.flow, request.flow)) return;
    left_flows_.push_back(before.flow);
}

/// A phone whose Contact names the port of its connection comes back as another Contact. It is the
/// same one by its Call-ID.
void Registrar::note_new_connection(const Request& request, const AskedContact& asked) {
    for (const PlannedBinding& planned : planned_) {
        const bool is_own = planned.binding.record.call_id == request.call_id;
        if (is_own && planned.binding.is_flow_closed && !planned.is_touched)
            note_move(request, asked, planned.binding.record);
    }
}

/// A phone that started anew behind its NAT may be taken for a second one of the same private
/// address. Where there is no room for it, the oldest of these gives way.
void Registrar::make_room(const Request& request, const AskedContact& asked) {
    if (!asked.is_private || !asked.is_nated) return;
    size_t kept = 0;
    PlannedBinding* oldest = nullptr;
    for (PlannedBinding& planned : planned_) {
        kept += planned.is_removed ? 0 : 1;
        const ports::BindingView& record = planned.binding.record;
        if (planned.is_touched || record.contact != asked.address.uri_text) continue;
        if (oldest == nullptr || record.updated < oldest->binding.record.updated) oldest = &planned;
    }
    if (oldest == nullptr || kept < request.settings().contacts_max) return;
    oldest->is_touched = true;
    oldest->is_removed = true;
}

Registrar::Refusal Registrar::apply(const Request& request, ports::Outbox& out) {
    kept_.clear();
    bool is_changed = false;
    size_t before = 0;
    for (const PlannedBinding& planned : planned_) {
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

}  // namespace signalbox::registrar
