// Remembers what was refused a moment ago, so that a copy of it that comes late is refused too.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

#include "base/random.h"
#include "base/time.h"

namespace signalbox::overload {

/// A refusal keeps no transaction. When a message waits longer than T1, its copy is in the queue
/// already as it is refused; taken, the copy would ring at a phone for a caller who was told no.
/// A table of fixed size: a newer refusal may take the place of an older one, which then is
/// forgotten. Single-threaded; one per shard.
class RefusedRequests final {
 public:
    explicit RefusedRequests(Random& random)
        : key_{random.next(), random.next()}, entries_(kEntries) {}

    /// `call_id` and `branch` (of the top Via) name the request.
    void add(Instant now, std::string_view call_id, std::string_view branch) {
        const uint64_t name = name_of(call_id, branch);
        entries_[name % kEntries] = {check_of(name), second_of(now)};
    }
    bool contains(Instant now, std::string_view call_id, std::string_view branch) const {
        const uint64_t name = name_of(call_id, branch);
        const Entry& entry = entries_[name % kEntries];
        return entry.check == check_of(name) && second_of(now) - entry.second <= kSeconds;
    }

 private:
    static constexpr size_t kEntries = 1 << 16;
    static constexpr uint32_t kSeconds = 32;  // 64*T1: as long as a request is repeated
    struct Entry {
        uint32_t check = 0;  // 0: empty
        uint32_t second = 0;
    };
    uint64_t name_of(std::string_view call_id, std::string_view branch) const {
        std::array<uint64_t, 2> key = key_;
        key[0] ^= siphash(key_, call_id);
        return siphash(key, branch);
    }
    static uint32_t check_of(uint64_t name) { return static_cast<uint32_t>(name >> 32) | 1; }
    static uint32_t second_of(Instant now) {
        return static_cast<uint32_t>(now.time_since_epoch() / std::chrono::seconds(1));
    }

    std::array<uint64_t, 2> key_;
    std::vector<Entry> entries_;
};

}  // namespace signalbox::overload
