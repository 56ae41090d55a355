// Who may have what proxied: no stranger reaches a foreign domain, and nobody speaks for one of our
// users without his credentials. Implements: RFC 3261 §16.3 step 6, §22.3, §26.3.2; RFC 3325 §6
#pragma once

#include <string>

#include "proxy/incoming_request.h"
#include "proxy/route_preprocessing.h"

namespace signalbox::proxy {

/// The decision.
struct RelayDecision {
    enum class Kind : uint8_t {
        Allowed,  // as it is
        NeedsCredentials,
    };
    Kind kind = Kind::Allowed;
    bool is_any_user = false;  // any user's credentials will do; else they must be good for ...
    std::string identity;      // ... this canonical user part; an empty one is nobody's
    std::string preferred;  // as whom he wants to be named to others (RFC 3325 §6); empty: no wish
    ports::TenantId target_tenant =
        ports::kNoTenant;              // of the target, when it is one of our addresses of record
    std::string target_aor;            // its canonical user part
    uint64_t target_instance = 0;      // of a GRUU: the only phone that is meant; 0: any
    uint64_t target_registration = 0;  // of a temporary GRUU
    bool is_unresolvable =
        false;                // the Contact of a browser phone: some shard may have its binding
    bool is_foreign = false;  // it leaves for another domain or the next Route
};

/// Decides on a request outside a proven dialog. Trusted sources need no credentials. A From in our
/// domains needs its own; a foreign one needs none to call our users where `[proxy] inbound` is
/// "anyone"; all else needs some user's. An
/// anonymous caller who shows credentials, or who wants to be asserted as one of our users, has
/// them checked: so he is known to us, if to nobody else (RFC 3323 §4.1, RFC 3325 §6).
RelayDecision decide_relay(const IncomingRequest& request, const Routing& routing);

/// Decides on a request inside a dialog that `token` proves: it needs credentials only where its
/// From is one of our users, and another than this side had when the dialog began (RFC 4916 §4).
RelayDecision decide_in_dialog(const IncomingRequest& request, const DialogToken& token,
                               const crypto::TokenKeys& keys);

}  // namespace signalbox::proxy
