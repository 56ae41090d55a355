// The token in our Record-Route. Implements: RFC 3261 §16.6 step 4
#include "proxy/dialog_token.h"

#include <cstring>

#include "base/lower_case.h"
#include "base/sip_hasher.h"
#include "proxy/token_payload.h"

namespace signalbox::proxy {
namespace {

constexpr uint8_t kNated = 1;
constexpr uint8_t kStream = 2;
constexpr uint8_t kV6 = 4;
constexpr uint8_t kDomain = 8;
constexpr uint8_t kToCaller = 16;
constexpr uint8_t kAtContact = 32;

/// Not a token's key: a dialog outlives a rotation. The tag of the token is what proves; this hash
/// only binds it to a call.
constexpr std::array<uint64_t, 2> kDialogKey{0x4c6f636f6d6f7469, 0x5368756e74696e67};
/// Not secret: it only has to spread.
constexpr std::array<uint64_t, 2> kHopKey{0x5368756e74696e67, 0x4c6f636f6d6f7469};

}  // namespace

uint64_t dialog_hash(std::string_view call_id, std::string_view caller_tag) {
    return SipHasher(kDialogKey).add(caller_tag).add(call_id).finish();
}

DialogIdentity dialog_identity(const sip::Uri& uri, const ports::Snapshot& snapshot) {
    DialogIdentity identity;
    identity.tenant = snapshot.tenant_of_identity(uri);
    if (identity.tenant != ports::kNoTenant) {
        identity.user = sip::canonical_user(uri);
    } else {
        identity.is_foreign = uri.scheme != sip::Scheme::Other;
    }
    return identity;
}

uint32_t identity_hash(uint64_t dialog, const DialogIdentity& identity,
                       const crypto::TokenKeys::Key& key) {
    std::array<uint64_t, 2> mixed = key.siphash_key;
    mixed[0] ^= dialog;
    mixed[1] ^= (uint64_t{identity.tenant} << 1) | (identity.is_foreign ? 1U : 0U);
    return static_cast<uint32_t>(SipHasher(mixed).add(identity.user).finish());
}

uint64_t hop_hash(const sip::Uri& uri) {
    std::array<char, 600> text;
    // A NUL ends each part: no part can have one, so that no two hops are one text.
    char* end = copy_lower_case(uri.host.substr(0, 256), text.data());
    *end++ = '\0';
    const uint16_t port = uri.port_or_default();
    std::memcpy(end, &port, sizeof port);
    end += sizeof port;
    if (const auto transport = uri.param("transport"))
        end = copy_lower_case(transport->substr(0, 16), end);
    // It is there that the request would go (RFC 3263 §4).
    if (const auto maddr = uri.param("maddr")) {
        *end++ = '\0';
        end = copy_lower_case(maddr->substr(0, 256), end);
    }
    return SipHasher(kHopKey).add({text.data(), static_cast<size_t>(end - text.data())}).finish();
}

DialogTokenText seal_dialog_token(const DialogToken& token, uint16_t node,
                                  const crypto::TokenKeys& keys) {
    const transport::Flow& flow = token.flow;
    const bool stream = transport::is_reliable(flow.transport);
    const bool v6 = flow.remote.address.family == Family::V6;
    PayloadWriter payload;
    payload.put(static_cast<uint8_t>((token.is_nated ? kNated : 0) | (stream ? kStream : 0) |
                                     (v6 ? kV6 : 0) | (flow.domain ? kDomain : 0) |
                                     (token.leads_to_caller ? kToCaller : 0) |
                                     (token.is_at_contact ? kAtContact : 0)));
    payload.put(static_cast<uint8_t>(flow.transport));
    payload.put(token.dialog);
    payload.put(token.next_hop);
    payload.put(token.passage);
    payload.put(token.caller_identity);
    payload.put(token.callee_identity);
    payload.put(flow.listener);
    payload.put(flow.local.port);
    payload.put(flow.local.address);
    payload.put(flow.remote.port);
    payload.put(flow.remote.address);
    if (stream) {
        payload.put(flow.connection);
        payload.put(flow.generation);
    }
    if (flow.domain) payload.put(flow.domain.number());
    crypto::TokenFields fields;
    fields.key_id = token.key_id;
    fields.node = node;
    fields.shard = flow.shard;
    fields.payload = payload.view();
    DialogTokenText text;
    text.size = crypto::seal_siphash(crypto::purpose::kRecordRoute, fields, keys, text.text.data());
    return text;
}

std::optional<DialogToken> open_dialog_token(std::string_view text, const crypto::TokenKeys& keys,
                                             WallTime now,
                                             std::span<const transport::Listener> listeners) {
    const auto opened = crypto::open_siphash(crypto::purpose::kRecordRoute, text, keys, now);
    if (!opened) return std::nullopt;
    PayloadReader payload(opened->payload());
    const auto flags = payload.get<uint8_t>();
    const Family family = (flags & kV6) != 0 ? Family::V6 : Family::V4;
    DialogToken token;
    token.is_nated = (flags & kNated) != 0;
    token.flow.transport = static_cast<transport::Transport>(payload.get<uint8_t>());
    token.flow.shard = opened->shard;
    token.dialog = payload.get<uint64_t>();
    token.next_hop = payload.get<uint64_t>();
    token.passage = payload.get<uint32_t>();
    token.caller_identity = payload.get<uint32_t>();
    token.callee_identity = payload.get<uint32_t>();
    token.leads_to_caller = (flags & kToCaller) != 0;
    token.is_at_contact = (flags & kAtContact) != 0;
    token.key_id = opened->key_id;
    token.flow.listener = payload.get<uint16_t>();
    token.flow.local.port = payload.get<uint16_t>();
    token.flow.local.address = payload.get_address(family);
    token.flow.remote.port = payload.get<uint16_t>();
    token.flow.remote.address = payload.get_address(family);
    if ((flags & kStream) != 0) {
        token.flow.connection = payload.get<uint32_t>();
        token.flow.generation = payload.get<uint32_t>();
    }
    if ((flags & kDomain) != 0) {
        token.flow.domain = transport::PeerDomain::from(payload.get<uint64_t>());
    }
    if (!payload.is_whole()) return std::nullopt;
    if (static_cast<size_t>(token.flow.transport) >= transport::kTransports) return std::nullopt;
    const auto listener = transport::listener_of(listeners, token.flow);
    if (!listener) return std::nullopt;
    token.flow.listener = *listener;
    return token;
}

}  // namespace signalbox::proxy
