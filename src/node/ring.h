// A bounded ring of messages from one shard to another: one thread writes, one reads, without
// locks.
#pragma once

#include <atomic>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string_view>
#include <type_traits>

#include "base/check.h"
#include "base/time.h"
#include "transport/flow.h"

namespace signalbox::node {

enum class RingKind : uint8_t {
    Packet,          // received by the writer, owned by the reader
    StreamOutput,    // to be sent by a stream of the reader
    TransmitFailed,  // a stream of the writer could not take a message of the reader
    ShardMessage,    // between the cores
    FlowClosed,      // a stream of the writer ended
    CloseFlow,       // end a stream of the reader
    TlsDomain,       // a name whose hash stands in flows
};

/// All that an entry can carry; unused fields keep their defaults. Views: `bytes` is the ring's
/// own, for the visit only.
struct RingEntry {
    RingKind kind = RingKind::Packet;
    transport::FlowError why = transport::FlowError::ClosedByPeer;
    uint64_t owner = 0;
    Instant arrived;  // Packet: when it reached this machine
    transport::Flow flow;
    std::string_view bytes;
};

/// Entries lie whole behind each other; one that does not fit before the end begins anew at the
/// front.
class Ring final {
 public:
    /// `capacity` is a power of two and at least four of the largest entries.
    explicit Ring(size_t capacity)
        : capacity_(capacity), buffer_(std::make_unique_for_overwrite<char[]>(capacity)) {
        CHECK((capacity & (capacity - 1)) == 0);
    }
    Ring(const Ring&) = delete;
    Ring& operator=(const Ring&) = delete;

    /// The writer's thread. False when there is no room. What was received may fill three quarters
    /// only, so that what the shards owe each other still passes.
    bool push(const RingEntry& entry) {
        const size_t limit = entry.kind == RingKind::Packet ? capacity_ / 4 * 3 : capacity_;
        const size_t size = entry_size(entry.bytes.size());
        const uint64_t tail = tail_.load(std::memory_order_relaxed);
        const size_t at = static_cast<size_t>(tail) & (capacity_ - 1);
        const size_t skipped = at + size > capacity_ ? capacity_ - at : 0;
        if (tail + skipped + size - seen_head_ > limit) {
            seen_head_ = head_.load(std::memory_order_acquire);
            if (tail + skipped + size - seen_head_ > limit) return false;
        }
        if (skipped > 0) write(at, kSkip);
        const size_t begin = skipped > 0 ? 0 : at;
        const Head head{static_cast<uint32_t>(entry.bytes.size()),
                        entry.kind,
                        entry.why,
                        entry.owner,
                        entry.arrived,
                        entry.flow};
        write(begin, head);
        if (!entry.bytes.empty()) {
            std::memcpy(buffer_.get() + begin + sizeof(Head), entry.bytes.data(),
                        entry.bytes.size());
        }
        tail_.store(tail + skipped + size, std::memory_order_release);
        return true;
    }

    /// The reader's thread: calls `visit(const RingEntry&)` for at most `count` entries; returns
    /// how many there were.
    template <class Visit>
    size_t consume(size_t count, Visit&& visit) {
        const uint64_t tail = tail_.load(std::memory_order_acquire);
        uint64_t head = head_.load(std::memory_order_relaxed);
        size_t done = 0;
        while (head != tail && done < count) {
            size_t at = static_cast<size_t>(head) & (capacity_ - 1);
            uint32_t size = 0;
            std::memcpy(&size, buffer_.get() + at, sizeof(size));
            if (size == kSkip) {
                head += capacity_ - at;
                at = 0;
            }
            Head entry;
            std::memcpy(&entry, buffer_.get() + at, sizeof(entry));
            visit(RingEntry{entry.kind, entry.why, entry.owner, entry.arrived, entry.flow,
                            std::string_view(buffer_.get() + at + sizeof(Head), entry.size)});
            head += entry_size(entry.size);
            head_.store(head, std::memory_order_release);
            ++done;
        }
        return done;
    }

    /// The reader's thread.
    bool is_empty() const {
        return head_.load(std::memory_order_relaxed) == tail_.load(std::memory_order_acquire);
    }

 private:
    static constexpr uint32_t kSkip = UINT32_MAX;
    struct Head {
        uint32_t size = 0;
        RingKind kind = RingKind::Packet;
        transport::FlowError why = transport::FlowError::ClosedByPeer;
        uint64_t owner = 0;
        Instant arrived;
        transport::Flow flow;
    };
    static_assert(std::is_trivially_copyable_v<Head>);
    /// Every entry begins at a multiple of 8, so that a skip mark always fits.
    static size_t entry_size(size_t bytes) { return (sizeof(Head) + bytes + 7) / 8 * 8; }
    template <class T>
    void write(size_t at, const T& value) {
        std::memcpy(buffer_.get() + at, &value, sizeof(value));
    }

    const size_t capacity_;
    std::unique_ptr<char[]> buffer_;
    alignas(64) std::atomic<uint64_t> head_{0};  // written by the reader
    alignas(64) std::atomic<uint64_t> tail_{0};  // written by the writer
    uint64_t seen_head_ = 0;                     // the writer's latest look at head_
};

}  // namespace signalbox::node
