// Globally routable user agent URIs: they reach one instance of a user's phones, through us.
// Implements: RFC 5627 §3.1, §5.3, §5.4
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/time.h"
#include "crypto/token.h"
#include "sip/uri.h"

namespace signalbox::location {

/// A longer user stands behind the token of his temporary GRUU, encrypted too.
inline constexpr size_t kGruuTokenAorBytesMax = 56;

/// What a GRUU names.
struct Gruu {
    std::string aor;            // the canonical user part; empty: a temporary one that is not ours
    uint64_t instance = 0;      // instance_hash()
    uint64_t registration = 0;  // of a temporary one: registration_hash() of the Call-ID of the
                                // registration that got it; 0: a public one
};

/// Where GRUUs of one address of record lead. Views: for the call.
struct GruuHost {
    std::string_view scheme;     // "sip" or "sips"
    std::string_view user;       // as written in the address of record
    std::string_view aor;        // the canonical user part
    std::string_view host_port;  // of ours
};

/// Appends "sip:alice@example.com;gr=urn:uuid:…".
void append_public_gruu(const GruuHost& host, std::string_view instance, std::string& out);

/// Appends "sip:tgruu.…@example.com;gr": it shows neither the user nor the instance, and no two are
/// alike (`unique` is a fresh random number). It needs no memory here: it says by itself, encrypted
/// and under a MAC, what it names. Any user who can register has room in it (kAorBytesMax).
void append_temporary_gruu(const GruuHost& host, uint64_t instance, uint64_t registration,
                           uint64_t unique, uint16_t node, const crypto::TokenKeys& keys,
                           std::string& out);

/// What `uri`, of one of our domains, names when it is a GRUU; nothing when it is none.
std::optional<Gruu> read_gruu(const sip::Uri& uri, const crypto::TokenKeys& keys, WallTime now);

}  // namespace signalbox::location
