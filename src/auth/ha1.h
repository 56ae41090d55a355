// The hashes of a password that the server keeps instead of it.
// Implements: RFC 3261 §22.4; RFC 7616 §3.4.2; RFC 8760 §2.1
#pragma once

#include <string>
#include <string_view>

#include "crypto/digest.h"
#include "ports/user_record.h"

namespace signalbox::auth {

/// Hashes `password` for every algorithm, for the user names `name` and `name@domain`. Without a
/// domain, with_domain stays empty.
inline ports::Ha1Set make_ha1(crypto::Digester& digester, std::string_view name,
                              std::string_view realm, std::string_view domain,
                              std::string_view password) {
    ports::Ha1Set set;
    for (size_t i = 0; i < crypto::kDigestAlgorithms; ++i) {
        const auto algorithm = static_cast<crypto::DigestAlgorithm>(i);
        set.plain[i] = digester.digest(algorithm, {name, ":", realm, ":", password}).bytes();
        if (domain.empty()) continue;
        set.with_domain[i] =
            digester.digest(algorithm, {name, "@", domain, ":", realm, ":", password}).bytes();
    }
    return set;
}

}  // namespace signalbox::auth
