// Where a subscription's dialog says that its NOTIFYs go.
// Implements: RFC 3261 §8.1.2, §12.2.1.1; RFC 5626 §4.3, §5.3; RFC 5627 §4.4
#include "presence/notify_way.h"

#include "proxy/own_hops.h"
#include "resolver/locate_server.h"
#include "sip/header_values.h"
#include "transport/outgoing_flow.h"

namespace signalbox::presence {

namespace {

std::optional<transport::Flow> flow_to(const resolver::NextHop& hop, const transport::Flow& from,
                                       const WayContext& context) {
    if (!hop.address) return std::nullopt;
    auto flow = transport::outgoing_flow(context.snapshot.listeners, context.snapshot.own_addresses,
                                         from, hop.transport, {*hop.address, hop.port});
    if (flow) flow->shard = context.shard;
    return flow;
}

/// Whether the flow's other end is the address that `hop` names, by the same transport.
bool is_at_flow(const resolver::NextHop& hop, const transport::Flow& flow) {
    return hop.address == flow.remote.address && hop.transport == flow.transport;
}

/// A datagram goes to the port that the hop names; a connection is what it is.
transport::Flow by_flow(const resolver::NextHop& hop, const transport::Flow& flow) {
    transport::Flow chosen = flow;
    if (!transport::is_reliable(flow.transport)) chosen.remote.port = hop.port;
    return chosen;
}

void read_address(std::string_view uri_text, const transport::Flow& flow, bool may_be_nated,
                  const WayContext& context, DialogHop& result) {
    const auto uri = sip::parse_uri(uri_text);
    const auto hop =
        uri && uri->is_sip() ? resolver::next_hop(*uri) : fail(ErrorCode::unsupported_uri_scheme);
    result.back = flow;
    if (!hop || !hop->address || transport::is_websocket(hop->transport)) return;
    if (uri->param("ob")) return;
    if (hop->address == flow.remote.address) {
        if (is_at_flow(*hop, flow)) {
            result.back = by_flow(*hop, flow);
            if (!transport::is_reliable(flow.transport)) return;
        }
        result.address = flow_to(*hop, flow, context);
        if (result.address && !is_at_flow(*hop, flow)) result.back.reset();
        return;
    }
    if (may_be_nated) return;
    result.address = flow_to(*hop, flow, context);
    if (result.address) result.back.reset();
}

}  // namespace

DialogHop next_hop_of(const DialogText& dialog, const transport::Flow& flow, bool is_direct,
                      const WayContext& context) {
    proxy::Target target;
    target.path = dialog.routes;
    proxy::take_own_hops(context.snapshot, context.keys, context.now, target);
    DialogHop hop;
    hop.routes = target.path;
    if (target.has_flow) {
        hop.address = target.flow;
        hop.ways = {NotifyWay::Target};
        return hop;
    }
    if (!hop.routes.empty()) {
        const auto route = sip::parse_name_addr(hop.routes, ErrorCode::malformed_route);
        read_address(route ? route->uri_text : std::string_view{}, flow, false, context, hop);
    } else {
        const auto uri = sip::parse_uri(dialog.remote_target);
        if (uri && context.snapshot.tenant_of(*uri) != ports::kNoTenant)
            hop.gruu = location::read_gruu(*uri, context.keys, context.now);
        if (hop.gruu) {
            hop.back = flow;
            hop.ways = {NotifyWay::Registration, NotifyWay::SubscribeFlow};
            return hop;
        }
        read_address(dialog.remote_target, flow, is_direct, context, hop);
    }
    if (hop.back) {
        hop.ways = {NotifyWay::SubscribeFlow, NotifyWay::Target, NotifyWay::Registration};
    } else {
        hop.ways = {NotifyWay::Target};
    }
    return hop;
}

std::optional<transport::Flow> flow_of_target(proxy::Target& target, const transport::Flow& from,
                                              const WayContext& context) {
    proxy::take_own_hops(context.snapshot, context.keys, context.now, target);
    if (target.has_flow) return target.flow;
    const auto route = sip::parse_name_addr(target.path, ErrorCode::malformed_route);
    const auto uri = route ? Result<sip::Uri>(route->uri) : sip::parse_uri(target.uri);
    const auto hop =
        uri && uri->is_sip() ? resolver::next_hop(*uri) : fail(ErrorCode::unsupported_uri_scheme);
    return hop ? flow_to(*hop, from, context) : std::nullopt;
}

}  // namespace signalbox::presence
