// The targets that the sides of a dialog have shown since it began, where no record of the call
// keeps them. Implements: RFC 3261 §12.2 (target refresh, as a proxy sees it)
#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

#include "base/counters.h"
#include "base/random.h"

namespace signalbox::proxy {

/// What speaks for a Contact that was shown inside a dialog.
enum class ShownAs : uint8_t {
    Source,   // the message came from that very address: it is there, NAT or not
    Vouched,  // a trusted peer says so, or it came through another proxy: no NAT is at work, unless
              // the dialog began behind one
};

/// A Contact inside a dialog, and which of its two sides showed it. Views: the message.
struct ShownTarget {
    std::string_view call_id;
    std::string_view shown_by, shown_to;  // the tags of the two sides
    uint64_t hop = 0;                     // hop_hash() of the Contact
    /// Tags that are alike do not tell the sides apart: one could show what the other is to use.
    bool tells_sides() const { return shown_by != shown_to && !shown_by.empty(); }
};

/// A table of fixed size, in sets of four, of which the one that was shown longest ago gives way;
/// who is forgotten is reached as if he had never moved. All that one side of a dialog shows stands
/// in one set: whoever shows much makes few others forgotten. Single-threaded; one per shard; takes
/// its memory at the first use. A restart forgets all.
class ShownTargets final {
 public:
    /// About 512 KiB.
    static constexpr size_t kPlaces = 65'536;

    /// `counters` must outlive it.
    ShownTargets(Random& random, Counters& counters, size_t places = kPlaces);

    /// What is kept of a target, here or in the record of its call; never 0.
    uint64_t key(const ShownTarget& target, ShownAs as) const;
    void note(uint64_t key);
    bool has(uint64_t key) const;

 private:
    static constexpr size_t kWays = 4;
    /// Of a key: they say whose it is, and thereby which set. The lowest one is always 1.
    static constexpr uint64_t kSideBits = 0xffff;
    using Set = std::array<uint64_t, kWays>;  // the newest first; 0: free

    size_t set_of(uint64_t key) const { return ((key & kSideBits) >> 1) % sets_count_; }

    std::array<uint64_t, 2> hash_key_;
    Counters& counters_;
    size_t sets_count_;
    std::vector<Set> sets_;
};

}  // namespace signalbox::proxy
