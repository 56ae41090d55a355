// The texts of a subscription's dialog, and the NOTIFYs made from them.
#include "presence/dialog_text.h"

#include <algorithm>

#include "base/byte_io.h"
#include "base/random.h"
#include "base/text.h"
#include "location/instance_id.h"
#include "proxy/request_uri.h"
#include "sip/header_values.h"
#include "transport/outgoing_flow.h"

namespace signalbox::presence {

using sip::HeaderId;

namespace {

constexpr std::array<uint64_t, 2> kWatchedKey{0x65206469616c6f67, 0x7375627363726962};
constexpr std::array<uint64_t, 2> kContactKey{0x636f6e7461637420, 0x6f66207265676973};

void pack(const DialogText& dialog, std::string& out) {
    ByteWriter writer(out);
    for (const std::string_view text :
         {dialog.call_id, dialog.local, dialog.remote, dialog.remote_tag, dialog.local_tag,
          dialog.remote_target, dialog.routes, dialog.event, dialog.aor, dialog.aor_uri}) {
        writer.text(text);
    }
}

/// Record-Route in the order in which it arrived is our route set (RFC 3261 §12.1.1).
std::string routes_of(const sip::MessageView& message) {
    std::string routes;
    for (const sip::HeaderField* field = message.first(HeaderId::RecordRoute); field != nullptr;
         field = message.next(field)) {
        if (!routes.empty()) routes += ", ";
        routes += message.value(*field);
    }
    return routes;
}

uint64_t contact_id(const ports::BindingView& record) {
    std::array<uint64_t, 2> key = kContactKey;
    key[0] ^= record.reg_id;
    key[1] ^= location::instance_hash(location::instance_of(record.parameters));
    return siphash(key, record.contact) >> 1;
}

/// A contact as the last document showed it.
struct Known {
    uint64_t id = 0;
    int64_t updated = 0;
    int64_t expires = 0;
    std::string_view uri;
};

Known read_known(ByteReader& in) {
    Known known;
    known.id = in.number<uint64_t>();
    known.updated = in.number<int64_t>();
    known.expires = in.number<int64_t>();
    known.uri = in.text();
    return known;
}

std::optional<Known> find_known(std::string_view packed, uint64_t id) {
    ByteReader in(packed);
    while (!in.at_end()) {
        const Known known = read_known(in);
        if (known.id == id) return known;
    }
    return std::nullopt;
}

ContactInfo info_of(Now now, const location::Binding& binding, ContactEvent event) {
    const ports::BindingView& record = binding.record;
    const auto left = std::chrono::ceil<std::chrono::seconds>(binding.expires - now.monotonic);
    ContactInfo info;
    info.id = contact_id(record);
    info.event = event;
    info.uri = record.contact;
    info.parameters = record.parameters;
    info.call_id = record.call_id;
    info.cseq = record.cseq;
    info.q = record.q;
    info.has_q = record.has_q;
    info.expires_s = static_cast<uint64_t>(std::max<int64_t>(left.count(), 0));
    return info;
}

bool is_sips(std::string_view uri_text) {
    const auto uri = sip::parse_uri(uri_text);
    return uri && uri->scheme == sip::Scheme::Sips;
}

/// The first Record-Route, or without one the watcher's Contact, speaks beside the Request-URI (RFC
/// 3261 §12.1.1).
bool is_secure(const DialogText& dialog) {
    if (is_sips(dialog.aor_uri)) return true;
    if (dialog.routes.empty()) return is_sips(dialog.remote_target);
    const auto first = sip::parse_name_addr(dialog.routes, ErrorCode::malformed_route);
    return first && first->uri.scheme == sip::Scheme::Sips;
}

/// Request-URI and Route of a request in the dialog.
struct RouteOfRequest {
    std::string request_uri;
    std::string routes;
};

/// A strict router takes its own URI as Request-URI and the remote target as the last Route (RFC
/// 3261 §12.2.1.1).
RouteOfRequest route_of(std::string_view target, std::string_view routes) {
    std::string_view rest;
    const auto first = sip::parse_name_addr(routes, ErrorCode::malformed_route, &rest);
    if (!first || first->uri.param("lr")) return {std::string(target), std::string(routes)};
    std::string scratch;
    RouteOfRequest route{std::string(proxy::request_uri_of(first->uri_text, scratch)),
                         std::string(text::trim(rest))};
    if (!route.routes.empty()) route.routes += ", ";
    route.routes.append("<").append(target).append(">");
    return route;
}

}  // namespace

uint64_t watched_key(ports::TenantId tenant, std::string_view aor) {
    return siphash({kWatchedKey[0] ^ tenant, kWatchedKey[1]}, aor);
}

void pack_dialog(const proxy::IncomingRequest& request, std::string_view tag, std::string_view aor,
                 std::string_view remote_target, std::string& out) {
    const std::string routes = routes_of(request.message);
    std::string local(request.message.value(HeaderId::To));
    local += ";tag=";
    local += tag;
    DialogText dialog;
    dialog.call_id = request.call_id;
    dialog.local = local;
    dialog.remote = request.message.value(HeaderId::From);
    dialog.remote_tag = request.from.tag;
    dialog.local_tag = tag;
    dialog.remote_target = remote_target;
    dialog.routes = routes;
    dialog.event = request.message.value(HeaderId::Event);
    dialog.aor = aor;
    dialog.aor_uri = request.message.request_uri();
    out.clear();
    pack(dialog, out);
}

void repack_target(std::string_view packed, std::string_view remote_target, std::string& out) {
    DialogText dialog = unpack_dialog(packed);
    dialog.remote_target = remote_target;
    out.clear();
    pack(dialog, out);
}

DialogText unpack_dialog(std::string_view packed) {
    ByteReader in(packed);
    DialogText dialog;
    for (std::string_view* text :
         {&dialog.call_id, &dialog.local, &dialog.remote, &dialog.remote_tag, &dialog.local_tag,
          &dialog.remote_target, &dialog.routes, &dialog.event, &dialog.aor, &dialog.aor_uri}) {
        *text = in.text();
    }
    DCHECK(in.ok());
    return dialog;
}

std::string own_contact(const DialogText& dialog, const transport::Flow& flow,
                        const ports::Snapshot& snapshot) {
    const auto uri = sip::parse_uri(dialog.aor_uri);
    std::string contact = is_secure(dialog) ? "<sips:" : "<sip:";
    if (uri && uri->has_user) {
        contact += uri->user;
        contact += '@';
    }
    contact += transport::sent_by(flow, snapshot.listeners).view();
    if (transport::is_reliable(flow.transport)) {
        contact += ";transport=";
        contact += transport::uri_transport(flow.transport);
    }
    return contact + ">";
}

void render_notify(const Notification& notification, const ports::Snapshot& snapshot,
                   std::string& out) {
    const DialogText& dialog = notification.dialog;
    const auto line = [&out](std::string_view name, std::initializer_list<std::string_view> parts) {
        out += name;
        out += ": ";
        for (const std::string_view part : parts) out += part;
        out += "\r\n";
    };
    const RouteOfRequest route = route_of(notification.target, notification.routes);
    std::string number;
    out = "NOTIFY ";
    out += route.request_uri;
    out += " SIP/2.0\r\n";
    line("Via", {"SIP/2.0/", transport::transport_name(notification.flow.transport), " ",
                 transport::sent_by(notification.flow, snapshot.listeners).view(),
                 ";branch=", notification.branch, ";rport"});
    if (!route.routes.empty()) line("Route", {route.routes});
    line("Max-Forwards", {"70"});
    line("From", {dialog.local});
    line("To", {dialog.remote});
    line("Call-ID", {dialog.call_id});
    text::append_number(number, notification.cseq);
    line("CSeq", {number, " NOTIFY"});
    line("Contact", {own_contact(dialog, notification.flow, snapshot)});
    line("Event", {dialog.event});
    number.clear();
    text::append_number(number, notification.expires_s);
    if (notification.expires_s == 0) {
        line("Subscription-State", {"terminated;reason=", notification.end_reason});
    } else {
        line("Subscription-State", {"active;expires=", number});
    }
    line("Content-Type", {"application/reginfo+xml"});
    number.clear();
    text::append_number(number, notification.body.size());
    line("Content-Length", {number});
    out += "\r\n";
    out += notification.body;
}

void changed_contacts(Now now, std::span<const location::Binding> bindings, std::string_view known,
                      bool is_full, std::vector<ContactInfo>& out) {
    for (const location::Binding& binding : bindings) {
        const auto before = find_known(known, contact_id(binding.record));
        const int64_t updated = binding.record.updated.time_since_epoch().count();
        const int64_t expires = binding.record.expires.time_since_epoch().count();
        if (is_full) {
            out.push_back(info_of(now, binding, ContactEvent::Registered));
        } else if (!before) {
            out.push_back(info_of(now, binding, ContactEvent::Created));
        } else if (before->updated != updated) {
            out.push_back(info_of(
                now, binding,
                expires < before->expires ? ContactEvent::Shortened : ContactEvent::Refreshed));
        }
    }
    for (ByteReader in(known); !in.at_end();) {
        const Known gone = read_known(in);
        const bool is_there = std::any_of(bindings.begin(), bindings.end(),
                                          [&gone](const location::Binding& binding) {
                                              return contact_id(binding.record) == gone.id;
                                          });
        if (is_there) continue;
        ContactInfo info;
        info.id = gone.id;
        info.uri = gone.uri;
        info.event = gone.expires <= now.wall.time_since_epoch().count()
                         ? ContactEvent::Expired
                         : ContactEvent::Unregistered;
        out.push_back(info);
    }
}

void pack_known(std::span<const location::Binding> bindings, std::string& out) {
    ByteWriter writer(out);
    for (const location::Binding& binding : bindings) {
        writer.number(contact_id(binding.record));
        writer.number(binding.record.updated.time_since_epoch().count());
        writer.number(binding.record.expires.time_since_epoch().count());
        writer.text(binding.record.contact);
    }
}

}  // namespace signalbox::presence
