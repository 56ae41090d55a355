// ACKs that went by TCP for their size.
// Implements: RFC 3261 §18.1.1
#include "proxy/large_acks.h"

#include <algorithm>
#include <utility>

namespace signalbox::proxy {

uint64_t LargeAcks::keep(Instant now, const transport::Flow& flow, std::string_view datagram,
                         Instant until) {
    auto place = std::find_if(places_.begin(), places_.end(),
                              [now](const Place& each) { return each.until <= now; });
    if (place == places_.end()) {
        if (places_.size() == kKeptMax) return 0;
        place = places_.emplace(places_.end());
    }
    place->kept = {flow, std::string(datagram), now};
    place->until = until;
    ++place->generation;
    const auto index = static_cast<uint64_t>(place - places_.begin());
    return kSide << 60 | index << 32 | place->generation;
}

std::optional<LargeAcks::Kept> LargeAcks::take(uint64_t transmit_owner) {
    const size_t index = (transmit_owner >> 32) & 0xfff'ffff;
    const auto generation = static_cast<uint32_t>(transmit_owner);
    if (!is_owner(transmit_owner) || index >= places_.size()) return std::nullopt;
    Place& place = places_[index];
    if (place.generation != generation || place.kept.datagram.empty()) return std::nullopt;
    place.until = Instant{};
    return std::exchange(place.kept, {});
}

}  // namespace signalbox::proxy
