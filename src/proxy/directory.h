// What a shard knows of its own users, and answers to itself and to the other shards.
#pragma once

#include "auth/digest_authenticator.h"
#include "auth/source_guard.h"
#include "auth/user_table.h"
#include "base/counters.h"
#include "location/location.h"
#include "proxy/shard_message.h"

namespace signalbox::proxy {

/// Users, credentials and bindings of one shard. Single-threaded; refers to what the core owns.
class Directory final {
 public:
    Directory(auth::UserTable& users, auth::DigestAuthenticator& authenticator,
              auth::SourceGuard& guard, location::Location& location, Counters& counters,
              uint8_t shard)
        : users_(users),
          authenticator_(authenticator),
          guard_(guard),
          location_(location),
          counters_(counters),
          shard_(shard) {}

    /// Checks credentials of one of this shard's users. Wrong ones count against their source; when
    /// that starts a block, `blocked` says what the other shards must know. Valid until the next
    /// call.
    CredentialAnswer answer(Now now, const CredentialQuestion& question,
                            const ports::Snapshot& snapshot, std::optional<SourceBlocked>& blocked);
    /// The same where the question's credentials have been parsed.
    CredentialAnswer check(Now now, const CredentialQuestion& question,
                           const sip::Credentials& credentials, const ports::Snapshot& snapshot,
                           std::optional<SourceBlocked>& blocked);

    /// Where one of this shard's addresses of record is reached. Views in the answer are valid
    /// until the next call.
    const LocationAnswer& answer(Now now, const LocationQuestion& question,
                                 const ports::Snapshot& snapshot);

    /// Whether one of this shard's users has that name.
    bool has_user(ports::TenantId tenant, std::string_view name) const {
        return users_.find(tenant, name) != nullptr;
    }

    auth::SourceGuard& guard() { return guard_; }

 private:
    const LocationAnswer& answer_contact(Now now, const LocationQuestion& question,
                                         const ports::Snapshot& snapshot);
    std::optional<Target> target_of(const location::Binding& binding,
                                    const ports::Snapshot& snapshot) const;
    void add_target(const Target& target, const location::Binding& binding, bool is_flow);
    static bool is_registration_live(std::span<const location::Binding> bindings,
                                     const LocationQuestion& question);
    CredentialAnswer judge(Now now, const CredentialQuestion& question,
                           const auth::Verdict& verdict, const ports::Snapshot& snapshot,
                           std::optional<SourceBlocked>& blocked);

    auth::UserTable& users_;
    auth::DigestAuthenticator& authenticator_;
    auth::SourceGuard& guard_;
    location::Location& location_;
    Counters& counters_;
    uint8_t shard_;
    LocationAnswer location_answer_;
    std::vector<WallTime> updated_;  // of its targets
    std::string user_;
};

}  // namespace signalbox::proxy
