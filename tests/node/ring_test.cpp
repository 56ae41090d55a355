// Covers the ring between two shards, its wake-up and the mailbox. No RFC: the driver's own
// behaviour.
#include "node/ring.h"

#include <gtest/gtest.h>
#include <poll.h>

#include <string>
#include <thread>
#include <vector>

#include "node/mailbox.h"
#include "node/wake_up.h"

namespace signalbox::node {
namespace {

constexpr size_t kCapacity = 4096;

RingEntry entry_of(RingKind kind, std::string_view bytes) {
    RingEntry entry;
    entry.kind = kind;
    entry.bytes = bytes;
    return entry;
}

std::vector<std::string> take_all(Ring& ring, size_t count = SIZE_MAX) {
    std::vector<std::string> out;
    ring.consume(count, [&out](const RingEntry& entry) { out.emplace_back(entry.bytes); });
    return out;
}

TEST(Ring_Behaviour, CarriesEveryFieldOfAnEntry) {
    Ring ring(kCapacity);
    RingEntry entry = entry_of(RingKind::FlowClosed, "octets");
    entry.why = transport::FlowError::Overflow;
    entry.owner = 77;
    entry.flow.connection = 5;
    entry.flow.remote = *Endpoint::parse("192.0.2.1:5060");
    ASSERT_TRUE(ring.push(entry));
    EXPECT_FALSE(ring.is_empty());

    size_t seen = 0;
    ring.consume(1, [&](const RingEntry& got) {
        ++seen;
        EXPECT_EQ(got.kind, RingKind::FlowClosed);
        EXPECT_EQ(got.why, transport::FlowError::Overflow);
        EXPECT_EQ(got.owner, 77u);
        EXPECT_EQ(got.flow, entry.flow);
        EXPECT_EQ(got.bytes, "octets");
    });
    EXPECT_EQ(seen, 1u);
    EXPECT_TRUE(ring.is_empty());
}

TEST(Ring_Behaviour, KeepsOrderAndOctetsAcrossItsEndForEverySize) {
    Ring ring(kCapacity);
    for (size_t size = 0; size < 900; ++size) {
        const std::string first(size, 'a');
        const std::string second(size / 2, 'b');
        ASSERT_TRUE(ring.push(entry_of(RingKind::ShardMessage, first))) << size;
        ASSERT_TRUE(ring.push(entry_of(RingKind::ShardMessage, second))) << size;
        ASSERT_EQ(take_all(ring), (std::vector<std::string>{first, second})) << size;
    }
}

TEST(Ring_Behaviour, ConsumesNoMoreThanAskedFor) {
    Ring ring(kCapacity);
    for (const char* text : {"1", "2", "3"}) {
        ASSERT_TRUE(ring.push(entry_of(RingKind::Packet, text)));
    }
    EXPECT_EQ(take_all(ring, 2), (std::vector<std::string>{"1", "2"}));
    EXPECT_EQ(take_all(ring, 0), (std::vector<std::string>{}));
    EXPECT_EQ(take_all(ring, 2), (std::vector<std::string>{"3"}));
}

TEST(Ring_Behaviour, RefusesWhenFullAndTakesAgainWhenRead) {
    Ring ring(kCapacity);
    const std::string octets(100, 'x');
    size_t pushed = 0;
    while (ring.push(entry_of(RingKind::ShardMessage, octets))) ++pushed;
    EXPECT_GT(pushed, 10u);
    EXPECT_LE(pushed * octets.size(), kCapacity);
    EXPECT_EQ(take_all(ring, 1).size(), 1u);
    EXPECT_TRUE(ring.push(entry_of(RingKind::ShardMessage, octets)));
    EXPECT_FALSE(ring.push(entry_of(RingKind::ShardMessage, octets)));
    EXPECT_EQ(take_all(ring).size(), pushed);
}

TEST(Ring_Behaviour, LeavesRoomForTheShardsThemselvesWhenPacketsFillIt) {
    Ring ring(kCapacity);
    while (ring.push(entry_of(RingKind::Packet, std::string(100, 'x')))) {
    }
    EXPECT_TRUE(ring.push(entry_of(RingKind::ShardMessage, std::string(100, 'y'))));
}

TEST(Ring_Behaviour, PassesEverythingBetweenTwoThreads) {
    Ring ring(kCapacity);
    constexpr uint64_t kCount = 20'000;
    std::thread writer([&ring] {
        for (uint64_t i = 0; i < kCount; ++i) {
            const std::string octets(i % 300, static_cast<char>('a' + i % 26));
            RingEntry entry = entry_of(RingKind::ShardMessage, octets);
            entry.owner = i;
            while (!ring.push(entry)) std::this_thread::yield();
        }
    });
    uint64_t next = 0;
    bool is_whole = true;
    while (next < kCount) {
        const size_t taken = ring.consume(64, [&](const RingEntry& entry) {
            const std::string wanted(next % 300, static_cast<char>('a' + next % 26));
            is_whole = is_whole && entry.owner == next && entry.bytes == wanted;
            ++next;
        });
        if (taken == 0) std::this_thread::yield();
    }
    writer.join();
    EXPECT_TRUE(is_whole);
    EXPECT_TRUE(ring.is_empty());
}

bool is_readable(int fd) {
    pollfd entry{fd, POLLIN, 0};
    return ::poll(&entry, 1, 0) == 1;
}

TEST(WakeUp_Behaviour, IsReadableFromTheFirstSignalUntilAcknowledged) {
    WakeUp wake_up;
    EXPECT_FALSE(is_readable(wake_up.fd()));
    wake_up.signal();
    wake_up.signal();
    EXPECT_TRUE(is_readable(wake_up.fd()));
    wake_up.acknowledge();
    EXPECT_FALSE(is_readable(wake_up.fd()));
    wake_up.signal();
    EXPECT_TRUE(is_readable(wake_up.fd()));
}

TEST(Mailbox_Behaviour, GivesWhatWasPutInOrderOnce) {
    Mailbox<int> mailbox;
    EXPECT_TRUE(mailbox.take().empty());
    mailbox.put(1);
    mailbox.put(2);
    EXPECT_EQ(mailbox.take(), (std::vector<int>{1, 2}));
    EXPECT_TRUE(mailbox.take().empty());
}

}  // namespace
}  // namespace signalbox::node
