// Covers the messages for a port that is taken and a data directory in use, and the life of
// snapshots. No RFC: the driver's own behaviour.
#include "node/port_holder.h"

#include <gmock/gmock.h>
#include <stdlib.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>

#include "base/check.h"
#include "io/bound_socket.h"
#include "io/socket_address.h"
#include "node/data_lock.h"
#include "node/snapshot_keeper.h"

namespace signalbox::node {
namespace {

using ::testing::HasSubstr;
using transport::Transport;

constexpr std::string_view kUdpLine =
    "  123: 0100007F:13C4 00000000:0000 07 00000000:00000000 00:00000000 00000000  1000 0 4711 2 "
    "0000000000000000 0";

TEST(PortHolder_Behaviour, ReadsALineOfTheKernel) {
    ProcSocket socket;
    ASSERT_TRUE(parse_proc_socket(kUdpLine, Transport::Udp, socket));
    EXPECT_EQ(socket.local, *Endpoint::parse("127.0.0.1:5060"));
    EXPECT_EQ(socket.inode, 4711u);
    EXPECT_EQ(socket.user, 1000u);
    EXPECT_TRUE(socket.is_listening);
    ASSERT_TRUE(parse_proc_socket(kUdpLine, Transport::Tcp, socket));
    EXPECT_FALSE(socket.is_listening) << "state 07 is not LISTEN";
}

TEST(PortHolder_Behaviour, ReadsIpv6) {
    ProcSocket socket;
    ASSERT_TRUE(parse_proc_socket("1: B80D0120000000000000000001000000:13C4 0:0 0A 0 0 0 0 0 9",
                                  Transport::Tcp, socket));
    EXPECT_EQ(socket.local, *Endpoint::parse("[2001:db8::1]:5060"));
    EXPECT_TRUE(socket.is_listening);
}

TEST(PortHolder_Behaviour, RefusesHeadingsAndNonsense) {
    ProcSocket socket;
    for (const char* line :
         {"",
          "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt uid "
          "timeout inode",
          "1: 0100007F:13C4", "1: 0100007G:13C4 0 0A 0 0 0 0 0 9",
          "1: 0100007F:FFFFF 0 0A 0 0 0 0 0 9"}) {
        EXPECT_FALSE(parse_proc_socket(line, Transport::Udp, socket)) << line;
    }
}

TEST(PortHolder_Behaviour, WildcardsConflictWithEveryAddressOfTheirPort) {
    const Endpoint any = *Endpoint::parse("0.0.0.0:5060");
    const Endpoint one = *Endpoint::parse("192.0.2.1:5060");
    EXPECT_TRUE(is_conflicting(any, one));
    EXPECT_TRUE(is_conflicting(one, any));
    EXPECT_TRUE(is_conflicting(one, one));
    EXPECT_FALSE(is_conflicting(one, *Endpoint::parse("192.0.2.2:5060")));
    EXPECT_FALSE(is_conflicting(any, *Endpoint::parse("192.0.2.1:5061")));
}

TEST(PortHolder_Behaviour, NamesTheProcessThatHoldsAPort) {
    for (const Transport transport : {Transport::Udp, Transport::Tcp}) {
        const auto socket =
            io::open_bound_socket(transport, {IpAddress::v4(127, 0, 0, 1), 0}, io::Sharing::Alone);
        ASSERT_TRUE(socket.has_value());
        const Endpoint taken = io::local_endpoint(socket->get());
        const std::string pid = "(pid " + std::to_string(::getpid()) + ")";
        EXPECT_THAT(port_holder(transport, taken), HasSubstr(pid));
        EXPECT_THAT(listen_failure(transport, taken, EADDRINUSE),
                    ::testing::AllOf(HasSubstr(taken.to_string() + " is in use by"), HasSubstr(pid),
                                     HasSubstr("[[listen]]")));
    }
}

TEST(PortHolder_Behaviour, SaysSoWhenNobodyIsToBeSeen) {
    EXPECT_EQ(port_holder(Transport::Udp, *Endpoint::parse("192.0.2.1:1")), "another program");
}

class DataLock_Behaviour : public ::testing::Test {
 protected:
    DataLock_Behaviour() { CHECK(::mkdtemp(directory.data()) != nullptr); }
    ~DataLock_Behaviour() override { std::filesystem::remove_all(directory); }
    std::string directory = ::testing::TempDir() + "signalbox-lock-XXXXXX";
};

TEST_F(DataLock_Behaviour, ASecondServerIsToldWhoHoldsTheDirectory) {
    const auto first = DataLock::acquire(directory);
    ASSERT_TRUE(first.has_value());
    const auto second = DataLock::acquire(directory);
    ASSERT_FALSE(second.has_value());
    EXPECT_THAT(second.error().text, HasSubstr("(pid " + std::to_string(::getpid()) + ")"));
    EXPECT_THAT(second.error().text, HasSubstr(directory));
}

TEST_F(DataLock_Behaviour, IsFreeAgainWhenItsHolderEnds) {
    { ASSERT_TRUE(DataLock::acquire(directory).has_value()); }
    EXPECT_TRUE(DataLock::acquire(directory).has_value());
    EXPECT_FALSE(DataLock::acquire(directory + "/missing").has_value());
}

TEST(SnapshotKeeper_Behaviour, FreesASnapshotWhenEveryShardHasReleasedIt) {
    SnapshotKeeper keeper(2);
    const ports::Snapshot* first = keeper.add(std::make_unique<ports::Snapshot>());
    const ports::Snapshot* second = keeper.add(std::make_unique<ports::Snapshot>());
    EXPECT_EQ(keeper.newest(), second);
    keeper.release(first);
    EXPECT_EQ(keeper.size(), 2u);
    keeper.release(first);
    EXPECT_EQ(keeper.size(), 1u);
    keeper.release(first);
    EXPECT_EQ(keeper.size(), 1u) << "a pointer that is not known is nothing";
    EXPECT_EQ(keeper.newest(), second);
}

TEST(SnapshotKeeper_Behaviour, HasRoomForSixteen) {
    SnapshotKeeper keeper(1);
    for (size_t i = 0; i < SnapshotKeeper::kLiveMax; ++i) {
        EXPECT_TRUE(keeper.has_room());
        keeper.add(std::make_unique<ports::Snapshot>());
    }
    EXPECT_FALSE(keeper.has_room());
}

}  // namespace
}  // namespace signalbox::node
