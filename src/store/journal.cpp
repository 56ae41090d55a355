// The write side of the journal: one shard's events in preallocated, checksummed, memory-mapped
// segments.
#include "store/journal.h"

#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/result.h"
#include "store/journal_reader.h"

namespace signalbox::store {

namespace {

/// The name of a segment that is ready and not yet in use.
constexpr std::string_view kSpareName = "/spare";
constexpr std::string_view kFirstName = "/first";

int64_t wall_us() {
    timespec now{};
    ::clock_gettime(CLOCK_REALTIME, &now);
    return static_cast<int64_t>(now.tv_sec) * 1'000'000 + now.tv_nsec / 1000;
}

Outcome<void> make_directory(const std::string& path) {
    if (::mkdir(path.c_str(), 0700) == 0 || errno == EEXIST) return {};
    return failure("The directory " + path + " cannot be made: " + std::strerror(errno) + ".");
}

}  // namespace

Journal::Journal(const JournalOptions& options)
    : options_(options),
      source_(options.source != nullptr ? options.source : &files_),
      boot_hash_(boot_hash()) {}

Outcome<std::unique_ptr<Journal>> Journal::open(const JournalOptions& options) {
    const std::string directory = shard_directory(options.data_dir, options.shard);
    TRY(make_directory(options.data_dir + "/journal"));
    TRY(make_directory(directory));
    ::unlink((directory + std::string(kSpareName)).c_str());
    ::unlink((directory + std::string(kFirstName)).c_str());
    const auto sequences = segment_sequences(options.data_dir, options.shard);
    std::unique_ptr<Journal> journal(new Journal(options));
    // The numbers of a new journal begin beyond those of one that was removed.
    if (sequences.empty()) {
        journal->next_sequence_ = options.run;
    } else {
        // Only the newest can have been in use when an earlier run ended.
        cut_torn_tail(segment_path(options.data_dir, options.shard, sequences.back()));
        journal->next_sequence_ = sequences.back() + 1;
    }
    journal->next_segment();
    return journal;
}

Journal::~Journal() {
    sync();
    write_waiting();
    sync();
}

bool Journal::append(std::string_view event) {
    if (event.empty() || event.size() > kEventBytesMax) {
        lost_.fetch_add(1, std::memory_order_relaxed);
        return false;
    }
    if (!waiting_.empty() && !write_waiting()) return keep_in_memory(event);
    if (!write_to_segment(event)) return keep_in_memory(event);
    return true;
}

bool Journal::write_to_segment(std::string_view event) {
    if (current_ == nullptr || !current_->append(event)) {
        if (!next_segment() || !current_->append(event)) return false;
    }
    // Only this thread changes the counts: no need for an atomic addition.
    events_.store(events_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
    bytes_.store(bytes_.load(std::memory_order_relaxed) + event.size(), std::memory_order_relaxed);
    return true;
}

bool Journal::keep_in_memory(std::string_view event) {
    const uint64_t bytes = waiting_bytes_.load(std::memory_order_relaxed) + event.size();
    if (bytes > options_.memory_bytes_max) {
        lost_.fetch_add(1, std::memory_order_relaxed);
        return false;
    }
    waiting_.emplace_back(event);
    waiting_bytes_.store(bytes, std::memory_order_relaxed);
    kept_.fetch_add(1, std::memory_order_relaxed);
    return true;
}

bool Journal::write_waiting() {
    while (!waiting_.empty()) {
        if (!write_to_segment(waiting_.front())) return false;
        waiting_bytes_.fetch_sub(waiting_.front().size(), std::memory_order_relaxed);
        waiting_.pop_front();
    }
    return true;
}

bool Journal::next_segment() {
    std::shared_ptr<Segment> segment;
    {
        const std::lock_guard lock(mutex_);
        segment = std::exchange(spare_, nullptr);
    }
    if (segment == nullptr) {
        // After a failure only sync() tries again: a full disk must not slow down the shard.
        if (is_source_failing_.load(std::memory_order_acquire)) return false;
        const std::string directory = shard_directory(options_.data_dir, options_.shard);
        segment = source_->make(directory + std::string(kFirstName), options_.segment_bytes);
    }
    SegmentHeader header;
    header.node = options_.node;
    header.shard = options_.shard;
    header.sequence = next_sequence_;
    header.run = options_.run;
    header.boot_hash = boot_hash_;
    header.created_us = wall_us();
    if (segment == nullptr ||
        !segment->activate(header,
                           segment_path(options_.data_dir, options_.shard, next_sequence_))) {
        is_source_failing_.store(true, std::memory_order_release);
        return false;
    }
    ++next_sequence_;
    const std::lock_guard lock(mutex_);
    if (current_ != nullptr) to_sync_.push_back(std::move(current_));
    current_ = std::move(segment);
    return true;
}

void Journal::sync() {
    std::vector<std::shared_ptr<Segment>> retired;
    std::shared_ptr<Segment> current;
    bool has_spare = false;
    {
        const std::lock_guard lock(mutex_);
        retired.swap(to_sync_);
        current = current_;
        has_spare = spare_ != nullptr;
    }
    for (const auto& segment : retired) segment->sync();
    if (current != nullptr) current->sync();
    const bool is_needed = current == nullptr || current->is_half_full() ||
                           is_source_failing_.load(std::memory_order_acquire);
    if (!has_spare && is_needed) prepare_spare();
}

void Journal::prepare_spare() {
    const std::string directory = shard_directory(options_.data_dir, options_.shard);
    std::shared_ptr<Segment> spare =
        source_->make(directory + std::string(kSpareName), options_.segment_bytes);
    if (spare == nullptr) {
        is_source_failing_.store(true, std::memory_order_release);
        return;
    }
    {
        const std::lock_guard lock(mutex_);
        spare_ = std::move(spare);
    }
    is_source_failing_.store(false, std::memory_order_release);
}

void Journal::add_counters(Counters& into) const {
    into.add(Counter::journal_events_total, events_.load(std::memory_order_relaxed));
    into.add(Counter::journal_bytes_total, bytes_.load(std::memory_order_relaxed));
    into.add(Counter::journal_kept_in_memory_total, kept_.load(std::memory_order_relaxed));
    into.add(Counter::journal_lost_total, lost_.load(std::memory_order_relaxed));
}

}  // namespace signalbox::store
