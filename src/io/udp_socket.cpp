// Datagrams in batches: one system call receives up to 64 of them, one sends up to 64.
#include "io/udp_socket.h"

#include <cerrno>
#include <cstring>

namespace signalbox::io {

namespace {

template <class T>
T value_of(const cmsghdr& control) {
    T value{};
    std::memcpy(&value, CMSG_DATA(&control), sizeof(value));
    return value;
}

/// What the system says about a datagram: the address that it was sent to (of a wildcard socket
/// only), when it came, and what was lost before it.
void read_control(const msghdr& header, bool is_wildcard, Datagram& out) {
    for (cmsghdr* control = CMSG_FIRSTHDR(&header); control != nullptr;
         control = CMSG_NXTHDR(const_cast<msghdr*>(&header), control)) {
        const int level = control->cmsg_level;
        const int type = control->cmsg_type;
        if (level == SOL_SOCKET && type == SCM_TIMESTAMPNS) {
            const auto time = value_of<timespec>(*control);
            out.stamped = WallTime(std::chrono::seconds(time.tv_sec) +
                                   std::chrono::floor<std::chrono::microseconds>(
                                       std::chrono::nanoseconds(time.tv_nsec)));
        } else if (level == SOL_SOCKET && type == SO_RXQ_OVFL) {
            out.lost = value_of<uint32_t>(*control);
        } else if (is_wildcard && level == IPPROTO_IP && type == IP_PKTINFO) {
            out.local.address = from_in_addr(value_of<in_pktinfo>(*control).ipi_spec_dst);
        } else if (is_wildcard && level == IPPROTO_IPV6 && type == IPV6_PKTINFO) {
            out.local.address = from_in6_addr(value_of<in6_pktinfo>(*control).ipi6_addr);
        }
    }
}

/// How many datagrams share what the system says beside one of them, which costs it a copy. The
/// address that a datagram was sent to is its own; when it came may be said of the first of eight:
/// its wait is the longest.
size_t control_stride(const UdpSocket& socket) {
    return socket.is_wildcard() ? 1 : 8;
}

}  // namespace

UdpSocket::UdpSocket(FileDescriptor socket, const Endpoint& bound)
    : socket_(std::move(socket)),
      bound_(bound),
      is_wildcard_(bound.address.is_unspecified()),
      queue_(std::make_unique<Queue>()) {
    for (size_t i = 0; i < kDatagramBatch; ++i) {
        msghdr& header = queue_->messages[i].msg_hdr;
        header.msg_iov = &queue_->spans[i];
        header.msg_iovlen = 1;
        header.msg_name = &queue_->remotes[i];
    }
}

void UdpSocket::set_source(const IpAddress& local, size_t index) {
    msghdr& header = queue_->messages[index].msg_hdr;
    header.msg_control = nullptr;
    header.msg_controllen = 0;
    if (!is_wildcard_ || local.is_unspecified() || local.family != bound_.address.family) return;

    Control& control = queue_->controls[index];
    control = {};
    auto* head = reinterpret_cast<cmsghdr*>(control.octets.data());
    if (local.family == Family::V4) {
        in_pktinfo info{};
        info.ipi_spec_dst = to_in_addr(local);
        head->cmsg_level = IPPROTO_IP;
        head->cmsg_type = IP_PKTINFO;
        head->cmsg_len = CMSG_LEN(sizeof(info));
        std::memcpy(CMSG_DATA(head), &info, sizeof(info));
        header.msg_controllen = CMSG_SPACE(sizeof(info));
    } else {
        in6_pktinfo info{};
        info.ipi6_addr = to_in6_addr(local);
        head->cmsg_level = IPPROTO_IPV6;
        head->cmsg_type = IPV6_PKTINFO;
        head->cmsg_len = CMSG_LEN(sizeof(info));
        std::memcpy(CMSG_DATA(head), &info, sizeof(info));
        header.msg_controllen = CMSG_SPACE(sizeof(info));
    }
    header.msg_control = control.octets.data();
}

void UdpSocket::send(const Endpoint& local, const Endpoint& remote, std::string_view bytes,
                     uint64_t owner, Counters& counters, std::vector<uint64_t>& failed) {
    if (queued_ == kDatagramBatch) flush(counters, failed);
    if (remote.address.family != bound_.address.family || remote.port == 0) {
        counters.add(Counter::tx_failed_total);
        if (owner != 0) failed.push_back(owner);
        return;
    }
    const size_t index = queued_++;
    queue_->messages[index].msg_hdr.msg_namelen = to_socket_address(remote, queue_->remotes[index]);
    queue_->spans[index] = {const_cast<char*>(bytes.data()), bytes.size()};
    queue_->owners[index] = owner;
    set_source(local.address, index);
}

void UdpSocket::flush(Counters& counters, std::vector<uint64_t>& failed) {
    size_t first = 0;
    while (first < queued_) {
        const int sent =
            ::sendmmsg(socket_.get(), &queue_->messages[first],
                       static_cast<unsigned>(queued_ - first), MSG_DONTWAIT | MSG_NOSIGNAL);
        if (sent > 0) {
            counters.add(Counter::tx_packets_total, static_cast<uint64_t>(sent));
            first += static_cast<size_t>(sent);
            continue;
        }
        const int error = errno;
        if (error == EINTR) continue;
        if (error == EAGAIN || error == EWOULDBLOCK) {
            // Like a datagram lost on the way: retransmission is for that.
            counters.add(Counter::tx_failed_total, queued_ - first);
            break;
        }
        counters.add(Counter::tx_failed_total);
        // No route, no permission, too large: no retransmission will help, so its owner learns of
        // it (RFC 3261 §18.4).
        if (error != ENOBUFS && error != ENOMEM && queue_->owners[first] != 0) {
            failed.push_back(queue_->owners[first]);
        }
        ++first;
    }
    queued_ = 0;
}

UdpReceiver::UdpReceiver()
    : buffers_(std::make_unique_for_overwrite<char[]>(kStrideBytes * kDatagramBatch)),
      used_(kDatagramBatch) {
    for (size_t i = 0; i < kDatagramBatch; ++i) {
        spans_[i] = {buffers_.get() + i * kStrideBytes, kBufferBytes};
        messages_[i].msg_hdr.msg_iov = &spans_[i];
        messages_[i].msg_hdr.msg_iovlen = 1;
        messages_[i].msg_hdr.msg_name = &remotes_[i];
    }
}

size_t UdpReceiver::receive(const UdpSocket& socket, size_t count_max) {
    for (size_t i = 0; i < used_; ++i) messages_[i].msg_hdr.msg_namelen = sizeof(SocketAddress);
    offer_controls(control_stride(socket));
    const int received = ::recvmmsg(socket.fd(), messages_.data(), static_cast<unsigned>(count_max),
                                    MSG_DONTWAIT, nullptr);
    // An error here is a full stop for this turn only: EAGAIN, or an ICMP message that concerns
    // another datagram.
    used_ = received > 0 ? static_cast<size_t>(received) : 0;
    return used_;
}

void UdpReceiver::offer_controls(size_t stride) {
    if (stride != stride_) {
        for (mmsghdr& message : messages_) {
            message.msg_hdr.msg_control = nullptr;
            message.msg_hdr.msg_controllen = 0;
        }
    }
    stride_ = stride;
    for (size_t i = 0; i < kDatagramBatch; i += stride) {
        messages_[i].msg_hdr.msg_control = controls_[i].octets.data();
        messages_[i].msg_hdr.msg_controllen = sizeof(controls_[i].octets);
    }
}

Datagram UdpReceiver::datagram(const UdpSocket& socket, size_t index) const {
    const msghdr& header = messages_[index].msg_hdr;
    if ((header.msg_flags & MSG_TRUNC) != 0) return {};
    Datagram out{socket.bound(),
                 from_socket_address(remotes_[index]),
                 std::string_view(buffers_.get() + index * kStrideBytes, messages_[index].msg_len),
                 {},
                 0};
    const size_t told = index - index % control_stride(socket);
    read_control(messages_[told].msg_hdr, socket.is_wildcard(), out);
    return out;
}

}  // namespace signalbox::io
