// Tests of store/journal, store/segment, store/journal_reader and store/journal_files.
// Covered: order, segments, torn tails at every octet, full disks, kill -9, several readers. Not
// covered: power loss itself.
#include "store/journal.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include <gtest/gtest.h>

#include "store/checksum.h"
#include "store/journal_reader.h"
#include "tests/store/event_makers.h"

namespace signalbox::store {
namespace {

std::vector<std::string> read_all(JournalReader& reader) {
    std::vector<std::string> events;
    JournalEntry entry;
    while (reader.next(entry)) events.emplace_back(entry.event);
    return events;
}

std::vector<std::string> read_all(const TemporaryDirectory& directory, uint8_t shard = 0) {
    JournalReader reader(directory.path(), shard, {});
    return read_all(reader);
}

uint64_t value(const Journal& journal, Counter counter) {
    Counters counters;
    journal.add_counters(counters);
    return counters.value(counter);
}

/// A disk on which a test decides whether there is room.
class LimitedSource final : public SegmentSource {
 public:
    std::unique_ptr<Segment> make(const std::string& path, uint64_t bytes) override {
        return has_room ? files_.make(path, bytes) : nullptr;
    }
    bool has_room = true;

 private:
    FileSegmentSource files_;
};

struct LimitedJournal {
    explicit LimitedJournal(uint64_t memory_bytes_max, bool has_room = true) {
        source.has_room = has_room;
        JournalOptions options;
        options.data_dir = directory.path();
        options.run = 1;
        options.segment_bytes = kSegmentBytesMin;
        options.memory_bytes_max = memory_bytes_max;
        options.source = &source;
        journal = std::move(*Journal::open(options));
    }
    TemporaryDirectory directory;
    LimitedSource source;
    std::unique_ptr<Journal> journal;
};

TEST(Checksum_Behaviour, IsTheCastagnoliCrc) {
    EXPECT_EQ(crc32c(0, "123456789"), 0xe3069283u);
    EXPECT_EQ(crc32c_portable(0, "123456789"), 0xe3069283u);
}

TEST(Checksum_Behaviour, GoesOnWhereItStood) {
    const std::string text = "a text that is longer than one word of the processor";
    for (size_t cut = 0; cut <= text.size(); ++cut) {
        const std::string_view all(text);
        EXPECT_EQ(crc32c(crc32c(0, all.substr(0, cut)), all.substr(cut)), crc32c_portable(0, all));
    }
}

TEST(Journal_Behaviour, GivesBackWhatWasAppendedInOrder) {
    TemporaryDirectory directory;
    auto journal = open_journal(directory);
    std::vector<std::string> written;
    for (size_t size = 1; size < 100; ++size) {
        written.emplace_back(size, static_cast<char>('a' + size % 26));
        EXPECT_TRUE(journal->append(written.back()));
    }
    EXPECT_EQ(read_all(directory), written);
    EXPECT_EQ(value(*journal, Counter::journal_events_total), 99u);
    EXPECT_EQ(value(*journal, Counter::journal_bytes_total), 99u * 100 / 2);
}

TEST(Journal_Behaviour, TakesTheLargestEventAndRefusesALargerOne) {
    TemporaryDirectory directory;
    auto journal = open_journal(directory);
    const std::string largest(kEventBytesMax, 'x');
    EXPECT_TRUE(journal->append(largest));
    EXPECT_FALSE(journal->append(largest + "x"));
    EXPECT_FALSE(journal->append(""));
    EXPECT_EQ(value(*journal, Counter::journal_lost_total), 2u);
    EXPECT_EQ(read_all(directory), std::vector<std::string>{largest});
}

TEST(Journal_Behaviour, GoesOverToTheNextSegmentWhenOneIsFull) {
    TemporaryDirectory directory;
    auto journal = open_journal(directory);
    const std::string event(10'000, 'x');
    for (int i = 0; i < 500; ++i) ASSERT_TRUE(journal->append(event));
    EXPECT_GE(segment_sequences(directory.path(), 0).size(), 4u);
    EXPECT_EQ(read_all(directory).size(), 500u);
}

TEST(Journal_Behaviour, IsReadWhileItIsWritten) {
    TemporaryDirectory directory;
    auto journal = open_journal(directory);
    JournalReader reader(directory.path(), 0, {});
    for (int i = 0; i < 2000; ++i) {
        const std::string event(1000 + static_cast<size_t>(i), 'x');
        ASSERT_TRUE(journal->append(event));
        EXPECT_EQ(read_all(reader), std::vector<std::string>{event});
    }
}

TEST(Journal_Behaviour, ReadsOnFromAPosition) {
    TemporaryDirectory directory;
    auto journal = open_journal(directory);
    journal->append("one");
    journal->append("two");
    JournalReader first(directory.path(), 0, {});
    JournalEntry entry;
    ASSERT_TRUE(first.next(entry));
    JournalReader second(directory.path(), 0, first.position());
    EXPECT_EQ(read_all(second), std::vector<std::string>{"two"});
}

TEST(Journal_Behaviour, BeginsANewSegmentAtEachStartAndCutsTheOldOne) {
    TemporaryDirectory directory;
    open_journal(directory, 1)->append("one");
    open_journal(directory, 2)->append("two");
    EXPECT_EQ(read_all(directory), (std::vector<std::string>{"one", "two"}));
    const auto files = list_segments(directory.path(), 0);
    ASSERT_EQ(files.size(), 2u);
    EXPECT_EQ(files[0].bytes, kFirstFrame + frame_bytes(3));
    EXPECT_EQ(files[0].header.run, 1u);
    EXPECT_EQ(files[1].header.run, 2u);
}

TEST(Journal_Behaviour, LosesNothingWhenItsProcessIsKilled) {
    TemporaryDirectory directory;
    const pid_t child = ::fork();
    if (child == 0) {
        auto journal = open_journal(directory);
        for (int i = 0; i < 1000; ++i) journal->append("event " + std::to_string(i));
        ::kill(::getpid(), SIGKILL);
    }
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFSIGNALED(status));
    EXPECT_EQ(read_all(directory).size(), 1000u);
    open_journal(directory, 2)->append("after");
    const auto events = read_all(directory);
    ASSERT_EQ(events.size(), 1001u);
    EXPECT_EQ(events[999], "event 999");
    EXPECT_EQ(events[1000], "after");
    EXPECT_LT(list_segments(directory.path(), 0)[0].bytes, kSegmentBytesMin);
}

TEST(Journal_Behaviour, CutsATailTornAtAnyOctetOfTheLastEvents) {
    TemporaryDirectory directory;
    open_journal(directory)->append("first");
    {
        auto journal = open_journal(directory, 2);
        journal->append("second");
        journal->append("the third event");
    }
    const std::string path = segment_path(directory.path(), 0, 2);
    std::ifstream file(path, std::ios::binary);
    const std::string whole(std::istreambuf_iterator<char>(file), {});
    const size_t third = kFirstFrame + frame_bytes(6);
    for (size_t size = kFirstFrame; size < whole.size(); ++size) {
        std::ofstream(path, std::ios::binary) << whole.substr(0, size);
        const bool is_third_whole = size >= third + sizeof(FrameHeader) + 15;
        const bool is_second_whole = size >= kFirstFrame + sizeof(FrameHeader) + 6;
        std::vector<std::string> expected{"first"};
        if (is_second_whole) expected.emplace_back("second");
        if (is_third_whole) expected.emplace_back("the third event");
        EXPECT_EQ(read_all(directory), expected) << size;
        ASSERT_TRUE(cut_torn_tail(path));
        EXPECT_EQ(read_all(directory), expected) << size;
    }
}

TEST(Journal_Behaviour, NeverTakesAnEventOfAnotherPlaceForOneOfItsOwn) {
    EXPECT_NE(frame_checksum(1, 64, "event"), frame_checksum(1, 80, "event"));
    EXPECT_NE(frame_checksum(1, 64, "event"), frame_checksum(2, 64, "event"));
}

TEST(Journal_Behaviour, KeepsEventsInMemoryWhileTheDiskIsFullAndWritesThemInOrderAfterwards) {
    LimitedJournal limited(1000, false);
    EXPECT_TRUE(limited.journal->append("one"));
    EXPECT_TRUE(limited.journal->append("two"));
    EXPECT_TRUE(limited.journal->is_waiting());
    EXPECT_EQ(value(*limited.journal, Counter::journal_kept_in_memory_total), 2u);
    limited.source.has_room = true;
    limited.journal->sync();
    EXPECT_TRUE(limited.journal->append("three"));
    EXPECT_FALSE(limited.journal->is_waiting());
    EXPECT_EQ(read_all(limited.directory), (std::vector<std::string>{"one", "two", "three"}));
    EXPECT_EQ(value(*limited.journal, Counter::journal_lost_total), 0u);
}

TEST(Journal_Behaviour, LosesAndCountsWhatTheMemoryCannotHold) {
    LimitedJournal limited(10, false);
    EXPECT_TRUE(limited.journal->append("0123456789"));
    EXPECT_FALSE(limited.journal->append("x"));
    EXPECT_EQ(value(*limited.journal, Counter::journal_lost_total), 1u);
    limited.source.has_room = true;
    limited.journal->sync();
    EXPECT_TRUE(limited.journal->write_waiting());
    EXPECT_EQ(read_all(limited.directory), std::vector<std::string>{"0123456789"});
}

TEST(Journal_Behaviour, WritesAtItsEndWhatFoundRoomMeanwhile) {
    LimitedJournal limited(1000, false);
    limited.journal->append("one");
    limited.source.has_room = true;
    limited.journal.reset();
    EXPECT_EQ(read_all(limited.directory), std::vector<std::string>{"one"});
}

TEST(Journal_Behaviour, GoesOnWhenTheDiskFillsUpWithinARun) {
    LimitedJournal limited(uint64_t{16} << 20);
    const std::string event(100'000, 'x');
    limited.source.has_room = false;
    for (int i = 0; i < 30; ++i) ASSERT_TRUE(limited.journal->append(event));
    EXPECT_TRUE(limited.journal->is_waiting());
    limited.source.has_room = true;
    for (int i = 0; i < 10; ++i) {
        limited.journal->sync();
        limited.journal->write_waiting();
    }
    EXPECT_FALSE(limited.journal->is_waiting());
    EXPECT_EQ(read_all(limited.directory).size(), 30u);
}

/// Resident kilobytes of what is mapped from files of the folder.
size_t resident_kib(const TemporaryDirectory& directory) {
    std::ifstream maps("/proc/self/smaps");
    size_t kib = 0;
    bool is_ours = false;
    for (std::string line; std::getline(maps, line);) {
        const bool is_size = line.starts_with("Rss:");
        if (is_size && is_ours) kib += std::stoul(line.substr(line.find_first_of("0123456789")));
        const bool is_field = line.substr(0, line.find(' ')).ends_with(':');
        if (!is_field) is_ours = line.find(directory.path()) != std::string::npos;
    }
    return kib;
}

TEST(Journal_Behaviour, HoldsNoMemoryForWhatIsOnTheDisk) {
    TemporaryDirectory directory;
    auto journal = open_journal(directory);
    const std::string event(1000, 'x');
    for (int i = 0; i < 500; ++i) ASSERT_TRUE(journal->append(event));
    EXPECT_GT(resident_kib(directory), 400u);
    journal->sync();
    EXPECT_LE(resident_kib(directory), 64u);
    ASSERT_TRUE(journal->append(event));
    EXPECT_EQ(read_all(directory), std::vector<std::string>(501, event));
}

TEST(JournalReader_Behaviour, BeginsAnewWhenTheJournalWasRemoved) {
    TemporaryDirectory directory;
    open_journal(directory)->append("new");
    JournalReader reader(directory.path(), 0, {57, 4096});
    EXPECT_EQ(read_all(reader), std::vector<std::string>{"new"});
}

TEST(JournalReader_Behaviour, SkipsAFileThatIsNoSegment) {
    TemporaryDirectory directory;
    open_journal(directory, 1)->append("one");
    std::ofstream(segment_path(directory.path(), 0, 2)) << "rubbish";
    open_journal(directory, 3)->append("three");
    EXPECT_EQ(read_all(directory), (std::vector<std::string>{"one", "three"}));
}

TEST(JournalFiles_Behaviour, NumbersEachRunHigherThanAllBefore) {
    TemporaryDirectory directory;
    const uint64_t first = next_run(directory.path());
    const uint64_t far = first + 1'000'000'000'000;
    open_journal(directory, far)->append("one");
    EXPECT_EQ(next_run(directory.path()), far + 1);
}

TEST(JournalFiles_Behaviour, TrimsTheOldestFoldedSegmentsOnly) {
    TemporaryDirectory directory;
    for (uint64_t run = 1; run <= 5; ++run) open_journal(directory, run)->append("event");
    const uint64_t one = kFirstFrame + frame_bytes(5);
    const std::map<uint8_t, JournalPosition> folded{{0, {4, kFirstFrame}}};
    EXPECT_EQ(trim_journal(directory.path(), {5 * one}, folded), 0u);
    EXPECT_EQ(trim_journal(directory.path(), {4 * one}, folded), 1u);
    EXPECT_EQ(segment_sequences(directory.path(), 0), (std::vector<uint64_t>{2, 3, 4, 5}));
    EXPECT_EQ(trim_journal(directory.path(), {0}, folded), 2u);
    EXPECT_EQ(segment_sequences(directory.path(), 0), (std::vector<uint64_t>{4, 5}));
}

TEST(JournalFiles_Behaviour, TrimsFoldedSegmentsInWhichEverythingIsTooOld) {
    TemporaryDirectory directory;
    for (uint64_t run = 1; run <= 5; ++run) open_journal(directory, run)->append("event");
    const std::map<uint8_t, JournalPosition> folded{{0, {5, kFirstFrame}}};
    const auto files = list_segments(directory.path(), 0);
    ASSERT_EQ(files.size(), 5u);
    constexpr uint64_t kAll = UINT64_MAX;
    const auto begun = [&](size_t i) {
        return WallTime(std::chrono::microseconds(files[i].header.created_us));
    };
    EXPECT_EQ(trim_journal(directory.path(), {kAll, begun(0)}, folded), 0u);
    // Until the fourth was begun, the third may have been written to.
    EXPECT_EQ(trim_journal(directory.path(), {kAll, begun(3)}, folded), 2u);
    EXPECT_EQ(segment_sequences(directory.path(), 0), (std::vector<uint64_t>{3, 4, 5}));
    EXPECT_EQ(trim_journal(directory.path(), {kAll, WallTime::max()}, folded), 2u);
    EXPECT_EQ(segment_sequences(directory.path(), 0), std::vector<uint64_t>{5});
}

TEST(JournalFiles_Behaviour, KeepsOldSegmentsThatAreNotFolded) {
    TemporaryDirectory directory;
    for (uint64_t run = 1; run <= 3; ++run) open_journal(directory, run)->append("event");
    EXPECT_EQ(trim_journal(directory.path(), {UINT64_MAX, WallTime::max()}, {{0, {2, 64}}}), 1u);
    EXPECT_EQ(segment_sequences(directory.path(), 0), (std::vector<uint64_t>{2, 3}));
}

TEST(JournalFiles_Behaviour, NeverTrimsTheNewestSegmentNorAnUnknownShard) {
    TemporaryDirectory directory;
    open_journal(directory, 1, 0)->append("event");
    open_journal(directory, 1, 1)->append("event");
    open_journal(directory, 2, 1)->append("event");
    EXPECT_EQ(trim_journal(directory.path(), {0}, {{0, {9, 64}}}), 0u);
}

}  // namespace
}  // namespace signalbox::store
