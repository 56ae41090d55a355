// The generator: a keyed hash of a counter.
#include "base/random.h"

#include "base/check.h"
#include "base/sip_hasher.h"

namespace signalbox {

uint64_t siphash(std::array<uint64_t, 2> key, std::string_view bytes) {
    return SipHasher::hash(key, bytes);
}

uint64_t Random::next() {
    return SipHasher(key_).add(counter_++).add(uint64_t{8} << 56).finish();
}

uint64_t Random::below(uint64_t bound) {
    CHECK(bound > 0);
    // The lowest 2^64 mod bound values are drawn again, so that every remainder is equally likely.
    const uint64_t unfair = (0 - bound) % bound;
    uint64_t value = next();
    while (value < unfair) value = next();
    return value % bound;
}

}  // namespace signalbox
