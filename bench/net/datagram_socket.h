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

#include "net/link.h"

namespace bench {

inline constexpr std::size_t kBatchSize = 64;
inline constexpr std::size_t kDatagramBytesMax = 4096;

/// Reads "192.0.2.1:5060"; nothing when it is not an IPv4 address with a port.
std::optional<sockaddr_in> parse_address(std::string_view text);

/// One non-blocking socket with its receive and send batch. Received bytes stay valid until the
/// next receive().
class DatagramSocket final : public Link {
 public:
    /// Opens and binds `local`, which `local_text` names. Throws std::system_error when the address
    /// cannot be had.
    DatagramSocket(const sockaddr_in& local, std::string local_text, const sockaddr_in& server);
    ~DatagramSocket() override;

    int descriptor() const override { return descriptor_; }

    /// Takes at most kBatchSize datagrams. One longer than kDatagramBytesMax lost its end: Broken.
    std::size_t receive() override;
    Received received(std::size_t index) const override;

    Peer to_server(std::uint32_t) const override { return {server_, 0}; }
    std::string_view local(std::uint32_t) const override { return local_text_; }

    /// A full batch is sent at once, the rest by flush().
    void send(std::string_view bytes, const Peer& to) override;
    void flush() override;

 private:
    struct Batch {
        std::array<std::array<char, kDatagramBytesMax>, kBatchSize> bytes;
        std::array<iovec, kBatchSize> vectors;
        std::array<mmsghdr, kBatchSize> headers;
        std::array<sockaddr_in, kBatchSize> addresses;
    };

    int descriptor_ = -1;
    std::string local_text_;
    sockaddr_in server_;
    std::unique_ptr<Batch> in_;
    std::unique_ptr<Batch> out_;
    std::size_t queued_ = 0;
};

}  // namespace bench
