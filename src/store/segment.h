// One file of the journal: its header, its frames, and where new files come from.
#pragma once

#include <atomic>
#include <compare>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "store/outcome.h"

namespace signalbox::store {

inline constexpr uint64_t kSegmentBytesDefault = uint64_t{64} << 20;
inline constexpr uint64_t kSegmentBytesMin = uint64_t{1} << 20;
inline constexpr uint32_t kEventBytesMax = 512 * 1024;

/// The first octets of a segment. Little-endian, as it stands in memory.
struct SegmentHeader {
    uint64_t magic = kMagic;
    uint32_t version = 1;
    uint16_t node = 0;
    uint8_t shard = 0;
    uint8_t reserved = 0;
    uint64_t sequence = 0;  // number of the file in its shard, from 1
    uint64_t run = 0;  // grows with each start of the server; the same for all shards of one start
    uint64_t boot_hash =
        0;  // of the machine's boot id: monotonic times compare only where it is the same
    int64_t created_us = 0;  // wall clock, for people
    uint32_t reserved2 = 0;
    uint32_t checksum = 0;  // of all that stands before it

    static constexpr uint64_t kMagic = 0x314c4e524a584253;  // "SBXJRNL1"
};
static_assert(sizeof(SegmentHeader) == 56);

/// Before each event. A length of 0 means that nothing was written here yet. Frames begin at
/// multiples of 8.
struct FrameHeader {
    uint32_t length = 0;
    uint32_t checksum = 0;
};

inline constexpr uint64_t kFirstFrame = 64;

/// Octets of a frame with an event of `length` octets.
constexpr uint64_t frame_bytes(uint64_t length) {
    return (sizeof(FrameHeader) + length + 7) / 8 * 8;
}
/// Covers the place too, so that old octets at another place are never taken for an event.
uint32_t frame_checksum(uint64_t sequence, uint64_t offset, std::string_view event);

/// A place in one shard's journal. Names the octet behind an event, or the beginning of a segment.
struct JournalPosition {
    uint64_t sequence = 0;
    uint64_t offset = 0;
    friend auto operator<=>(const JournalPosition&, const JournalPosition&) = default;
};

/// A segment that is written: a file of its full size, mapped. Unmapped and cut to what was used
/// when it dies.
class Segment final {
 public:
    /// Takes over `descriptor`, an empty file with `bytes` allocated. Null when it cannot be
    /// mapped.
    static std::unique_ptr<Segment> map(int descriptor, std::string path, uint64_t bytes);
    ~Segment();
    Segment(const Segment&) = delete;
    Segment& operator=(const Segment&) = delete;

    /// Writes the header and gives the file its name. False: the rename failed.
    bool activate(SegmentHeader header, const std::string& path);
    /// False: no room.
    bool append(std::string_view event);
    /// Writes what was appended since the last sync to the disk, and gives its memory back. One
    /// thread only.
    void sync();
    bool is_half_full() const { return used_.load(std::memory_order_relaxed) * 2 > bytes_; }

 private:
    Segment(int descriptor, std::string path, char* map, uint64_t bytes)
        : descriptor_(descriptor), path_(std::move(path)), map_(map), bytes_(bytes) {}

    int descriptor_;
    std::string path_;
    char* map_;
    uint64_t bytes_;
    uint64_t sequence_ = 0;
    std::atomic<uint64_t> used_{0};
    uint64_t synced_ = 0;
};

/// Where empty segments come from. The shard's thread and the one that syncs may call at the same
/// time.
class SegmentSource {
 public:
    virtual ~SegmentSource() = default;
    /// A segment whose space on the disk is reserved; null: no room.
    virtual std::unique_ptr<Segment> make(const std::string& path, uint64_t bytes) = 0;
};

/// Files whose blocks are reserved before use, so that writing to their mapping can never raise
/// SIGBUS for want of room. With little room left it makes smaller segments, down to
/// kSegmentBytesMin.
class FileSegmentSource final : public SegmentSource {
 public:
    std::unique_ptr<Segment> make(const std::string& path, uint64_t bytes) override;
};

}  // namespace signalbox::store
