// SipHash-2-4 of one text, or of several that belong together. Source: Aumasson and Bernstein,
// 2012.
#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace signalbox {

static_assert(std::endian::native == std::endian::little);

/// Of one field of up to 255 octets it is SipHash-2-4. Each further one goes on where the last
/// ended. A field ends with its length, so that, read from the end, no two lists of fields are the
/// same words. Cheaper than a hash of hashes.
class SipHasher final {
 public:
    explicit SipHasher(std::array<uint64_t, 2> key)
        : v0_(key[0] ^ 0x736f6d6570736575u),
          v1_(key[1] ^ 0x646f72616e646f6du),
          v2_(key[0] ^ 0x6c7967656e657261u),
          v3_(key[1] ^ 0x7465646279746573u) {}

    /// SipHash-2-4 of `text` alone.
    static uint64_t hash(std::array<uint64_t, 2> key, std::string_view text) {
        SipHasher hasher(key);
        hasher.absorb(text);
        return hasher.finish();
    }

    SipHasher& add(std::string_view field) {
        absorb(field);
        // There is room for eight bits of the length.
        if (field.size() > 255) absorb(field.size());
        return *this;
    }
    SipHasher& add(uint64_t number) {
        absorb(number);
        return *this;
    }
    /// Ends the hasher: nothing may be added behind it.
    uint64_t finish() {
        v2_ ^= 0xff;
        for (int i = 0; i < 4; ++i) round();
        return v0_ ^ v1_ ^ v2_ ^ v3_;
    }

 private:
    static uint64_t word_at(const char* at) {
        uint64_t word;
        std::memcpy(&word, at, sizeof(word));
        return word;
    }
    /// The `left` octets behind the whole words, below the others' zeros. Where the field has
    /// eight, its last eight are read and those before shifted out.
    static uint64_t last_word(const char* at, size_t left, size_t field_size) {
        if (left == 0) return 0;
        if (field_size >= sizeof(uint64_t))
            return word_at(at + left - sizeof(uint64_t)) >> (8 * (sizeof(uint64_t) - left));
        uint64_t word = 0;
        for (size_t i = left; i-- > 0;) word = word << 8 | static_cast<uint8_t>(at[i]);
        return word;
    }
    /// As SipHash does: the last word has what is left, and the length.
    void absorb(std::string_view text) {
        const char* at = text.data();
        size_t left = text.size();
        for (; left >= sizeof(uint64_t); left -= sizeof(uint64_t), at += sizeof(uint64_t)) {
            absorb(word_at(at));
        }
        absorb(last_word(at, left, text.size()) | uint64_t{text.size()} << 56);
    }
    void round() {
        v0_ += v1_;
        v2_ += v3_;
        v1_ = std::rotl(v1_, 13) ^ v0_;
        v3_ = std::rotl(v3_, 16) ^ v2_;
        v0_ = std::rotl(v0_, 32);
        v2_ += v1_;
        v0_ += v3_;
        v1_ = std::rotl(v1_, 17) ^ v2_;
        v3_ = std::rotl(v3_, 21) ^ v0_;
        v2_ = std::rotl(v2_, 32);
    }
    void absorb(uint64_t word) {
        v3_ ^= word;
        round();
        round();
        v0_ ^= word;
    }

    uint64_t v0_, v1_, v2_, v3_;
};

}  // namespace signalbox
