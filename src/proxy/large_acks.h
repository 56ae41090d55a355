// ACKs that went by TCP for their size, kept until it is clear that they need not go by UDP.
// Implements: RFC 3261 §18.1.1
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "transport/flow.h"

namespace signalbox::proxy {

/// An ACK has no transaction and no response, so that nothing but the driver's word says that it
/// was not sent. The datagram is kept for as long as that word may take; then its place is free.
/// Single-threaded; one per shard.
class LargeAcks final {
 public:
    /// Kept at once; past it an ACK goes by UDP at once.
    static constexpr size_t kKeptMax = 256;

    struct Kept {
        transport::Flow flow;
        std::string datagram;
        Instant sent{};
    };

    /// Keeps `datagram`, which goes by `flow`, until `until`. Returns the Transmit's owner; 0:
    /// there is no room.
    uint64_t keep(Instant now, const transport::Flow& flow, std::string_view datagram,
                  Instant until);
    /// True when keep() made this owner of a Transmit. The transaction layer's begin otherwise.
    static bool is_owner(uint64_t transmit_owner) { return transmit_owner >> 60 == kSide; }
    /// Takes what was kept; nothing when its place has been used again.
    std::optional<Kept> take(uint64_t transmit_owner);

 private:
    static constexpr uint64_t kSide = 3;
    struct Place {
        Kept kept;
        Instant until{};
        uint32_t generation = 0;
    };
    std::vector<Place> places_;
};

}  // namespace signalbox::proxy
