// Checks digest credentials.
// Implements: RFC 3261 §22; RFC 7616 §3.4, §3.5; RFC 8760 §2; RFC 2069 §2.1.2
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string_view>

#include "auth/nonce_window.h"
#include "auth/source_guard.h"
#include "auth/user_table.h"
#include "crypto/digest.h"
#include "crypto/token.h"
#include "ports/snapshot.h"
#include "sip/header_values.h"

namespace signalbox::auth {

/// One request whose credentials are to be checked. Views: valid for the call.
struct CredentialCheck {
    ports::TenantId tenant = ports::kDefaultTenant;
    std::string_view method_text;
    const sip::Credentials& credentials;
    std::string_view request_uri;
    IpAddress source;
    const ports::Snapshot& snapshot;
    bool has_live_binding_from_source =
        false;  // the user that they name is registered from there: never blocked
};

struct Verdict {
    enum class Kind : uint8_t {
        Accepted,
        WrongCredentials,  // checked and wrong, counted against the source: challenge again
        NotChecked,  // for another realm, an algorithm that we do not offer, a hashed user name:
                     // challenge again, nothing was guessed
        Stale,  // not checked, as the nonce is too old or not ours; or right, but the nonce is not
                // told apart any more: challenge again with stale=true
        ForeignNonce,  // not checked, as the nonce was sent to another source: challenge again with
                       // stale=true
        Replayed,    // right, but its nonce count was used before: challenge again with stale=true
        Malformed,   // answer 400 with `reason`
        Unanswered,  // the source is blocked: drop
    };
    Kind kind = Kind::NotChecked;
    std::string_view user = {};    // Accepted: his canonical name (valid until he is updated)
    std::string_view reason = {};  // Malformed
    bool begins_block =
        false;  // WrongCredentials: the source is blocked from now on; tell the other shards
};

/// Single-threaded; one per shard, on which it knows the shard's users and their nonces. The steps,
/// in this order: is the source blocked, are the credentials whole, is the nonce valid and of this
/// source, is the response right (with the same work for a user who does not exist), is its count
/// new. Only a right response changes what is known of a nonce. Only a response to a nonce that
/// reached the source counts against it, so that nobody can have another blocked by forging his
/// address.
class DigestAuthenticator final {
 public:
    static constexpr size_t kNoncesMax = 131'072;

    /// All must outlive it. `birth` is when the core began: older nonces count as used.
    DigestAuthenticator(Now birth, const UserTable& users, const crypto::TokenKeys& keys,
                        SourceGuard& guard, size_t nonces_max = kNoncesMax)
        : users_(users), keys_(&keys), guard_(guard), window_(birth, nonces_max) {}

    /// Checks and, where accepted, notes the nonce count as used. Cost: one HMAC, and two digests
    /// where the nonce is valid.
    Verdict verify(Now now, const CredentialCheck& check);

    /// Takes other keys from now on (a rotation).
    void set_keys(const crypto::TokenKeys& keys) { keys_ = &keys; }
    /// Digests computed so far: the same for a user who exists and one who does not.
    uint64_t digests_made() const { return digests_made_; }

 private:
    struct Parsed;
    Verdict judge(Now now, const CredentialCheck& check, const Parsed& parsed);
    bool is_right(const CredentialCheck& check, const Parsed& parsed, const User* user);
    crypto::DigestValue digest(crypto::DigestAlgorithm algorithm,
                               std::initializer_list<std::string_view> parts);

    const UserTable& users_;
    const crypto::TokenKeys* keys_;
    SourceGuard& guard_;
    NonceWindow window_;
    crypto::Digester digester_;
    uint64_t digests_made_ = 0;
};

}  // namespace signalbox::auth
