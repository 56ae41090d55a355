// Where the journal's files lie, which there are, and which may go.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "store/segment.h"

namespace signalbox::store {

struct SegmentFile {
    std::string path;
    SegmentHeader header;
    uint64_t bytes = 0;
};

/// data_dir/journal/shard-07
std::string shard_directory(const std::string& data_dir, uint8_t shard);
/// data_dir/journal/shard-07/0000000042.journal
std::string segment_path(const std::string& data_dir, uint8_t shard, uint64_t sequence);
/// The number in the name of such a file; 0 when it has none.
uint64_t sequence_of(std::string_view path);
/// The shards that have a directory, ascending: also those of starts with more shards.
std::vector<uint8_t> journal_shards(const std::string& data_dir);
/// The numbers of a shard's segments, ascending.
std::vector<uint64_t> segment_sequences(const std::string& data_dir, uint8_t shard);
/// The segments of a shard with a valid header, ascending by number.
std::vector<SegmentFile> list_segments(const std::string& data_dir, uint8_t shard);
/// The header of a segment; nothing when the file is none.
std::optional<SegmentHeader> read_header(int descriptor);
/// Greater than the run of every segment under data_dir, also when the journal was removed
/// meanwhile (the clock sees to that).
uint64_t next_run(const std::string& data_dir);
/// A number for this boot of the machine.
uint64_t boot_hash();

/// What of the journal stays: so many octets, and nothing that happened before `since`.
struct JournalKept {
    uint64_t bytes = 0;
    WallTime since = WallTime::min();
};

/// Removes segments in which nothing is worth keeping, and the oldest ones until all together have
/// at most `kept.bytes`, but none that is its shard's newest, and none at or behind the place up to
/// which `folded` says that its shard was folded. Returns how many went.
size_t trim_journal(const std::string& data_dir, const JournalKept& kept,
                    const std::map<uint8_t, JournalPosition>& folded);

}  // namespace signalbox::store
