// A user as the store keeps him: hashes of his password, never the password.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "ports/snapshot.h"

namespace signalbox::ports {

/// H(user:realm:password) for each algorithm, and for both ways in which phones write the user
/// name. Raw octets; a size of 0: not kept.
struct Ha1Set {
    std::array<std::string, 3> plain;        // "alice", indexed by AuthAlgorithm
    std::array<std::string, 3> with_domain;  // "alice@<realm's domain>"
};

struct UserRecord {
    TenantId tenant = kDefaultTenant;
    std::string name;    // canonical user part
    std::string realm;   // for which the HA1s hold
    std::string domain;  // the domain in with_domain
    Ha1Set ha1;
    std::vector<std::string>
        addresses;  // further addresses of record that he may use in From, and bind where no user
                    // has that name: canonical user parts. Of a removed user: those he had
    bool is_removed = false;  // in a list of changes
};

}  // namespace signalbox::ports
