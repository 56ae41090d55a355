// Who may have what proxied. Implements: RFC 3261 §16.3 step 6, §22.3, §26.3.2
#include "proxy/relay_policy.h"

#include "auth/claimed_user.h"
#include "location/location.h"
#include "proxy/asserted_identity.h"

namespace signalbox::proxy {
namespace {

bool is_anonymous(const sip::Uri& from) {
    return sip::hosts_equal(from.host, "anonymous.invalid");
}

/// Whether a caller whose From says nothing wants us to know who he is.
bool offers_proof(const IncomingRequest& request, std::string_view preferred) {
    if (!preferred.empty()) return true;
    if (!is_anonymous(request.from.uri)) return false;
    const auto found = auth::find_credentials(request.message, sip::HeaderId::ProxyAuthorization,
                                              request.snapshot.auth.realm);
    return found && found->has_value();
}

/// Whether it is the identity with which this side of the dialog began.
bool has_first_identity(const DialogToken& token, const DialogIdentity& identity,
                        const crypto::TokenKeys& keys) {
    const crypto::TokenKeys::Key* key = token.key_id ? keys.find(*token.key_id) : nullptr;
    const uint32_t first = token.leads_to_caller ? token.callee_identity : token.caller_identity;
    return key != nullptr && identity_hash(token.dialog, identity, *key) == first;
}

}  // namespace

RelayDecision decide_relay(const IncomingRequest& request, const Routing& routing) {
    using Kind = RelayDecision::Kind;
    const ports::Snapshot& snapshot = request.snapshot;
    RelayDecision decision;
    // A maddr that is left is not ours: it is the only target there may be (RFC 3261 §16.5).
    const bool leads_away = !routing.next_route.empty() || routing.uri.param("maddr").has_value();
    if (!leads_away) decision.target_tenant = routing.tenant;
    // A phone's flow that we gave out in a Path is no foreign place: its user registered there.
    if (routing.edge_flow) decision.target_tenant = ports::kNoTenant;
    decision.is_unresolvable =
        !leads_away && !routing.edge_flow && location::is_unresolvable(routing.uri);
    decision.is_foreign = decision.target_tenant == ports::kNoTenant && !routing.edge_flow &&
                          !decision.is_unresolvable;
    if (routing.gruu) {
        decision.target_aor = routing.gruu->aor;
        decision.target_instance = routing.gruu->instance;
        decision.target_registration = routing.gruu->registration;
    } else if (decision.target_tenant != ports::kNoTenant) {
        decision.target_aor = sip::canonical_user(routing.uri);
    }
    if (request.is_trusted) return decision;
    // An identity of a scheme that we cannot read ("im:bob@…") may be meant to look like one of our
    // users.
    decision.preferred = preferred_identity(request);
    if (snapshot.tenant_of_identity(request.from.uri) != ports::kNoTenant) {
        decision.kind = Kind::NeedsCredentials;
        decision.identity = sip::canonical_user(request.from.uri);
    } else if (decision.is_foreign || request.from.uri.scheme == sip::Scheme::Other ||
               snapshot.proxy.inbound == ports::Inbound::Trusted ||
               offers_proof(request, decision.preferred)) {
        decision.kind = Kind::NeedsCredentials;
        decision.is_any_user = true;
    }
    return decision;
}

RelayDecision decide_in_dialog(const IncomingRequest& request, const DialogToken& token,
                               const crypto::TokenKeys& keys) {
    RelayDecision decision;
    if (request.is_trusted) return decision;
    DialogIdentity identity = dialog_identity(request.from.uri, request.snapshot);
    if (identity.is_foreign) return decision;
    if (has_first_identity(token, identity, keys)) return decision;
    decision.kind = RelayDecision::Kind::NeedsCredentials;
    decision.is_any_user = identity.tenant == ports::kNoTenant;
    decision.identity = std::move(identity.user);
    return decision;
}

}  // namespace signalbox::proxy
