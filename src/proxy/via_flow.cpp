// The way back in our Via, to text and back. Implements: RFC 3261 §16.11, §18.2.2; RFC 3581 §4
#include "proxy/via_flow.h"

#include "base/random.h"
#include "proxy/token_payload.h"
#include "sip/params.h"
#include "transport/outgoing_flow.h"

namespace signalbox::proxy {
namespace {

constexpr uint8_t kV6 = 0x80;  // beside the transport

/// Sent-by and branch: what tells one client's Via from all others.
uint64_t via_hash(const sip::Via& via, std::array<uint64_t, 2> key) {
    key[0] ^= siphash(key, via.host);
    key[1] ^= via.port_or_default();
    return siphash(key, via.branch);
}

}  // namespace

ViaFlowText seal_via_flow(const sip::Via& next, const transport::Flow& way, uint16_t node,
                          const crypto::TokenKeys& keys) {
    const bool is_v6 = way.remote.address.family == Family::V6;
    PayloadWriter payload;
    payload.put(static_cast<uint8_t>(static_cast<uint8_t>(way.transport) | (is_v6 ? kV6 : 0)));
    payload.put(via_hash(next, keys.current().siphash_key));
    payload.put(way.listener);
    payload.put(way.local.port);
    payload.put(way.local.address);
    payload.put(way.remote.port);
    payload.put(way.remote.address);
    if (transport::is_reliable(way.transport)) {
        payload.put(way.connection);
        payload.put(way.generation);
    }
    crypto::TokenFields fields;
    fields.node = node;
    fields.shard = way.shard;
    fields.payload = payload.view();
    ViaFlowText text;
    text.size = crypto::seal_siphash(crypto::purpose::kViaFlow, fields, keys, text.text.data());
    return text;
}

std::optional<transport::Flow> open_via_flow(const sip::Via& own, const sip::Via& next,
                                             const crypto::TokenKeys& keys, WallTime now,
                                             std::span<const transport::Listener> listeners) {
    const auto param = sip::find_param(own.params, kViaFlowParam);
    if (!param || !param->value) return std::nullopt;
    const auto opened = crypto::open_siphash(crypto::purpose::kViaFlow, *param->value, keys, now);
    if (!opened) return std::nullopt;
    PayloadReader payload(opened->payload());
    const auto kind = payload.get<uint8_t>();
    const Family family = (kind & kV6) != 0 ? Family::V6 : Family::V4;
    const auto hash = payload.get<uint64_t>();
    transport::Flow way;
    way.transport = static_cast<transport::Transport>(kind & ~kV6);
    way.shard = opened->shard;
    way.listener = payload.get<uint16_t>();
    way.local.port = payload.get<uint16_t>();
    way.local.address = payload.get_address(family);
    way.remote.port = payload.get<uint16_t>();
    way.remote.address = payload.get_address(family);
    if (transport::is_reliable(way.transport)) {
        way.connection = payload.get<uint32_t>();
        way.generation = payload.get<uint32_t>();
    }
    if (!payload.is_whole()) return std::nullopt;
    // Of the key that sealed it: there may be a newer one by now.
    if (hash != via_hash(next, keys.find(opened->key_id)->siphash_key)) return std::nullopt;
    const auto listener = transport::listener_of(listeners, way);
    if (!listener) return std::nullopt;
    way.listener = *listener;
    return way;
}

}  // namespace signalbox::proxy
