// The read side of the journal: one shard's events in order, also while the shard writes on.
#include "store/journal_reader.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "store/journal_files.h"

namespace signalbox::store {

namespace {

constexpr size_t kBufferBytes = 256 * 1024;
/// How often a reader that has nothing to do looks for segments beyond a gap in their numbers.
constexpr uint32_t kPollsPerListing = 16;
/// Frames begin at multiples of this.
constexpr uint64_t kFrameStep = 8;
/// What a search may check for a frame at places that look like one: far more than any damage to
/// one segment makes of them.
constexpr uint64_t kSearchBytesMax = uint64_t{512} << 20;

}  // namespace

std::optional<SegmentReader> SegmentReader::open(const std::string& path) {
    const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (descriptor < 0) return std::nullopt;
    if (const auto header = read_header(descriptor)) return SegmentReader(descriptor, *header);
    SegmentHeader assumed;
    assumed.sequence = sequence_of(path);
    SegmentReader reader(descriptor, assumed);
    reader.is_head_damaged_ = true;
    if (assumed.sequence == 0) return std::nullopt;
    if (reader.next() != Step::Event && !reader.skip_damage()) return std::nullopt;
    reader.seek(kFirstFrame);
    return reader;
}

SegmentReader::SegmentReader(SegmentReader&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)),
      header_(other.header_),
      offset_(other.offset_),
      is_head_damaged_(other.is_head_damaged_),
      buffer_(std::move(other.buffer_)),
      buffer_begin_(other.buffer_begin_) {}

SegmentReader& SegmentReader::operator=(SegmentReader&& other) noexcept {
    std::swap(descriptor_, other.descriptor_);
    header_ = other.header_;
    offset_ = other.offset_;
    is_head_damaged_ = other.is_head_damaged_;
    buffer_ = std::move(other.buffer_);
    buffer_begin_ = other.buffer_begin_;
    event_ = {};
    return *this;
}

SegmentReader::~SegmentReader() {
    if (descriptor_ >= 0) ::close(descriptor_);
}

void SegmentReader::seek(uint64_t offset) {
    offset_ = std::max(offset, kFirstFrame);
    buffer_.clear();
}

bool SegmentReader::has(uint64_t bytes) const {
    return offset_ >= buffer_begin_ && offset_ + bytes <= buffer_begin_ + buffer_.size();
}

bool SegmentReader::fill() {
    uint32_t length = 0;
    const auto at = static_cast<off_t>(offset_);
    if (::pread(descriptor_, &length, sizeof(length), at) != static_cast<ssize_t>(sizeof(length))) {
        return false;
    }
    if (length == 0) return false;
    read_buffer(frame_bytes(std::min(length, kEventBytesMax)));
    return true;
}

/// At least so much, where the file has it.
void SegmentReader::read_buffer(size_t bytes) {
    buffer_.resize(std::max(kBufferBytes, bytes));
    const ssize_t size =
        ::pread(descriptor_, buffer_.data(), buffer_.size(), static_cast<off_t>(offset_));
    buffer_.resize(size < 0 ? 0 : static_cast<size_t>(size));
    buffer_begin_ = offset_;
}

SegmentReader::Step SegmentReader::parse() {
    if (!has(sizeof(FrameHeader))) return Step::End;
    const char* at = buffer_.data() + (offset_ - buffer_begin_);
    FrameHeader frame;
    std::memcpy(&frame, at, sizeof(frame));
    if (frame.length == 0) return Step::End;
    if (frame.length > kEventBytesMax) return Step::Torn;
    if (!has(sizeof(FrameHeader) + frame.length)) return Step::Torn;
    const std::string_view event(at + sizeof(FrameHeader), frame.length);
    if (frame.checksum != frame_checksum(header_.sequence, offset_, event)) return Step::Torn;
    event_ = event;
    offset_ += frame_bytes(frame.length);
    return Step::Event;
}

SegmentReader::Step SegmentReader::next() {
    const Step step = parse();
    if (step == Step::Event) return step;
    // The buffer may be older than what the writer has published since.
    if (!fill()) return Step::End;
    return parse();
}

std::optional<uint64_t> SegmentReader::skip_damage() {
    const uint64_t begin = offset_;
    if (!find_frame_after(begin)) {
        seek(begin);
        return std::nullopt;
    }
    const uint64_t found = offset_;
    // Frames appear in order: when a later one has, this one may have too.
    const bool is_written_now = reads_event_at(begin);
    seek(is_written_now ? begin : found);
    return is_written_now ? 0 : found - begin;
}

bool SegmentReader::reads_event_at(uint64_t offset) {
    seek(offset);
    return fill() && parse() == Step::Event;
}

/// Leaves offset_ at the beginning of the frame. What callers wrote into their messages is never
/// taken for one: a length has an octet of zero, which no header field contains.
bool SegmentReader::find_frame_after(uint64_t begin) {
    uint64_t checked = 0;
    for (seek(begin + kFrameStep); checked < kSearchBytesMax; offset_ += kFrameStep) {
        if (!has(sizeof(FrameHeader)) && !seek_data()) return false;
        uint32_t length = 0;
        std::memcpy(&length, buffer_.data() + (offset_ - buffer_begin_), sizeof(length));
        if (length == 0 || length > kEventBytesMax) continue;
        if (!has(frame_bytes(length))) read_buffer(frame_bytes(length));
        checked += length;
        const uint64_t here = offset_;
        if (parse() != Step::Event) continue;
        offset_ = here;
        return true;
    }
    return false;
}

