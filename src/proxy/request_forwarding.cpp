// Renders the request that goes to one target. Implements: RFC 3261 §16.6
#include "proxy/request_forwarding.h"

#include <algorithm>
#include <array>

#include "base/check.h"
#include "base/text.h"
#include "location/location.h"
#include "proxy/asserted_identity.h"
#include "proxy/flow_token.h"
#include "proxy/via_flow.h"
#include "sip/edit_list.h"
#include "sip/option_tags.h"
#include "sip/params.h"
#include "transport/receive.h"

namespace signalbox::proxy {
namespace {

using sip::HeaderId;

/// Text built on the stack. What does not fit is a programmer's error: each part is bounded where
/// it is made.
class ShortText {
 public:
    ShortText& operator<<(std::string_view part) {
        CHECK(size_ + part.size() <= text_.size());
        part.copy(text_.data() + size_, part.size());
        size_ += part.size();
        return *this;
    }
    std::string_view view() const { return {text_.data(), size_}; }

 private:
    std::array<char, 1024> text_;
    size_t size_ = 0;
};

bool is_sips(std::string_view uri) {
    return text::istarts_with(uri, "sips:");
}

/// Whether the request that goes out has a SIPS URI as Request-URI or topmost Route (§16.6 step 4).
bool leaves_as_sips(const Forwarding& forwarding) {
    return is_sips(forwarding.target) ||
           is_sips(next_hop_uri(forwarding.routing, forwarding.path, forwarding.target));
}

/// Where the next requests of a dialog must pass us, whatever the setting says: between a hop that
/// TLS must protect and one that it need not (§16.6 step 4), and beside a WebSocket client, whom
/// nobody else can reach (RFC 7118 §5).
bool is_border(const Forwarding& forwarding) {
    const transport::Transport from = forwarding.request.flow.transport;
    const transport::Transport to = forwarding.flow.transport;
    return transport::is_websocket(from) || transport::is_websocket(to) ||
           transport::is_secure(from) != leaves_as_sips(forwarding);
}

struct RecordRoute {
    std::string_view token;
    std::string_view sent_by;
    transport::Transport transport;
    bool is_sips;
};

void add_record_route(ShortText& text, const RecordRoute& route) {
    if (!text.view().empty()) text << ", ";
    text << (route.is_sips ? "<sips:" : "<sip:") << route.token << "@" << route.sent_by;
    const bool is_implied = route.is_sips && route.transport == transport::Transport::Tls;
    const std::string_view transport = transport::uri_transport(route.transport);
    if (!transport.empty() && !is_implied) text << ";transport=" << transport;
    text << ";lr>";
}

bool has_one_via(const sip::MessageView& message) {
    const sip::HeaderField* via = message.first(HeaderId::Via);
    sip::ListWalker values(message.value(*via));
    values.next();
    return !values.next() && message.next(via) == nullptr;
}

/// The token of a dialog that begins, as the caller would carry it: where it leads is not in it.
DialogToken new_token(const IncomingRequest& request, const crypto::TokenKeys& keys) {
    const auto hash = [&](const DialogToken& token, const sip::Uri& uri) {
        return identity_hash(token.dialog, dialog_identity(uri, request.snapshot), keys.current());
    };
    DialogToken token;
    token.dialog = dialog_hash(request.call_id, request.from.tag);
    token.caller_identity = hash(token, request.from.uri);
    token.callee_identity = hash(token, request.to.uri);
    return token;
}

/// One of our sockets, so that both are shown as the same address.
bool is_of_one_side(const transport::Flow& a, const transport::Flow& b) {
    return a.transport == b.transport && a.listener == b.listener && a.local == b.local;
}

/// Record-Route with our token, twice where the request changes transport or interface (RFC 5658).
void insert_record_route(const Forwarding& forwarding, sip::EditList& edits) {
    const IncomingRequest& request = forwarding.request;
    const transport::Flow& leaving =
        forwarding.shown_flow != nullptr ? *forwarding.shown_flow : forwarding.flow;
    const ShownHop hop = shown_hop(request.message, request.message.value(HeaderId::RecordRoute),
                                   request.flow, far_side_of(request));
    DialogToken token =
        forwarding.routing.token ? *forwarding.routing.token : new_token(request, forwarding.keys);
    token.leads_to_caller = !token.leads_to_caller;
    token.next_hop = hop.hash;
    token.is_nated = hop.is_nated;
    token.is_at_contact = hop.is_at_source;
    token.flow = request.flow;
    token.passage = passage_of(forwarding.loop_hash);
    const DialogTokenText sealed = seal_dialog_token(token, forwarding.node, forwarding.keys);
    const auto& listeners = request.snapshot.listeners;
    const transport::SentBy outside = transport::sent_by(leaving, listeners);
    ShortText value;
    // Deviation: RFC 3261 §16.6 step 4 — the side that TLS does not protect keeps a SIP URI: one
    // of SIPS would promise what that side has not, and nobody could reach it.
    const bool is_secured = demands_tls(forwarding);
    const auto route_by = [&](const transport::SentBy& sent_by, transport::Transport transport) {
        add_record_route(value, {sealed.view(), sent_by.view(), transport,
                                 is_secured && transport::is_secure(transport)});
    };
    route_by(outside, leaving.transport);
    if (!is_of_one_side(leaving, request.flow)) {
        const transport::SentBy inside = transport::sent_by(request.flow, listeners);
        if (outside.view() != inside.view() || leaving.transport != request.flow.transport)
            route_by(inside, request.flow.transport);
    }
    if (request.message.first(HeaderId::RecordRoute) != nullptr) {
        edits.insert_header(HeaderId::RecordRoute, "Record-Route", value.view());
    } else {
        edits.insert_header(HeaderId::MaxForwards, "Record-Route", value.view());
    }
}

/// The first hop of a phone stays in the way of what is sent to it, where the phone knows Path or
/// is reached by its own flow alone (RFC 3327 §5.2). A reg-id asks for it: "ob" says that the flow
/// is kept (RFC 5626 §5.1).
void insert_path(const Forwarding& forwarding, sip::EditList& edits) {
    const IncomingRequest& request = forwarding.request;
    const sip::MessageView& message = request.message;
    const auto contact = sip::parse_contact(message.value(HeaderId::Contact));
    if (!has_one_via(message) || !contact || contact->is_star) return;
    const auto address = IpAddress::parse(contact->address.uri.host);
    const bool is_nated = !address || *address != request.flow.remote.address;
    const bool has_reg_id = sip::find_param(contact->address.params, "reg-id").has_value();
    if (!is_nated && !has_reg_id && !sip::has_option_tag(message, HeaderId::Supported, "path"))
        return;
    const std::string token = seal_flow_token(request.flow, forwarding.node, forwarding.keys);
    const transport::SentBy outside =
        transport::sent_by(forwarding.flow, request.snapshot.listeners);
    ShortText value;
    const transport::Transport transport = forwarding.flow.transport;
    add_record_route(value, {token, outside.view(), transport,
                             demands_tls(forwarding) && transport::is_secure(transport)});
    std::string path(value.view());
    if (has_reg_id) path.insert(path.size() - 1, ";ob");
    edits.insert_header(HeaderId::MaxForwards, "Path", path);
}

void edit_max_forwards(const IncomingRequest& request, sip::EditList& edits) {
    if (!request.max_forwards) return edits.append_header("Max-Forwards", "70");
    std::string text;
    text::append_number(text, *request.max_forwards > 0 ? *request.max_forwards - 1 : 0);
    edits.set_value(*request.message.first(HeaderId::MaxForwards), text);
}

/// RFC 5393 §5.3.3: every proxied request has exactly one.
void edit_max_breadth(const sip::MessageView& message, uint32_t breadth, sip::EditList& edits) {
    std::string text;
    text::append_number(text, breadth);
    const sip::HeaderField* field = message.first(HeaderId::MaxBreadth);
    if (field == nullptr) return edits.append_header("Max-Breadth", text);
    if (message.value(*field) != text) edits.set_value(*field, text);
    while ((field = message.next(field)) != nullptr) edits.remove_header(*field);
}

/// Removes the first `from_top` Route values, and the last one: what a strict router appended as
/// the real target. Both may stand in one header field.
void remove_top_and_last_routes(const sip::MessageView& message, size_t from_top,
                                sip::EditList& edits) {
    const sip::HeaderField* last = message.first(HeaderId::Route);
    size_t above = 0;  // values in the header fields above the last one
    while (const sip::HeaderField* next = message.next(last)) {
        sip::ListWalker values(message.value(*last));
        while (values.next()) ++above;
        last = next;
    }
    const size_t cut = from_top > above ? from_top - above : 0;
    sip::ListWalker values(message.value(*last));
    std::string_view first_kept, last_value;
    size_t count = 0;
    while (const auto one = values.next()) {
        if (count++ == cut) first_kept = *one;
        last_value = *one;
    }
    edits.remove_first_values(HeaderId::Route, std::min(from_top, above));
    if (cut + 1 >= count) return edits.remove_header(*last);
    const auto offset = [&message](std::string_view part) {
        return static_cast<size_t>(part.data() - message.bytes().data());
    };
    if (cut > 0) edits.remove(last->value_begin, offset(first_kept));
    edits.remove(message.bytes().rfind(',', offset(last_value)), last->value_end);
}

/// Puts the path in front of what Routes there are. A first hop that is a strict router is in the
/// Request-URI instead, and the target behind the rest (RFC 3327 §5.4, RFC 3261 §16.6 step 6).
void preload_path(const Forwarding& forwarding, bool is_first_strict, sip::EditList& edits) {
    std::string text;
    std::string_view rest = forwarding.path;
    const auto first = sip::parse_name_addr(rest, ErrorCode::malformed_route, &rest);
    if (!is_first_strict) {
        text = forwarding.path;
    } else if (first) {
        text = rest;
        if (!text.empty()) text += ", ";
        text += '<';
        text += forwarding.target;
        text += '>';
    }
    const bool has_route = forwarding.request.message.first(HeaderId::Route) != nullptr;
    edits.insert_header(has_route ? HeaderId::Route : HeaderId::MaxForwards, "Route", text);
}

/// The first hop of the target's path, where it is a strict router.
std::string_view strict_first_hop(const Forwarding& forwarding) {
    if (forwarding.path.empty()) return {};
    const auto first = sip::parse_name_addr(forwarding.path, ErrorCode::malformed_route);
    return first && !first->uri.param("lr") ? first->uri_text : std::string_view{};
}

void edit_routes(const Forwarding& forwarding, sip::EditList& edits) {
    const Routing& routing = forwarding.routing;
    const sip::MessageView& message = forwarding.request.message;
    if (!forwarding.path.empty()) {
        preload_path(forwarding, !strict_first_hop(forwarding).empty(), edits);
    }
    const bool strict = !routing.next_route.empty() && !routing.is_next_route_loose;
    const size_t from_top = routing.own_routes + (strict ? 1 : 0);
    if (routing.is_last_route_target) {
        remove_top_and_last_routes(message, from_top, edits);
    } else if (from_top > 0) {
        edits.remove_first_values(HeaderId::Route, from_top);
    }
    if (strict) {
        // The next hop is a strict router: it takes the Request-URI from the end of the Route set
        // (§16.6 step 6).
        std::string target = "<";
        target += forwarding.target;
        target += ">";
        edits.append_header("Route", target);
    }
}

/// Credentials for our realm end here: they are of no use to anybody behind us but one who guesses
/// passwords.
void remove_own_credentials(const IncomingRequest& request, sip::EditList& edits) {
    const sip::MessageView& message = request.message;
    for (const sip::HeaderField* field = message.first(HeaderId::ProxyAuthorization);
         field != nullptr; field = message.next(field)) {
        const auto credentials = sip::parse_credentials(message.value(*field));
        if (credentials && credentials->realm == request.snapshot.auth.realm)
            edits.remove_header(*field);
    }
}

}  // namespace

std::string_view next_hop_uri(const Routing& routing, std::string_view path,
                              std::string_view target) {
    if (!path.empty()) {
        const auto first = sip::parse_name_addr(path, ErrorCode::malformed_route);
        if (first) return first->uri_text;
    }
    return routing.next_route.empty() ? target : routing.next_route;
}

bool demands_tls(const Forwarding& forwarding) {
    return leaves_as_sips(forwarding) || is_sips(forwarding.request.message.request_uri());
}

bool begins_dialog(sip::Method method) {
    return method == sip::Method::Invite || method == sip::Method::Subscribe ||
           method == sip::Method::Refer || method == sip::Method::Notify;
}

FarSide far_side_of(const IncomingRequest& request) {
    if (!has_one_via(request.message)) return FarSide::BehindProxy;
    const sip::Uri& from = request.from.uri;
    const bool is_foreign =
        from.is_sip() && request.snapshot.tenant_of_identity(from) == ports::kNoTenant;
    return request.is_trusted || is_foreign ? FarSide::Server : FarSide::Phone;
}

ShownHop shown_hop(const sip::MessageView& message, std::string_view route_before_ours,
                   const transport::Flow& flow, FarSide side) {
    ShownHop hop;
    const bool has_route = !route_before_ours.empty();
    const std::string_view value = has_route ? route_before_ours : message.value(HeaderId::Contact);
    const auto address = sip::parse_name_addr(value, ErrorCode::malformed_contact);
    if (!address) {
        hop.is_nated = true;
        hop.is_bound_to_flow = true;
        return hop;
    }
    const sip::Uri& uri = address->uri;
    hop.hash = hop_hash(uri);
    if (has_route) return hop;
    const auto host = IpAddress::parse(uri.host);
    hop.is_at_source = host == flow.remote.address && !uri.param("maddr");
    // Who says "ob" wants the requests of this dialog over its flow (RFC 5626 §4.3, §5.3).
    hop.is_bound_to_flow = uri.param("ob").has_value() || location::is_unresolvable(uri) ||
                           (!host && transport::is_websocket(flow.transport));
    const bool is_name_of_server = !host && side == FarSide::Server;
    hop.is_nated = side != FarSide::BehindProxy &&
                   (hop.is_bound_to_flow || !(hop.is_at_source || is_name_of_server));
    return hop;
}

void add_content_length(const sip::MessageView& message, const transport::Flow& flow,
                        sip::EditList& edits) {
    if (!transport::is_reliable(flow.transport)) return;
    if (message.first(HeaderId::ContentLength) != nullptr) return;
    std::string length;
    text::append_number(length, message.body().size());
    edits.append_header("Content-Length", length);
}

bool render_request(const Forwarding& forwarding, std::string& out) {
    const IncomingRequest& request = forwarding.request;
    const sip::MessageView& message = request.message;
    sip::EditList edits(message);

    const bool strict =
        !forwarding.routing.next_route.empty() && !forwarding.routing.is_next_route_loose;
    std::string_view uri = strict ? forwarding.routing.next_route : forwarding.target;
    if (const std::string_view hop = strict_first_hop(forwarding); !hop.empty()) uri = hop;
    if (uri != message.request_uri()) edits.set_request_uri(uri);
    edits.set_version();

    ShortText via;
    via << "SIP/2.0/" << transport::transport_name(forwarding.flow.transport) << " "
        << transport::sent_by(forwarding.flow, request.snapshot.listeners).view()
        << ";branch=" << forwarding.branch << ";rport";
    if (!forwarding.via_flow.empty()) via << ";" << kViaFlowParam << "=" << forwarding.via_flow;
    edits.insert_header(HeaderId::Via, "Via", via.view());
    transport::stamp_top_via(message, request.via, request.flow, edits);
    edit_routes(forwarding, edits);
    if (begins_dialog(message.method()) && (forwarding.record_route || is_border(forwarding)))
        insert_record_route(forwarding, edits);
    if (message.method() == sip::Method::Register) insert_path(forwarding, edits);
    edit_max_forwards(request, edits);
    edit_max_breadth(message, forwarding.max_breadth, edits);
    remove_own_credentials(request, edits);
    if (!forwarding.asserted.empty() || says_of_users(message)) {
        const bool is_to_trusted = request.snapshot.is_trusted(forwarding.flow);
        edit_identity(message, {request.is_trusted, is_to_trusted, forwarding.asserted}, edits);
    }
    add_content_length(message, forwarding.flow, edits);
    if (!edits.ok()) return false;
    edits.render(out);
    return true;
}

}  // namespace signalbox::proxy
