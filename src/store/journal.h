// The write side of the journal: one shard's events in preallocated, checksummed, memory-mapped
// segments.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/counters.h"
#include "store/journal_files.h"
#include "store/outcome.h"
#include "store/segment.h"

namespace signalbox::store {

struct JournalOptions {
    std::string data_dir;
    uint16_t node = 0;
    uint8_t shard = 0;
    /// One number for all shards of this start of the server: next_run(data_dir). From 1.
    uint64_t run = 1;
    uint64_t segment_bytes = kSegmentBytesDefault;
    /// What may wait in memory while no segment can be had; what comes on top is lost and counted.
    uint64_t memory_bytes_max = uint64_t{64} << 20;
    /// Where segments come from; null: the file system. Must outlive the journal.
    SegmentSource* source = nullptr;
};

/// Written by one shard's thread. append() copies into the mapping of the current segment and then
/// publishes the length, so that a kill -9 at any moment loses nothing that was appended before.
/// Power loss may take what came since the last sync(). Two threads: append() belongs to the shard;
/// sync() belongs to one other thread; add_counters() may be called by anybody.
class Journal final {
 public:
    /// Cuts what an earlier run left behind its last whole event, and begins a new segment. When
    /// there is no room for one the journal opens all the same: events wait in memory until sync()
    /// has found room. A failure: the directory cannot be made or read.
    static Outcome<std::unique_ptr<Journal>> open(const JournalOptions& options);
    ~Journal();
    Journal(const Journal&) = delete;
    Journal& operator=(const Journal&) = delete;

    /// Appends one event of at most kEventBytesMax octets, in order. False: the event was lost (and
    /// counted). Costs one copy and one checksum; a change of segments costs a rename, since sync()
    /// prepares the next one.
    bool append(std::string_view event);

    /// Makes what was appended safe against power loss, prepares the next segment, and tries again
    /// to find room when there was none. Call it every 50 ms from a thread that may block.
    void sync();

    /// Writes what waits in memory, as append() does by itself; false when something still waits.
    /// The shard's thread: call it now and then while is_waiting().
    bool write_waiting();

    /// True while events wait in memory for room on the disk.
    bool is_waiting() const { return waiting_bytes_.load(std::memory_order_relaxed) != 0; }
    /// Adds journal_events_total, journal_bytes_total, journal_kept_in_memory_total and
    /// journal_lost_total.
    void add_counters(Counters& into) const;

 private:
    explicit Journal(const JournalOptions& options);
    bool write_to_segment(std::string_view event);
    bool keep_in_memory(std::string_view event);
    bool next_segment();
    void prepare_spare();

    JournalOptions options_;
    FileSegmentSource files_;
    SegmentSource* source_;
    uint64_t boot_hash_;
    uint64_t next_sequence_ = 1;

    // The shard's thread only.
    std::shared_ptr<Segment> current_;
    std::deque<std::string> waiting_;

    // Shared with the thread that syncs.
    std::mutex mutex_;
    std::shared_ptr<Segment> spare_;
    std::vector<std::shared_ptr<Segment>> to_sync_;
    std::atomic<bool> is_source_failing_{false};
    std::atomic<uint64_t> waiting_bytes_{0};
    std::atomic<uint64_t> events_{0};
    std::atomic<uint64_t> bytes_{0};
    std::atomic<uint64_t> kept_{0};
    std::atomic<uint64_t> lost_{0};
};

}  // namespace signalbox::store
