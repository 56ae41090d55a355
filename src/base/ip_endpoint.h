// IPv4 and IPv6 addresses, networks and endpoints as values.
#pragma once

#include <array>
#include <bit>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace signalbox {

enum class Family : uint8_t { None, V4, V6 };

/// An address. IPv4-mapped IPv6 addresses are held as IPv4, so that one peer has one value.
struct IpAddress {
    std::array<uint8_t, 16> octets{};  // V4 uses the first four
    Family family = Family::None;

    static IpAddress v4(uint8_t a, uint8_t b, uint8_t c, uint8_t d) {
        return IpAddress{{a, b, c, d}, Family::V4};
    }
    /// From 16 octets in network order; an IPv4-mapped address becomes IPv4.
    static IpAddress v6(const std::array<uint8_t, 16>& octets);
    /// Parses "192.0.2.1", "2001:db8::1" or "[2001:db8::1]" (no zone). Nothing else: no host names,
    /// no octal.
    static std::optional<IpAddress> parse(std::string_view text);
    /// "192.0.2.1" or "2001:db8::1" (RFC 5952), without brackets.
    std::string to_string() const;
    /// As it stands in a SIP host: IPv6 in brackets.
    std::string to_host() const;
    bool is_unspecified() const { return family != Family::None && halves() == Halves{}; }
    bool is_loopback() const;
    friend bool operator==(const IpAddress& a, const IpAddress& b) {
        return a.family == b.family && a.halves() == b.halves();
    }
    friend auto operator<=>(const IpAddress&, const IpAddress&) = default;

 private:
    /// The octets as two words: compared without a call.
    struct Halves {
        uint64_t first = 0;
        uint64_t last = 0;
        bool operator==(const Halves&) const = default;
    };
    Halves halves() const { return std::bit_cast<Halves>(octets); }
};

struct Endpoint {
    IpAddress address;
    uint16_t port = 0;

    /// Parses "192.0.2.1:5060" or "[2001:db8::1]:5060". The port is required.
    static std::optional<Endpoint> parse(std::string_view text);
    /// "192.0.2.1:5060" or "[2001:db8::1]:5060".
    std::string to_string() const;
    friend bool operator==(const Endpoint&, const Endpoint&) = default;
    friend auto operator<=>(const Endpoint&, const Endpoint&) = default;
};

struct Network {
    IpAddress address;
    uint8_t prefix = 0;

    /// Parses "192.0.2.0/24", "2001:db8::/32" or a lone address (a full prefix). Bits behind the
    /// prefix must be 0.
    static std::optional<Network> parse(std::string_view text);
    bool contains(const IpAddress& candidate) const;
    std::string to_string() const;
    friend bool operator==(const Network&, const Network&) = default;
};

/// Writes `address` as it stands in a SIP host into `out` (at least 48 octets); returns the length.
/// For hot paths.
size_t write_host(const IpAddress& address, char* out);

}  // namespace signalbox
