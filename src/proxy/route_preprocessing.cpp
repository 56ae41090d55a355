// Takes our own Routes off a request and finds what it is really for. Implements: RFC 3261 §16.4
#include "proxy/route_preprocessing.h"

#include "proxy/flow_token.h"
#include "sip/params.h"
#include "sip/uri_parts.h"

namespace signalbox::proxy {
namespace {

using sip::HeaderId;

/// Calls `visit(NameAddr)` for each Route value from the top until it returns false.
template <class Visit>
Result<void> walk_routes(const sip::MessageView& message, Visit&& visit) {
    for (const sip::HeaderField* field = message.first(HeaderId::Route); field != nullptr;
         field = message.next(field)) {
        std::string_view rest = message.value(*field);
        while (!rest.empty()) {
            TRY_ASSIGN(route, sip::parse_name_addr(rest, ErrorCode::malformed_route, &rest));
            if (!visit(route)) return {};
        }
    }
    return {};
}

bool names_us(const sip::Uri& uri, const IncomingRequest& request) {
    return request.snapshot.tenant_of(uri) != ports::kNoTenant && uri.is_sip();
}

/// Keeps the flow of a Path that we added, unless the request came by it: then the phone itself
/// sends (RFC 5626 §5.3).
void take_flow_token(const sip::Uri& uri, const IncomingRequest& request,
                     const crypto::TokenKeys& keys, WallTime now, Routing& routing) {
    const auto flow = open_flow_token(uri.user, keys, now, request.snapshot.listeners);
    if (flow && !is_same_flow(*flow, request.flow)) routing.edge_flow = flow;
}

/// Keeps the token when it proves this request's dialog: made for this Call-ID and for the tag of
/// the caller, who is the one of its two sides to whom, or from whom, it leads.
void take_token(const sip::Uri& uri, const IncomingRequest& request, const crypto::TokenKeys& keys,
                WallTime now, Routing& routing) {
    if (!uri.has_user) return;
    const auto token = open_dialog_token(uri.user, keys, now, request.snapshot.listeners);
    if (!token) return take_flow_token(uri, request, keys, now, routing);
    const std::string_view caller_tag = token->leads_to_caller ? request.to.tag : request.from.tag;
    const bool proves =
        request.is_in_dialog() && token->dialog == dialog_hash(request.call_id, caller_tag);
    if (proves) {
        routing.token = token;
    } else {
        routing.has_refused_token = true;
    }
}

bool is_of_maddr(std::string_view name) {
    const auto is = [name](std::string_view one) {
        return sip::uri_parts::equal_escaped(name, one, sip::uri_parts::Case::Ignored);
    };
    return is("maddr") || is("transport") || is("ttl");
}

/// A Request-URI that names us by maddr is treated as if it had neither maddr nor the port and
/// transport that go with it.
void strip_own_maddr(const IncomingRequest& request, Routing& routing) {
    sip::Uri& uri = routing.uri;
    const auto maddr = uri.param("maddr");
    if (!maddr) return;
    sip::Uri at_maddr = uri;
    at_maddr.host = *maddr;
    if (!request.snapshot.is_own_address(at_maddr)) return;
    const auto host_end = static_cast<size_t>(uri.host.data() + uri.host.size() - uri.text.data());
    routing.without_maddr = uri.text.substr(0, host_end);
    sip::uri_parts::PairWalker walker(uri.params, ';');
    while (const auto pair = walker.next()) {
        if (is_of_maddr(pair->name)) continue;
        routing.without_maddr.append(";").append(pair->name);
        if (pair->value) routing.without_maddr.append("=").append(*pair->value);
    }
    uri.port.reset();
    uri.params = {};
    routing.tenant = request.snapshot.tenant_of(uri);
}

}  // namespace

Result<Routing> preprocess_route(const IncomingRequest& request, const crypto::TokenKeys& keys,
                                 WallTime now) {
    Routing routing;
    routing.target_uri = request.message.request_uri();
    TRY_ASSIGN(uri, sip::parse_uri(routing.target_uri));
    routing.uri = uri;
    routing.tenant = request.snapshot.tenant_of(uri);

    size_t route_count = 0;
    std::string_view last_route;
    bool may_be_own = true;
    TRY(walk_routes(request.message, [&](const sip::NameAddr& route) {
        ++route_count;
        last_route = route.uri_text;
        if (may_be_own && names_us(route.uri, request)) {
            ++routing.own_routes;
            take_token(route.uri, request, keys, now, routing);
        } else if (may_be_own) {
            may_be_own = false;
            routing.next_route = route.uri_text;
            routing.is_next_route_loose = route.uri.param("lr").has_value();
        }
        return true;
    }));

    const bool is_own_token =
        uri.is_sip() && uri.has_user && route_count > 0 && routing.tenant != ports::kNoTenant &&
        open_dialog_token(uri.user, keys, now, request.snapshot.listeners).has_value();
    if (is_own_token) {
        // A strict router upstream: what we put into Record-Route came back as the Request-URI
        // (step 1 of §16.4).
        take_token(uri, request, keys, now, routing);
        routing.is_last_route_target = true;
        routing.target_uri = last_route;
        TRY_ASSIGN(target, sip::parse_uri(last_route));
        routing.uri = target;
        routing.tenant = request.snapshot.tenant_of(target);
        if (route_count == 1) {
            routing.next_route = {};
            routing.own_routes = 0;
        } else if (routing.next_route.data() == last_route.data()) {
            routing.next_route = {};
        }
    }
    const sip::Uri as_written = routing.uri;
    strip_own_maddr(request, routing);
    if (routing.next_route.empty() && routing.uri.is_sip() && routing.tenant != ports::kNoTenant)
        routing.gruu = location::read_gruu(as_written, keys, now);
    return routing;
}

}  // namespace signalbox::proxy
