// The read side of the journal: one shard's events in order, also while the shard writes on.
#include "store/journal_reader.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

#include "store/journal_files.h"

namespace signalbox::store {

namespace {

constexpr size_t kBufferBytes = 256 * 1024;
/// How often a reader that has nothing to do looks for segments beyond a gap in their numbers.
constexpr uint32_t kPollsPerListing = 16;

}  // namespace

std::optional<SegmentReader> SegmentReader::open(const std::string& path) {
    const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (descriptor < 0) return std::nullopt;
    const auto header = read_header(descriptor);
    if (!header) {
        ::close(descriptor);
        return std::nullopt;
    }
    return SegmentReader(descriptor, *header);
}

SegmentReader::SegmentReader(SegmentReader&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)),
      header_(other.header_),
      offset_(other.offset_),
      buffer_(std::move(other.buffer_)),
      buffer_begin_(other.buffer_begin_) {}

SegmentReader& SegmentReader::operator=(SegmentReader&& other) noexcept {
    std::swap(descriptor_, other.descriptor_);
    header_ = other.header_;
    offset_ = other.offset_;
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
    const uint64_t frame = frame_bytes(std::min(length, kEventBytesMax));
    buffer_.resize(std::max<size_t>(kBufferBytes, frame));
    const ssize_t size = ::pread(descriptor_, buffer_.data(), buffer_.size(), at);
    buffer_.resize(size < 0 ? 0 : static_cast<size_t>(size));
    buffer_begin_ = offset_;
    return true;
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
        return true;
    }
    return false;
}

bool JournalReader::is_newer_segment() {
    const uint64_t following = position_.sequence + 1;
    if (::access(segment_path(data_dir_, shard_, following).c_str(), F_OK) == 0) return true;
    if (polls_++ % kPollsPerListing != 0) return false;
    const auto sequences = segment_sequences(data_dir_, shard_);
    return !sequences.empty() && sequences.back() > position_.sequence;
}

bool JournalReader::next(JournalEntry& entry) {
    if (!segment_) {
        start_again_when_all_is_gone();
        if (!open_at_or_after(position_.sequence)) return false;
    }
    for (;;) {
        SegmentReader::Step step = segment_->next();
        if (step != SegmentReader::Step::Event) {
            if (!is_newer_segment()) return false;
            // The writer may have appended here before it made the newer one.
            step = segment_->next();
        }
        if (step == SegmentReader::Step::Event) break;
        if (step == SegmentReader::Step::Torn) ++torn_count_;
        if (!open_at_or_after(position_.sequence + 1)) return false;
    }
    const SegmentHeader& header = segment_->header();
    entry.shard = shard_;
    entry.begin = position_;
    position_.offset = segment_->offset();
    entry.end = position_;
    entry.run = header.run;
    entry.boot_hash = header.boot_hash;
    entry.event = segment_->event();
    return true;
}

bool cut_torn_tail(const std::string& path) {
    auto reader = SegmentReader::open(path);
    if (!reader) return false;
    while (reader->next() == SegmentReader::Step::Event) {
    }
    return ::truncate(path.c_str(), static_cast<off_t>(reader->offset())) == 0;
}

}  // namespace signalbox::store