/// Goes over what was never written, and reads from there. False at the end of the file.
bool SegmentReader::seek_data() {
    const off_t data = ::lseek(descriptor_, static_cast<off_t>(offset_), SEEK_DATA);
    if (data < 0 && errno == ENXIO) return false;
    if (data > 0)
        offset_ = std::max(offset_, static_cast<uint64_t>(data) / kFrameStep * kFrameStep);
    read_buffer(0);
    return has(sizeof(FrameHeader));
}

JournalReader::JournalReader(std::string data_dir, uint8_t shard, JournalPosition position)
    : data_dir_(std::move(data_dir)), shard_(shard), position_(position) {
    start_again_when_all_is_gone();
}

void JournalReader::start_again_when_all_is_gone() {
    const auto sequences = segment_sequences(data_dir_, shard_);
    if (!sequences.empty() && sequences.back() < position_.sequence) position_ = {};
}

bool JournalReader::open_at_or_after(uint64_t sequence) {
    for (const uint64_t candidate : segment_sequences(data_dir_, shard_)) {
        if (candidate < sequence) continue;
        auto reader = SegmentReader::open(segment_path(data_dir_, shard_, candidate));
        if (!reader) continue;
        segment_.emplace(std::move(*reader));
        segment_->seek(candidate == position_.sequence ? position_.offset : kFirstFrame);
        position_ = {candidate, segment_->offset()};
        if (segment_->is_head_damaged() && position_.offset == kFirstFrame) {
            damage_.push_back({segment_path(data_dir_, shard_, candidate), 0, kFirstFrame});
        }
        run_ = segment_->is_head_damaged() ? run_around(candidate) : segment_->header().run;
        return true;
    }
    return false;
}

/// Of a segment whose own header is gone: the run of the one before it, or else of the one behind.
uint64_t JournalReader::run_around(uint64_t sequence) const {
    uint64_t run = 0;
    for (const SegmentFile& file : list_segments(data_dir_, shard_)) {
        if (file.header.sequence > sequence && run != 0) break;
        run = file.header.run;
        if (file.header.sequence > sequence) break;
    }
    return run;
}

bool JournalReader::is_newer_segment() {
    const uint64_t following = position_.sequence + 1;
    if (::access(segment_path(data_dir_, shard_, following).c_str(), F_OK) == 0) return true;
    if (polls_++ % kPollsPerListing != 0) return false;
    const auto sequences = segment_sequences(data_dir_, shard_);
    return !sequences.empty() && sequences.back() > position_.sequence;
}

/// True when there is something to read now. In the segment that is being written nothing is looked
/// for at its end, but for the first time, when it may be one of a run that was killed.
bool JournalReader::skip_damage(SegmentReader::Step step, bool is_newer) {
    const bool is_end = step == SegmentReader::Step::End;
    const bool is_first_end = is_end && !std::exchange(has_seen_its_end_, true);
    const bool is_searched = searched_ == position_ || (is_end && !is_first_end);
    if (!is_newer && is_searched) return false;
    searched_ = position_;
    const auto skipped = segment_->skip_damage();
    if (!skipped) return false;
    if (*skipped > 0) {
        damage_.push_back(
            {segment_path(data_dir_, shard_, position_.sequence), position_.offset, *skipped});
        position_.offset = segment_->offset();
    }
    return true;
}

bool JournalReader::next(JournalEntry& entry) {
    if (!segment_) {
        start_again_when_all_is_gone();
        if (!open_at_or_after(position_.sequence)) return false;
    }
    for (;;) {
        SegmentReader::Step step = segment_->next();
        if (step == SegmentReader::Step::Event) break;
        const bool is_newer = is_newer_segment();
        // The writer may have appended here before it made the newer one.
        if (is_newer) step = segment_->next();
        if (step == SegmentReader::Step::Event) break;
        if (skip_damage(step, is_newer)) continue;
        if (!is_newer) return false;
        if (step == SegmentReader::Step::Torn) ++torn_count_;
        if (!open_at_or_after(position_.sequence + 1)) return false;
    }
    const SegmentHeader& header = segment_->header();
    entry.shard = shard_;
    entry.begin = position_;
    position_.offset = segment_->offset();
    entry.end = position_;
    entry.run = run_;
    entry.boot_hash = header.boot_hash;
    entry.event = segment_->event();
    return true;
}

bool cut_torn_tail(const std::string& path) {
    auto reader = SegmentReader::open(path);
    if (!reader) return false;
    do {
        while (reader->next() == SegmentReader::Step::Event) {
        }
    } while (reader->skip_damage());
    return ::truncate(path.c_str(), static_cast<off_t>(reader->offset())) == 0;
}

}  // namespace signalbox::store
