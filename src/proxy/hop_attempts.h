// What a branch remembers whose target may be reached at more than one next hop, or over more than
// one transport. Implements: RFC 3263 §4.3; RFC 3261 §18.1.1
#pragma once

#include <array>
#include <optional>

#include "resolver/resolver.h"
#include "transaction/transaction_values.h"

namespace signalbox::proxy {

/// In the arena of the branch's context; other branches have none. A hop that was left keeps its
/// client transaction: an INVITE is cancelled there as soon as it shows that it lives, and its 2xx
/// is still a 2xx.
struct HopAttempts {
    static constexpr size_t kTriesMax = 16;

    resolver::LookupHandle lookup;  // null: there is one address
    resolver::Hop hop;              // that is tried now
    uint8_t tries = 0;              // hops to which the request was sent
    uint8_t left_count = 0;
    bool is_large_by_stream = false;  // the try goes by TCP only because of its size
    Instant sent{};                   // the current try
    Instant give_up = kNever;         // without any response from any hop
    transport::PeerDomain domain;     // of the certificate that a TLS hop must show
    std::optional<transport::Flow>
        dialog_flow;                // of the dialog of the request: used again, or where DNS fails
    transport::Flow datagram_flow;  // of a large request: by which it goes when TCP cannot be had
    std::array<transaction::ClientHandle, kTriesMax> left{};
};

}  // namespace signalbox::proxy
