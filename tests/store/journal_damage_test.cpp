// What a reader makes of a journal that somebody, or a disk, has changed.
// Covered: octets of events, of frames, of a segment's head; ends that were never whole. Not
// covered: a whole server that starts with such a journal (e2e/records_refold).
#include "store/journal_damage.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "store/journal.h"
#include "store/journal_reader.h"
#include "store/store.h"
#include "tests/store/event_makers.h"

namespace signalbox::store {
namespace {

using Events = std::vector<std::string>;

class JournalDamage_Behaviour : public ::testing::Test {
 protected:
    JournalDamage_Behaviour() { open_journal(directory)->append("first"); }

    /// A segment of its own for these events: number 2.
    void write(const Events& events) {
        auto journal = open_journal(directory, 2);
        for (const std::string& event : events) journal->append(event);
    }
    std::string path() const { return segment_path(directory.path(), 0, 2); }
    static uint64_t frame_of(const Events& events, size_t index) {
        uint64_t at = kFirstFrame;
        for (size_t i = 0; i < index; ++i) at += frame_bytes(events[i].size());
        return at;
    }
    void flip(uint64_t offset) {
        std::fstream file(path(), std::ios::binary | std::ios::in | std::ios::out);
        file.seekg(static_cast<std::streamoff>(offset));
        const auto octet = static_cast<char>(~file.get());
        file.seekp(static_cast<std::streamoff>(offset));
        file.put(octet);
    }
    void put_zeros(uint64_t offset, size_t count) {
        std::fstream file(path(), std::ios::binary | std::ios::in | std::ios::out);
        file.seekp(static_cast<std::streamoff>(offset));
        file << std::string(count, '\0');
    }
    /// All events of segment 2; what was skipped is in `damage`.
    Events read() {
        JournalReader reader(directory.path(), 0, {2, 0});
        Events events;
        JournalEntry entry;
        while (reader.next(entry)) events.emplace_back(entry.event);
        damage = reader.take_damage();
        torn = reader.torn_count();
        return events;
    }

