// The read side of the journal: one shard's events in order, also while the shard writes on.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "store/journal_damage.h"
#include "store/segment.h"

namespace signalbox::store {

/// Reads the frames of one file. By pread, not by a mapping: a file that is cut meanwhile is an
/// end, never a SIGBUS.
class SegmentReader final {
 public:
    enum class Step : uint8_t {
        Event,  // event() is the next one
        End,    // nothing was written here yet
        Torn,   // what stands here was never whole, or is being written at this moment
    };

    /// Nothing when the file is missing or no segment: without a valid header it must hold whole
    /// frames of the number that stands in its name. Then header() has that number alone.
    static std::optional<SegmentReader> open(const std::string& path);
    SegmentReader(SegmentReader&& other) noexcept;
    SegmentReader& operator=(SegmentReader&& other) noexcept;
    SegmentReader(const SegmentReader&) = delete;
    SegmentReader& operator=(const SegmentReader&) = delete;
    ~SegmentReader();

    const SegmentHeader& header() const { return header_; }
    bool is_head_damaged() const { return is_head_damaged_; }
    /// Behind the last event; the place from which next() reads.
    uint64_t offset() const { return offset_; }
    void seek(uint64_t offset);
    Step next();
    /// After an End or a Torn: goes on to the next whole frame of the file, if there is one, and
    /// returns how many octets lie before it. 0: the writer has meanwhile written here. Nothing: no
    /// frame follows, the place stays. Reads what is left of the file, holes aside.
    std::optional<uint64_t> skip_damage();
    /// Valid until the next call of next().
    std::string_view event() const { return event_; }

 private:
    SegmentReader(int descriptor, SegmentHeader header)
        : descriptor_(descriptor), header_(header), offset_(kFirstFrame) {}
    Step parse();
    /// True when the buffer holds `bytes` from offset_ on.
    bool has(uint64_t bytes) const;
    /// Reads again from offset_; false when there is nothing but octets never written.
    bool fill();
    void read_buffer(size_t bytes);
    bool reads_event_at(uint64_t offset);
    bool find_frame_after(uint64_t begin);
    bool seek_data();

    int descriptor_;
    SegmentHeader header_;
    uint64_t offset_;
    bool is_head_damaged_ = false;
    std::string buffer_;
    uint64_t buffer_begin_ = 0;
    std::string_view event_;  // Views: buffer_ (lives until next())
};

struct JournalEntry {
    uint8_t shard = 0;
    JournalPosition begin;  // of its frame
    JournalPosition end;    // from where to read on
    uint64_t run = 0;
    uint64_t boot_hash = 0;
    std::string_view event;  // Views: the reader's buffer (lives until its next call)
};

/// Goes over from segment to segment. What is damaged is skipped when whole events follow it in its
/// segment; what is torn at the end of a segment, once a newer one exists.
class JournalReader final {
 public:
    /// Reads from `position` on; when its segment is gone, from the next one that exists. A
    /// position behind all that exists (the journal was removed) means the beginning.
    JournalReader(std::string data_dir, uint8_t shard, JournalPosition position);

    /// The next event; false when there is none yet.
    bool next(JournalEntry& entry);
    JournalPosition position() const { return position_; }
    uint8_t shard() const { return shard_; }
    /// Segments left because of what stood at their end.
    uint64_t torn_count() const { return torn_count_; }
    /// What was skipped since the last call.
    std::vector<JournalDamage> take_damage() { return std::exchange(damage_, {}); }

 private:
    void start_again_when_all_is_gone();
    bool open_at_or_after(uint64_t sequence);
    bool is_newer_segment();
    bool skip_damage(SegmentReader::Step step, bool is_newer);
    uint64_t run_around(uint64_t sequence) const;

    std::string data_dir_;
    uint8_t shard_;
    JournalPosition position_;
    std::optional<SegmentReader> segment_;
    uint64_t run_ = 0;  // of that segment
    uint64_t torn_count_ = 0;
    uint32_t polls_ = 0;
    JournalPosition searched_;       // from where nothing was found in the newest segment
    bool has_seen_its_end_ = false;  // of what was there when this reader began
    std::vector<JournalDamage> damage_;
};

/// Cuts the file behind its last whole event, damage before that or not. False when it is no
/// segment.
bool cut_torn_tail(const std::string& path);

}  // namespace signalbox::store
