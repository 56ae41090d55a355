// Which shard a packet belongs to, by a peek at it. Implements: RFC 3261 §17.1.3 (responses by
// their branch)
#include "core/sip_core.h"
#include "ports/sharding.h"
#include "presence/reg_event.h"
#include "sip/header_values.h"
#include "sip/message_view.h"
#include "transaction/branch.h"

namespace signalbox::core {

namespace {

/// A subscription to registrations lives where they do. Its refreshes name the same user, also
/// those that forget their Event or name another; they have no Route, as nobody is in our way.
bool may_be_for_reg_event(const sip::MessageView& message) {
    if (presence::names_reg_event(message.value(sip::HeaderId::Event))) return true;
    if (message.first(sip::HeaderId::Event) == nullptr) return true;
    const auto to = sip::parse_name_addr(message.value(sip::HeaderId::To), ErrorCode::malformed_to);
    return to && !to->tag.empty() && message.first(sip::HeaderId::Route) == nullptr;
}

}  // namespace

uint8_t owner_shard(std::string_view bytes, uint8_t shards, uint8_t fallback) {
    if (shards <= 1) return fallback;
    sip::MessageView message;
    // A message that cannot be indexed whole may still show what is needed, and is refused by any
    // shard alike.
    static_cast<void>(sip::parse_message(bytes, message));
    if (!message.is_request()) {
        const auto via = sip::parse_via(message.value(sip::HeaderId::Via));
        const auto shard = via ? transaction::peek_branch_shard(via->branch) : std::nullopt;
        return shard && *shard < shards ? *shard : fallback;
    }
    if (message.method() == sip::Method::Register) {
        const auto to =
            sip::parse_name_addr(message.value(sip::HeaderId::To), ErrorCode::malformed_to);
        if (!to) return fallback;
        return ports::shard_of_aor(ports::kDefaultTenant, sip::canonical_user(to->uri), shards);
    }
    if (message.method() == sip::Method::Subscribe && may_be_for_reg_event(message)) {
        const auto uri = sip::parse_uri(message.request_uri());
        if (uri && uri->has_user)
            return ports::shard_of_aor(ports::kDefaultTenant, sip::canonical_user(*uri), shards);
    }
    const std::string_view call_id = message.value(sip::HeaderId::CallId);
    return call_id.empty() ? fallback : ports::shard_of_call_id(call_id, shards);
}

}  // namespace signalbox::core