    TemporaryDirectory directory;
    const Events all{"one", "the second event", "three", std::string(300'000, 'x'), "five"};
    std::vector<JournalDamage> damage;
    uint64_t torn = 0;
};

TEST_F(JournalDamage_Behaviour, AFlippedOctetOfAnEventCostsThatEvent) {
    write(all);
    flip(frame_of(all, 1) + sizeof(FrameHeader) + 3);
    EXPECT_EQ(read(), (Events{all[0], all[2], all[3], all[4]}));
    ASSERT_EQ(damage.size(), 1U);
    EXPECT_EQ(damage[0].path, path());
    EXPECT_EQ(damage[0].offset, frame_of(all, 1));
    EXPECT_EQ(damage[0].bytes, frame_bytes(all[1].size()));
    EXPECT_EQ(torn, 0U);
}

TEST_F(JournalDamage_Behaviour, AFlippedOctetOfAFrameHeaderCostsItsEvent) {
    for (uint64_t octet = 0; octet < sizeof(FrameHeader); ++octet) {
        write(all);
        flip(frame_of(all, 1) + octet);
        EXPECT_EQ(read(), (Events{all[0], all[2], all[3], all[4]})) << octet;
        EXPECT_EQ(damage.size(), 1U) << octet;
        std::filesystem::remove(path());
    }
}

TEST_F(JournalDamage_Behaviour, ALargeEventIsSkippedToo) {
    write(all);
    flip(frame_of(all, 3) + 200'000);
    EXPECT_EQ(read(), (Events{all[0], all[1], all[2], all[4]}));
}

TEST_F(JournalDamage_Behaviour, SeveralPlacesAreSkippedEach) {
    write(all);
    flip(frame_of(all, 0) + 9);
    flip(frame_of(all, 2) + 9);
    EXPECT_EQ(read(), (Events{all[1], all[3], all[4]}));
    EXPECT_EQ(damage.size(), 2U);
}

TEST_F(JournalDamage_Behaviour, ZerosInTheMiddleAreDamageAndNotTheEnd) {
    write(all);
    put_zeros(frame_of(all, 1), frame_bytes(all[1].size()));
    EXPECT_EQ(read(), (Events{all[0], all[2], all[3], all[4]}));
    EXPECT_EQ(damage.size(), 1U);
}

TEST_F(JournalDamage_Behaviour, ADamagedHeadCostsNoEvent) {
    for (const uint64_t octet : {uint64_t{0}, uint64_t{20}, sizeof(SegmentHeader) - 1}) {
        write(all);
        flip(octet);
        EXPECT_EQ(read(), all) << octet;
        ASSERT_EQ(damage.size(), 1U) << octet;
        EXPECT_EQ(damage[0].offset, 0U);
        std::filesystem::remove(path());
    }
}

TEST_F(JournalDamage_Behaviour, OfADamagedHeadTheRunIsThatOfTheSegmentBefore) {
    write(all);
    flip(0);
    JournalReader reader(directory.path(), 0, {});
    JournalEntry entry;
    ASSERT_TRUE(reader.next(entry));
    const uint64_t run = entry.run;
    ASSERT_TRUE(reader.next(entry));
    EXPECT_EQ(entry.event, all[0]);
    EXPECT_EQ(entry.run, run);
}

TEST_F(JournalDamage_Behaviour, ATornEndIsTheEnd) {
    write(all);
    flip(frame_of(all, 4) + 9);
    EXPECT_EQ(read(), (Events{all[0], all[1], all[2], all[3]}));
    EXPECT_TRUE(damage.empty());
    open_journal(directory, 3)->append("next");
    EXPECT_EQ(read(), (Events{all[0], all[1], all[2], all[3], "next"}));
    EXPECT_TRUE(damage.empty());
}

TEST_F(JournalDamage_Behaviour, ZerosAtTheEndAreTheEnd) {
    write(all);
    std::filesystem::resize_file(path(), uint64_t{8} << 20);
    EXPECT_EQ(read(), all);
    open_journal(directory, 3)->append("next");
    Events expected = all;
    expected.emplace_back("next");
    EXPECT_EQ(read(), expected);
    EXPECT_TRUE(damage.empty());
    EXPECT_EQ(torn, 0U);
}

TEST_F(JournalDamage_Behaviour, TheNextRunCutsBehindTheDamageNotBeforeIt) {
    write(all);
    flip(frame_of(all, 1) + 9);
    open_journal(directory, 3)->append("next");
    EXPECT_EQ(read(), (Events{all[0], all[2], all[3], all[4], "next"}));
}

TEST_F(JournalDamage_Behaviour, WhatIsAppendedWhileItIsReadIsNoDamage) {
    auto journal = open_journal(directory, 2);
    JournalReader reader(directory.path(), 0, {2, 0});
    JournalEntry entry;
    for (int i = 0; i < 100; ++i) {
        EXPECT_FALSE(reader.next(entry));
        journal->append("event " + std::to_string(i));
        ASSERT_TRUE(reader.next(entry));
        EXPECT_EQ(entry.event, "event " + std::to_string(i));
    }
    EXPECT_TRUE(reader.take_damage().empty());
}

TEST(DamagedPlaces_Behaviour, CountsEachPlaceAndTellsOfEachSegmentOnce) {
    DamagedPlaces places;
    EXPECT_EQ(places.note({{"a", 64, 8}, {"a", 128, 16}, {"b", 64, 8}}).size(), 2U);
    EXPECT_TRUE(places.note({{"a", 64, 8}, {"a", 256, 8}}).empty());
    Counters counters;
    places.add_counters(counters);
    EXPECT_EQ(counters.value(Counter::journal_damaged_total), 4U);
    EXPECT_EQ(counters.value(Counter::journal_damaged_bytes_total), 40U);
}

TEST_F(JournalDamage_Behaviour, AStoreTellsOfIt) {
    write(all);
    flip(frame_of(all, 1) + 9);
    StoreOptions options;
    options.data_dir = directory.path();
    const auto store = std::move(*open_sqlite_store(options));
    std::vector<JournalDamage> told;
    for (bool is_behind = true; is_behind;) {
        const FoldReport report = store->fold(FoldMode::Now);
        told.insert(told.end(), report.damage.begin(), report.damage.end());
        is_behind = report.is_behind;
    }
    ASSERT_EQ(told.size(), 1U);
    EXPECT_EQ(told[0].offset, frame_of(all, 1));
    Counters counters;
    store->add_counters(counters);
    EXPECT_EQ(counters.value(Counter::journal_damaged_total), 1U);
}

}  // namespace
}  // namespace signalbox::store
