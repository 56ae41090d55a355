// The token in a Path that we add as the first hop of a phone.
#include "proxy/flow_token.h"

#include "base/byte_io.h"
#include "transport/outgoing_flow.h"

namespace signalbox::proxy {
namespace {

void put(ByteWriter& out, const Endpoint& endpoint) {
    const size_t size = endpoint.address.family == Family::V6 ? 16 : 4;
    out.octets(std::span(endpoint.address.octets).first(size));
    out.number(endpoint.port);
}

Endpoint get(ByteReader& in, Family family) {
    Endpoint endpoint;
    endpoint.address.family = family;
    const size_t octets = family == Family::V6 ? 16 : 4;
    for (size_t i = 0; i < octets; ++i) endpoint.address.octets[i] = in.number<uint8_t>();
    endpoint.port = in.number<uint16_t>();
    return endpoint;
}

}  // namespace

std::string seal_flow_token(const transport::Flow& flow, uint16_t node,
                            const crypto::TokenKeys& keys) {
    std::string payload;
    ByteWriter out(payload);
    out.number(flow.transport);
    out.number(flow.remote.address.family);
    out.number(flow.listener);
    put(out, flow.local);
    put(out, flow.remote);
    if (transport::is_reliable(flow.transport)) {
        out.number(flow.connection);
        out.number(flow.generation);
    }
    crypto::TokenFields fields;
    fields.node = node;
    fields.shard = flow.shard;
    fields.payload = payload;
    return crypto::seal_hmac(crypto::purpose::kFlow, fields, keys);
}

std::optional<transport::Flow> open_flow_token(std::string_view text, const crypto::TokenKeys& keys,
                                               WallTime now,
                                               std::span<const transport::Listener> listeners) {
    const auto opened = crypto::open_hmac(crypto::purpose::kFlow, text, keys, now);
    if (!opened) return std::nullopt;
    ByteReader in(opened->payload());
    transport::Flow flow;
    flow.shard = opened->shard;
    flow.transport = in.number<transport::Transport>();
    const auto family = in.number<Family>();
    flow.listener = in.number<uint16_t>();
    flow.local = get(in, family);
    flow.remote = get(in, family);
    if (transport::is_reliable(flow.transport)) {
        flow.connection = in.number<uint32_t>();
        flow.generation = in.number<uint32_t>();
    }
    if (!in.ok() || !in.at_end()) return std::nullopt;
    const auto listener =
        transport::find_listener(listeners, flow.transport, flow.local, flow.listener);
    if (!listener) return std::nullopt;
    flow.listener = *listener;
    return flow;
}

}  // namespace signalbox::proxy
