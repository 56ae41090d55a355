// Datagrams in batches: one system call receives up to 64 of them, one sends up to 64.
// Implements: RFC 3261 §18.1.1 (messages up to 65,535 octets), §18.2.1
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "base/counters.h"
#include "base/time.h"
#include "io/file_descriptor.h"
#include "io/socket_address.h"

namespace signalbox::io {

inline constexpr size_t kDatagramBatch = 64;

// Deviation: RFC 3261 §18.4 — an ICMP error that comes for a datagram is not read: anybody can
// forge one and would end calls by it. The timers tell the same, later.

/// Views: the UdpReceiver's buffers, until its next receive().
struct Datagram {
    Endpoint local;
    Endpoint remote;
    std::string_view bytes;
    std::optional<WallTime> stamped;  // by the system, when it or one of seven before it arrived
    uint32_t lost = 0;  // datagrams that the full buffer had cost this socket by then, modulo 2^32
};

/// One socket of one shard: what it is bound to, and what it has to send at the end of the turn.
/// Single-threaded.
class UdpSocket final {
 public:
    /// `socket` is bound and non-blocking; `bound` may be a wildcard address.
    UdpSocket(FileDescriptor socket, const Endpoint& bound);
    UdpSocket(const UdpSocket&) = delete;
    UdpSocket& operator=(const UdpSocket&) = delete;

    int fd() const { return socket_.get(); }
    const Endpoint& bound() const { return bound_; }
    bool is_wildcard() const { return is_wildcard_; }

    /// Queues a datagram from `local` (used on a wildcard socket only) to `remote`. `bytes` must
    /// live until flush(). A full queue is flushed at once. An owner whose datagram the system
    /// refuses for good is appended to `failed`.
    void send(const Endpoint& local, const Endpoint& remote, std::string_view bytes, uint64_t owner,
              Counters& counters, std::vector<uint64_t>& failed);
    /// Hands the queue to the system; never waits: what finds no room in the socket's buffer is
    /// counted and lost.
    void flush(Counters& counters, std::vector<uint64_t>& failed);

 private:
    struct alignas(cmsghdr) Control {
        std::array<char, CMSG_SPACE(sizeof(in6_pktinfo))> octets;
    };
    struct Queue {
        std::array<mmsghdr, kDatagramBatch> messages{};
        std::array<iovec, kDatagramBatch> spans{};
        std::array<SocketAddress, kDatagramBatch> remotes{};
        std::array<Control, kDatagramBatch> controls{};
        std::array<uint64_t, kDatagramBatch> owners{};
    };
    void set_source(const IpAddress& local, size_t index);

    FileDescriptor socket_;
    Endpoint bound_;
    bool is_wildcard_;
    std::unique_ptr<Queue> queue_;
    size_t queued_ = 0;
};

/// The receive buffers of one shard, which its sockets use in turn. 4.3 MB, of which only what
/// datagrams fill is ever touched.
class UdpReceiver final {
 public:
    UdpReceiver();
    UdpReceiver(const UdpReceiver&) = delete;
    UdpReceiver& operator=(const UdpReceiver&) = delete;

    /// Takes up to `count_max` datagrams that wait, 1 to 64; returns their number. Truncated ones
    /// have no remote in datagram(), for the caller to count.
    size_t receive(const UdpSocket& socket, size_t count_max = kDatagramBatch);
    /// The datagram in place `index` of the latest receive(); empty with no family when it was
    /// truncated.
    Datagram datagram(const UdpSocket& socket, size_t index) const;

 private:
    void offer_controls(size_t stride);

    static constexpr size_t kBufferBytes = 65536;
    // Buffers at multiples of 64 KiB would all fall into the same few cache sets.
    static constexpr size_t kStrideBytes = kBufferBytes + 25 * 64;
    struct alignas(cmsghdr) Control {
        std::array<char, CMSG_SPACE(sizeof(in6_pktinfo)) + CMSG_SPACE(sizeof(in_pktinfo)) +
                             CMSG_SPACE(sizeof(timespec)) + CMSG_SPACE(sizeof(uint32_t))>
            octets;
    };
    std::unique_ptr<char[]> buffers_;
    std::array<mmsghdr, kDatagramBatch> messages_{};
    std::array<iovec, kDatagramBatch> spans_{};
    std::array<SocketAddress, kDatagramBatch> remotes_{};
    std::array<Control, kDatagramBatch> controls_{};
    size_t used_ = 0;
    size_t stride_ = 0;  // of the messages that have room for what is said beside them
};

}  // namespace signalbox::io
