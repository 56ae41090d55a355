// The token in our Record-Route: it proves a dialog, and says by which flow its far side is
// reached, without any state here. Implements: RFC 3261 §16.6 step 4, §16.7 step 8; RFC 5658
#pragma once

#include <array>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "crypto/token.h"
#include "ports/snapshot.h"
#include "sip/uri.h"
#include "transport/flow.h"
#include "transport/listener.h"
#include "transport/outgoing_flow.h"

namespace signalbox::proxy {

/// What a token says. A request that carries it (in the Route that names us) goes to the far side
/// of `flow`, or to the Contact or Route whose hash is `next_hop`; nowhere else.
struct DialogToken {
    uint64_t dialog = 0;    // dialog_hash() of Call-ID and the caller's tag
    uint64_t next_hop = 0;  // hop_hash() of the Contact or Record-Route that the far side showed
    bool is_nated =
        false;  // that address is not where the far side's packets come from: use the flow
    transport::Flow flow;
    uint32_t passage = 0;          // passage_of() the request to which it was added
    uint32_t caller_identity = 0;  // identity_hash() of From when the dialog began ...
    uint32_t callee_identity = 0;  // ... and of To
    bool leads_to_caller = false;  // who carries it is the callee; else he is the caller
    std::optional<uint8_t> key_id =
        {};                      // that sealed it, and the identities; absent: the current key
    bool is_at_contact = false;  // the far side's packets came from the Contact that it showed
};

/// What the far side of a dialog may see in From as long as nobody has proven more: the identity
/// that this side had when the dialog began.
struct DialogIdentity {
    ports::TenantId tenant = ports::kNoTenant;
    std::string user;         // canonical, in a domain of ours; else empty
    bool is_foreign = false;  // to our domains, and of a scheme in which that can be told
};
DialogIdentity dialog_identity(const sip::Uri& uri, const ports::Snapshot& snapshot);
/// Secret, so that nobody finds a second identity of the same hash; different in every dialog.
uint32_t identity_hash(uint64_t dialog, const DialogIdentity& identity,
                       const crypto::TokenKeys::Key& key);

/// Tells the Record-Routes of a request that passes us more than once (a spiral) apart: a part of
/// the loop hash, which no two passages share and which the response's branch of ours says again.
inline uint32_t passage_of(uint64_t loop_hash) {
    return static_cast<uint32_t>(loop_hash);
}

/// The text of a token, at most kTokenTextMax octets.
struct DialogTokenText {
    std::array<char, crypto::kTokenTextMax> text;
    size_t size = 0;
    std::string_view view() const { return {text.data(), size}; }
};

/// Not secret.
uint64_t dialog_hash(std::string_view call_id, std::string_view caller_tag);

/// A hash of host, port, transport and maddr of a URI: the same for the same way of writing an
/// address.
uint64_t hop_hash(const sip::Uri& uri);

/// The key_id, where given, must be one of `keys`.
DialogTokenText seal_dialog_token(const DialogToken& token, uint16_t node,
                                  const crypto::TokenKeys& keys);

/// Nothing unless we made it; what a version without identities made is none of ours any more. The
/// flow's listener is looked up again among `listeners`: a restart may have changed them.
std::optional<DialogToken> open_dialog_token(std::string_view text, const crypto::TokenKeys& keys,
                                             WallTime now,
                                             std::span<const transport::Listener> listeners);

}  // namespace signalbox::proxy
