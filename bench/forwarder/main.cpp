// The floor of the benchmark: a forwarder that parses nothing and swaps datagrams between two fixed
// addresses.
//
// Usage: signalbox-forwarder LISTEN-PORT PORT-A PORT-B, all on 127.0.0.1. What A sends goes to B,
// what anyone else sends goes to A. One thread, recvmmsg and sendmmsg of 64: what remains is the
// kernel's price of the datagrams.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>

namespace {

constexpr unsigned kBatchSize = 64;
constexpr std::size_t kDatagramBytesMax = 4096;

struct Batch {
    std::array<std::array<char, kDatagramBytesMax>, kBatchSize> bytes;
    std::array<iovec, kBatchSize> vectors;
    std::array<mmsghdr, kBatchSize> headers;
    std::array<sockaddr_in, kBatchSize> addresses;
};

/// A loopback address with the port written in `text`; ends the program when it is no port.
sockaddr_in loopback(const char* text) {
    const long port = std::strtol(text, nullptr, 10);
    if (port < 1 || port > 65535) {
        std::fprintf(stderr, "signalbox-forwarder: %s is not a port.\n", text);
        std::exit(2);
    }
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    return address;
}

int open_socket(const sockaddr_in& local) {
    const int descriptor = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    const int bytes = 4 * 1024 * 1024;
    setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes);
    setsockopt(descriptor, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof bytes);
    if (bind(descriptor, reinterpret_cast<const sockaddr*>(&local), sizeof local) != 0) {
        std::perror("signalbox-forwarder: bind");
        std::exit(2);
    }
    return descriptor;
}

void prepare(Batch& batch) {
    for (unsigned i = 0; i < kBatchSize; ++i) {
        batch.vectors[i].iov_base = batch.bytes[i].data();
        batch.headers[i] = {};
        batch.headers[i].msg_hdr.msg_iov = &batch.vectors[i];
        batch.headers[i].msg_hdr.msg_iovlen = 1;
        batch.headers[i].msg_hdr.msg_name = &batch.addresses[i];
        batch.vectors[i].iov_len = kDatagramBytesMax;
        batch.headers[i].msg_hdr.msg_namelen = sizeof(sockaddr_in);
    }
}

/// Receives one batch and sends it on from the same buffers.
void forward_batch(int descriptor, Batch& batch, const sockaddr_in& a, const sockaddr_in& b) {
    const int received =
        recvmmsg(descriptor, batch.headers.data(), kBatchSize, MSG_WAITFORONE, nullptr);
    const unsigned count = received > 0 ? static_cast<unsigned>(received) : 0;
    for (unsigned i = 0; i < count; ++i) {
        batch.vectors[i].iov_len = batch.headers[i].msg_len;
        batch.addresses[i] = batch.addresses[i].sin_port == a.sin_port ? b : a;
    }
    unsigned sent = 0;
    while (sent < count) {
        const int done = sendmmsg(descriptor, batch.headers.data() + sent, count - sent, 0);
        if (done > 0) {
            sent += static_cast<unsigned>(done);
        } else if (errno != EINTR && errno != ECONNREFUSED) {
            std::perror("signalbox-forwarder: sendmmsg");
            std::exit(1);
        }
    }
    for (unsigned i = 0; i < count; ++i) batch.vectors[i].iov_len = kDatagramBytesMax;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 4) {
        std::fprintf(stderr, "Usage: signalbox-forwarder LISTEN-PORT PORT-A PORT-B\n");
        return 2;
    }
    const sockaddr_in a = loopback(argv[2]);
    const sockaddr_in b = loopback(argv[3]);
    const int descriptor = open_socket(loopback(argv[1]));
    const auto batch = std::make_unique<Batch>();
    prepare(*batch);
    for (;;) forward_batch(descriptor, *batch, a, b);
}
