// A UDP socket over IPv4 that receives and sends in batches of 64 datagrams.
#include "net/datagram_socket.h"

#include <arpa/inet.h>
#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstring>
#include <stdexcept>
#include <system_error>
#include <utility>

namespace bench {
namespace {

constexpr int kBufferBytes = 8 * 1024 * 1024;

/// Asks for a large buffer: with the privilege beyond net.core.rmem_max, else as much as that
/// allows.
void enlarge(int descriptor, int forced, int plain) {
    const int bytes = kBufferBytes;
    if (setsockopt(descriptor, SOL_SOCKET, forced, &bytes, sizeof bytes) != 0) {
        setsockopt(descriptor, SOL_SOCKET, plain, &bytes, sizeof bytes);
    }
}

}  // namespace

std::optional<sockaddr_in> parse_address(std::string_view text) {
    const std::size_t colon = text.rfind(':');
    if (colon == std::string_view::npos) return std::nullopt;
    const std::string host(text.substr(0, colon));
    const std::string_view port_text = text.substr(colon + 1);
    std::uint16_t port = 0;
    const auto [end, error] =
        std::from_chars(port_text.data(), port_text.data() + port_text.size(), port);
    if (error != std::errc{} || end != port_text.data() + port_text.size() || port == 0) {
        return std::nullopt;
    }
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    if (inet_pton(AF_INET, host.c_str(), &address.sin_addr) != 1) return std::nullopt;
    return address;
}

DatagramSocket::DatagramSocket(const sockaddr_in& local, std::string local_text,
                               const sockaddr_in& server)
    : local_text_(std::move(local_text)),
      server_(server),
      in_(std::make_unique<Batch>()),
      out_(std::make_unique<Batch>()) {
    descriptor_ = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (descriptor_ < 0) throw std::system_error(errno, std::generic_category(), "socket");
    enlarge(descriptor_, SO_RCVBUFFORCE, SO_RCVBUF);
    enlarge(descriptor_, SO_SNDBUFFORCE, SO_SNDBUF);
    if (bind(descriptor_, reinterpret_cast<const sockaddr*>(&local), sizeof local) != 0) {
        const int why = errno;
        close(descriptor_);
        throw std::system_error(why, std::generic_category(), "cannot bind an address of the load");
    }
    for (Batch* batch : {in_.get(), out_.get()}) {
        for (std::size_t i = 0; i < kBatchSize; ++i) {
            batch->vectors[i] = {batch->bytes[i].data(), kDatagramBytesMax};
            batch->headers[i] = {};
            batch->headers[i].msg_hdr.msg_iov = &batch->vectors[i];
            batch->headers[i].msg_hdr.msg_iovlen = 1;
            batch->headers[i].msg_hdr.msg_name = &batch->addresses[i];
            batch->headers[i].msg_hdr.msg_namelen = sizeof(sockaddr_in);
        }
    }
}

DatagramSocket::~DatagramSocket() {
    close(descriptor_);
}

std::size_t DatagramSocket::receive() {
    const int count = recvmmsg(descriptor_, in_->headers.data(), kBatchSize, MSG_DONTWAIT, nullptr);
    // An ICMP error of an earlier send surfaces here; the timers of the load answer it.
    return count > 0 ? static_cast<std::size_t>(count) : 0;
}

Received DatagramSocket::received(std::size_t index) const {
    const mmsghdr& header = in_->headers[index];
    const bool is_whole = (header.msg_hdr.msg_flags & MSG_TRUNC) == 0;
    return {is_whole ? Arrival::Message : Arrival::Broken,
            {in_->bytes[index].data(), header.msg_len},
            {in_->addresses[index], 0}};
}

void DatagramSocket::send(std::string_view bytes, const Peer& to) {
    if (bytes.size() > kDatagramBytesMax) {
        throw std::length_error("a message of the load exceeds the datagram limit");
    }
    std::memcpy(out_->bytes[queued_].data(), bytes.data(), bytes.size());
    out_->vectors[queued_].iov_len = bytes.size();
    out_->addresses[queued_] = to.address;
    if (++queued_ == kBatchSize) flush();
}

void DatagramSocket::flush() {
    std::size_t sent = 0;
    while (sent < queued_) {
        const int count = sendmmsg(descriptor_, out_->headers.data() + sent,
                                   static_cast<unsigned>(queued_ - sent), 0);
        if (count > 0) {
            sent += static_cast<std::size_t>(count);
        } else if (errno == EAGAIN || errno == ENOBUFS) {
            pollfd writable{descriptor_, POLLOUT, 0};
            poll(&writable, 1, 10);
        } else if (errno != EINTR && errno != ECONNREFUSED) {
            throw std::system_error(errno, std::generic_category(), "sendmmsg");
        }
    }
    queued_ = 0;
}

}  // namespace bench
