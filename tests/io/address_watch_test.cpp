// Whether a change of the machine's addresses is noticed.
// Covers: announcements of the system (in a network namespace of its own), a look that is asked
// for. Not covered: the looks every half a minute without announcements (too slow), what the node
// makes of it (e2e/first_start).
#include "io/address_watch.h"

#include <gtest/gtest.h>
#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>

#include "tests/io/loopback.h"

namespace signalbox::io {
namespace {

/// In a namespace whose loopback is down, it is brought up: that gives it an address. 0: noticed.
int bring_loopback_up_and_watch() {
    const int user = ::geteuid() == 0 ? 0 : CLONE_NEWUSER;
    if (::unshare(CLONE_NEWNET | user) != 0) return 2;
    asio::io_context context{1};
    Counters counters;
    int calls = 0;
    const AddressWatch watch(context, counters, [&calls] { ++calls; });
    if (watch.is_polling()) return 3;
    context.poll();
    if (calls != 0) return 4;
    const FileDescriptor socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    ifreq request{};
    std::memcpy(request.ifr_name, "lo", sizeof("lo"));
    request.ifr_flags = IFF_UP;
    if (::ioctl(socket.get(), SIOCSIFFLAGS, &request) != 0) return 5;
    return run_until(context, [&calls] { return calls == 1; }) ? 0 : 6;
}

TEST(AddressWatch_Behaviour, AnAddressThatAppearsIsNoticed) {
    const pid_t child = ::fork();
    if (child == 0) ::_exit(bring_loopback_up_and_watch());
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFEXITED(status));
    EXPECT_EQ(WEXITSTATUS(status), 0);
}

TEST(AddressWatch_Behaviour, LooksAgainWhenAskedTo) {
    for (const auto source :
         {AddressWatch::Source::Announcements, AddressWatch::Source::PollingOnly}) {
        asio::io_context context{1};
        Counters counters;
        int calls = 0;
        AddressWatch watch(
            context, counters, [&calls] { ++calls; }, source);
        EXPECT_EQ(watch.is_polling(), source == AddressWatch::Source::PollingOnly);
        watch.look_again_after({});
        EXPECT_EQ(calls, 0);
        EXPECT_TRUE(run_until(context, [&calls] { return calls == 1; }));
        EXPECT_EQ(counters.value(Counter::own_addresses_polled_total), 0U);
    }
}

}  // namespace
}  // namespace signalbox::io
