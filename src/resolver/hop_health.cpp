// Which next hops failed a short while ago. Implements: RFC 3261 §21.5.4; RFC 3263 §4.3
#include "resolver/hop_health.h"

#include <algorithm>
#include <cstring>

namespace signalbox::resolver {

size_t HopHealth::set_of(const Hop& hop) const {
    std::array<char, 19> octets;
    std::memcpy(octets.data(), hop.remote.address.octets.data(), 16);
    std::memcpy(octets.data() + 16, &hop.remote.port, 2);
    octets[18] = static_cast<char>(hop.transport);
    return siphash(hash_key_, {octets.data(), octets.size()}) % kSets * kWays;
}

const HopHealth::Place* HopHealth::find(const Hop& hop) const {
    if (!is_used_) return nullptr;
    const Place* const set = &places_[set_of(hop)];
    const Place* const found =
        std::find_if(set, set + kWays, [&hop](const Place& place) { return place.hop == hop; });
    return found == set + kWays ? nullptr : found;
}

bool HopHealth::failed(Instant now, const Hop& hop, Duration time) {
    Place* place = const_cast<Place*>(find(hop));
    if (place == nullptr) {
        Place* const set = &places_[set_of(hop)];
        place = std::min_element(set, set + kWays,
                                 [](const Place& a, const Place& b) { return a.until < b.until; });
        *place = {hop, Instant{}};
    }
    const bool is_news = place->until <= now;
    place->until = std::max(place->until, now + time);
    is_used_ = true;
    return is_news;
}

bool HopHealth::succeeded(Instant now, const Hop& hop) {
    const Place* place = find(hop);
    if (place == nullptr) return false;
    const bool is_news = now < place->until;
    const_cast<Place*>(place)->until = Instant{};
    return is_news;
}

bool HopHealth::is_held_down(Instant now, const Hop& hop) const {
    const Place* place = find(hop);
    return place != nullptr && now < place->until;
}

}  // namespace signalbox::resolver
