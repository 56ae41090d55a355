// SipHash-2-4 and the generator built on it.
#include "base/random.h"

#include <bit>
#include <cstring>

#include "base/check.h"

namespace signalbox {

namespace {

static_assert(std::endian::native == std::endian::little);

struct SipState {
    uint64_t v0;
    uint64_t v1;
    uint64_t v2;
    uint64_t v3;

    explicit SipState(std::array<uint64_t, 2> key)
        : v0(key[0] ^ 0x736f6d6570736575u),
          v1(key[1] ^ 0x646f72616e646f6du),
          v2(key[0] ^ 0x6c7967656e657261u),
          v3(key[1] ^ 0x7465646279746573u) {}

    void round() {
        v0 += v1;
        v2 += v3;
        v1 = std::rotl(v1, 13) ^ v0;
        v3 = std::rotl(v3, 16) ^ v2;
        v0 = std::rotl(v0, 32);
        v2 += v1;
        v0 += v3;
        v1 = std::rotl(v1, 17) ^ v2;
        v3 = std::rotl(v3, 21) ^ v0;
        v2 = std::rotl(v2, 32);
    }

    void absorb(uint64_t word) {
        v3 ^= word;
        round();
        round();
        v0 ^= word;
    }

    uint64_t finish() {
        v2 ^= 0xff;
        for (int i = 0; i < 4; ++i) round();
        return v0 ^ v1 ^ v2 ^ v3;
    }
};

}  // namespace

uint64_t siphash(std::array<uint64_t, 2> key, std::string_view bytes) {
    SipState state(key);
    const auto length = static_cast<uint64_t>(bytes.size());
    for (; bytes.size() >= 8; bytes.remove_prefix(8)) {
        uint64_t word;
        std::memcpy(&word, bytes.data(), 8);
        state.absorb(word);
    }
    uint64_t last = 0;
    if (!bytes.empty()) std::memcpy(&last, bytes.data(), bytes.size());
    state.absorb(last | (length << 56));
    return state.finish();
}

uint64_t Random::next() {
    SipState state(key_);
    state.absorb(counter_++);
    state.absorb(uint64_t{8} << 56);
    return state.finish();
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
