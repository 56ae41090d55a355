// Which nonce counts were used, so that credentials work once.
// Implements: RFC 3261 §22.4; RFC 7616 §3.4, §5.5
#pragma once

#include <array>
#include <boost/unordered/unordered_flat_map.hpp>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "auth/nonce.h"

namespace signalbox::auth {

/// Counts that may overtake each other. A phone's requests come in order, but go to the shards of
/// their calls before they meet at the shard of their user: a burst of that many arrives shuffled.
inline constexpr uint32_t kNonceWindow = 256;

/// Single-threaded; on the shard of the user. Keeps for each nonce that was used a window over the
/// last kNonceWindow counts; holds at most `capacity` nonces, and the one that came first gives
/// way. A nonce that is not in the table counts as new only if it was issued after everything that
/// was forgotten: the floor. The floor begins at the table's birth, so that nothing from before a
/// restart can be replayed. Cost: 56 octets per nonce and its place in an index, all taken at
/// birth.
class NonceWindow final {
 public:
    enum class Use : uint8_t {
        Fresh,      // this count was not used before: now it is
        Repeated,   // this count was used, or is kNonceWindow or more behind the highest
        Forgotten,  // it cannot be told any more: a new nonce is needed
    };

    NonceWindow(Now birth, size_t capacity);

    /// Notes that count `nc` of the nonce is used. Only for credentials that were right.
    Use use(const NonceId& nonce, uint32_t nc);
    /// The same for credentials without a count (RFC 2069): they use up the whole nonce.
    Use use_up(const NonceId& nonce);

    size_t size() const { return places_.size(); }
    uint64_t floor_ms() const { return floor_ms_; }

 private:
    struct Entry {
        NonceId id;
        uint32_t highest = 0;
        std::array<uint64_t, kNonceWindow / 64> used{};  // bit i: highest - i was used

        void advance(uint32_t counts);
        /// Notes the count that lies so far behind the highest. False: it was noted before.
        bool take(uint32_t behind);
    };
    static_assert(sizeof(Entry) == 56);
    /// The entry; null when it is forgotten. `is_new` tells whether it was made.
    Entry* find_or_make(const NonceId& nonce, bool& is_new);

    size_t capacity_;
    uint64_t floor_ms_;
    std::vector<Entry> ring_;
    size_t oldest_ = 0;
    boost::unordered_flat_map<uint64_t, uint32_t> places_;  // by the random part
};

}  // namespace signalbox::auth
