// The targets that the sides of a dialog have shown since it began.
// Implements: RFC 3261 §12.2 (target refresh, as a proxy sees it)
#include "proxy/shown_targets.h"

#include <algorithm>

#include "base/sip_hasher.h"

namespace signalbox::proxy {

ShownTargets::ShownTargets(Random& random, Counters& counters, size_t places)
    : hash_key_{random.next(), random.next()}, counters_(counters), sets_count_(places / kWays) {}

uint64_t ShownTargets::key(const ShownTarget& target, ShownAs as) const {
    SipHasher sides(hash_key_);
    sides.add(target.call_id).add(target.shown_by).add(target.shown_to);
    const uint64_t side = SipHasher(sides).finish();
    const uint64_t all = sides.add(target.hop).add(static_cast<uint64_t>(as)).finish();
    return (all & ~kSideBits) | (side & kSideBits) | 1;
}

void ShownTargets::note(uint64_t key) {
    if (sets_.empty()) sets_.resize(sets_count_);
    Set& set = sets_[set_of(key)];
    auto place = std::find(set.begin(), set.end(), key);
    if (place == set.end()) {
        place = set.end() - 1;
        if (*place != 0) counters_.add(Counter::shown_targets_forgotten_total);
    }
    std::move_backward(set.begin(), place, place + 1);
    set.front() = key;
}

bool ShownTargets::has(uint64_t key) const {
    if (sets_.empty()) return false;
    const Set& set = sets_[set_of(key)];
    return std::find(set.begin(), set.end(), key) != set.end();
}

}  // namespace signalbox::proxy
