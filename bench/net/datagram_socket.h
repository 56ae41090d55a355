// A UDP socket over IPv4 that receives and sends in batches of 64 datagrams.
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace bench {

inline constexpr std::size_t kBatchSize = 64;
inline constexpr std::size_t kDatagramBytesMax = 4096;

/// Reads "192.0.2.1:5060"; nothing when it is not an IPv4 address with a port.
std::optional<sockaddr_in> parse_address(std::string_view text);

/// One non-blocking socket with its receive and send batch. Received bytes stay valid until the
/// next receive().
class DatagramSocket final {
 public:
    /// Opens and binds. Throws std::system_error when the address cannot be had.
    explicit DatagramSocket(const sockaddr_in& local);
    ~DatagramSocket();
    DatagramSocket(const DatagramSocket&) = delete;
    DatagramSocket& operator=(const DatagramSocket&) = delete;

    int descriptor() const { return descriptor_; }

    /// Takes what waits, at most kBatchSize datagrams. Returns their number; 0 when nothing waits.
    std::size_t receive();
    std::string_view received(std::size_t index) const;
    const sockaddr_in& source(std::size_t index) const { return in_->addresses[index]; }
    /// True when the datagram was longer than kDatagramBytesMax and lost its end.
    bool is_truncated(std::size_t index) const;

    /// Queues a copy of `bytes`; a full batch is sent at once, the rest by flush().
    void send(std::string_view bytes, const sockaddr_in& to);
    void flush();

 private:
    struct Batch {
        std::array<std::array<char, kDatagramBytesMax>, kBatchSize> bytes;
        std::array<iovec, kBatchSize> vectors;
        std::array<mmsghdr, kBatchSize> headers;
        std::array<sockaddr_in, kBatchSize> addresses;
    };

    int descriptor_ = -1;
    std::unique_ptr<Batch> in_;
    std::unique_ptr<Batch> out_;
    std::size_t queued_ = 0;
};

}  // namespace bench
