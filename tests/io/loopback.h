// Test helper: a reactor that is run until something holds, with a deadline instead of a sleep.
#pragma once

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <string>

#include "io/bound_socket.h"
#include "io/reactor.h"
#include "io/socket_address.h"

namespace signalbox::io {

inline const Endpoint kLoopback{IpAddress::v4(127, 0, 0, 1), 0};

/// Port 0 of a loopback address of this process: a port found free there is free for both
/// transports and stays so, whatever other tests and their connections do at kLoopback. Only who
/// binds a port on all addresses could have it.
inline Endpoint own_loopback() {
    const auto id = static_cast<uint32_t>(::getpid());
    const auto octet = [id](int shift) { return static_cast<uint8_t>(id >> shift); };
    return {IpAddress::v4(127, static_cast<uint8_t>(64 | (octet(16) & 63)), octet(8), octet(0)), 0};
}

/// How long a test waits for what must come. Only a failure takes so long; a busy machine with a
/// sanitizer has been seen to need many seconds for one handshake.
inline constexpr std::chrono::seconds kPatience{60};

/// Runs handlers as they come until `holds()`; false after kPatience.
template <class Condition>
bool run_until(asio::io_context& context, Condition&& holds) {
    const auto deadline = std::chrono::steady_clock::now() + kPatience;
    while (!holds()) {
        if (std::chrono::steady_clock::now() > deadline) return false;
        context.restart();
        context.run_one_for(std::chrono::milliseconds(20));
    }
    return true;
}

/// Waits until `fd` has something to read (or an end of stream); false after kPatience.
inline bool wait_readable(int fd) {
    using std::chrono::milliseconds;
    const auto deadline = std::chrono::steady_clock::now() + kPatience;
    for (;;) {
        const auto left = deadline - std::chrono::steady_clock::now();
        const auto ms = std::chrono::duration_cast<milliseconds>(left).count();
        pollfd entry{fd, POLLIN, 0};
        const int ready = ::poll(&entry, 1, static_cast<int>(std::max<int64_t>(ms, 0)));
        // A signal for the process may interrupt any of its threads.
        if (ready >= 0 || errno != EINTR) return ready == 1;
    }
}

inline FileDescriptor open_or_fail(transport::Transport transport, const Endpoint& bound,
                                   Sharing sharing = Sharing::Alone) {
    auto opened = open_bound_socket(transport, bound, sharing);
    EXPECT_TRUE(opened.has_value()) << (opened ? 0 : opened.error());
    return opened ? std::move(*opened) : FileDescriptor();
}

/// A blocking client connected to `server`.
inline FileDescriptor connect_client(const Endpoint& server) {
    FileDescriptor client(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    SocketAddress address{};
    const socklen_t size = to_socket_address(server, address);
    EXPECT_EQ(::connect(client.get(), &address.any, size), 0);
    return client;
}

inline void write_all(const FileDescriptor& socket, std::string_view bytes) {
    while (!bytes.empty()) {
        const ssize_t sent = ::send(socket.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR) continue;
        if (sent <= 0) return;
        bytes.remove_prefix(static_cast<size_t>(sent));
    }
}

}  // namespace signalbox::io
