// Opens the sockets that listeners stand on.
#include "io/bound_socket.h"

#include <netinet/tcp.h>
#include <sys/socket.h>

#include <cerrno>

#include "io/socket_address.h"

namespace signalbox::io {

namespace {

// Large enough that what belongs to calls in progress survives until overload has been noticed:
// the system charges about 2 KiB for a message and doubles this number, which makes some 8,000
// messages, the work of 60 ms and more. Small enough to be emptied in 10 ms once new requests are
// dropped unread. More than net.core.rmem_max only with CAP_NET_ADMIN.
constexpr int kSocketBufferBytes = 8 * 1024 * 1024;
// As long as the system allows (net.core.somaxconn): who finds it full asks again a second later,
// then three, and phones that all come back at once would stay away for half a minute.
constexpr int kBacklog = 65535;

bool set_option(int fd, int level, int name, int value) {
    return ::setsockopt(fd, level, name, &value, sizeof(value)) == 0;
}

void enlarge_buffers(int fd) {
    if (!set_option(fd, SOL_SOCKET, SO_RCVBUFFORCE, kSocketBufferBytes)) {
        set_option(fd, SOL_SOCKET, SO_RCVBUF, kSocketBufferBytes);
    }
    if (!set_option(fd, SOL_SOCKET, SO_SNDBUFFORCE, kSocketBufferBytes)) {
        set_option(fd, SOL_SOCKET, SO_SNDBUF, kSocketBufferBytes);
    }
}

}  // namespace

tl::expected<FileDescriptor, int> open_bound_socket(transport::Transport transport,
                                                    const Endpoint& bound, Sharing sharing) {
    const bool is_v6 = bound.address.family == Family::V6;
    const bool is_udp = transport == transport::Transport::Udp;
    const int type = (is_udp ? SOCK_DGRAM : SOCK_STREAM) | SOCK_NONBLOCK | SOCK_CLOEXEC;
    FileDescriptor socket(::socket(is_v6 ? AF_INET6 : AF_INET, type, 0));
    if (!socket) return tl::unexpected(errno);
    const int fd = socket.get();

    if (is_v6) set_option(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1);
    if (sharing == Sharing::PerShard) set_option(fd, SOL_SOCKET, SO_REUSEPORT, 1);
    if (is_udp) {
        enlarge_buffers(fd);
        set_option(fd, SOL_SOCKET, SO_TIMESTAMPNS, 1);
        set_option(fd, SOL_SOCKET, SO_RXQ_OVFL, 1);
        if (bound.address.is_unspecified()) {
            set_option(fd, is_v6 ? IPPROTO_IPV6 : IPPROTO_IP, is_v6 ? IPV6_RECVPKTINFO : IP_PKTINFO,
                       1);
        }
    } else {
        // Connections of a previous run that linger in TIME_WAIT do not hold the port.
        set_option(fd, SOL_SOCKET, SO_REUSEADDR, 1);
    }

    SocketAddress address{};
    const socklen_t size = to_socket_address(bound, address);
    if (size == 0) return tl::unexpected(EAFNOSUPPORT);
    if (::bind(fd, &address.any, size) != 0) return tl::unexpected(errno);
    if (!is_udp && ::listen(fd, kBacklog) != 0) return tl::unexpected(errno);
    return socket;
}

}  // namespace signalbox::io
