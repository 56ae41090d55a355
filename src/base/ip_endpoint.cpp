// Reading and writing of IP addresses, endpoints and networks.
// Implements: RFC 3261 §25.1; RFC 4291 §2.2; RFC 5952 §4; RFC 5952 §6
#include "base/ip_endpoint.h"

#include <algorithm>
#include <charconv>

#include "base/check.h"
#include "base/text.h"

namespace signalbox {

namespace {

constexpr size_t kHostBytesMax = 48;
constexpr size_t kGroups = 8;
constexpr std::array<uint8_t, 12> kMappedPrefix = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

/// A decimal number of 1 to `digits_max` digits without leading zeros.
std::optional<uint32_t> parse_decimal(std::string_view text, size_t digits_max, uint32_t max) {
    if (text.empty() || text.size() > digits_max) return std::nullopt;
    if (text.size() > 1 && text.front() == '0') return std::nullopt;
    const auto value = text::to_u32(text);
    if (!value || *value > max) return std::nullopt;
    return value;
}

/// Four numbers up to 255 without leading zeros. Every host in every message comes by here.
bool parse_v4(std::string_view text, uint8_t* out) {
    constexpr size_t kLongest = 15;
    if (text.size() > kLongest) return false;
    const char* at = text.data();
    const char* const end = at + text.size();
    const auto digit_at = [end](const char* place) {
        return place == end ? uint32_t{10} : static_cast<uint8_t>(*place) - uint32_t{'0'};
    };
    for (int i = 0; i < 4; ++i) {
        if (i > 0 && (at == end || *at++ != '.')) return false;
        uint32_t value = digit_at(at);
        if (value > 9) return false;
        // Behind a zero nothing is taken, and then no dot is found.
        for (++at; value != 0 && digit_at(at) <= 9; ++at) {
            value = value * 10 + digit_at(at);
            if (value > 255) return false;
        }
        *out++ = static_cast<uint8_t>(value);
    }
    return at == end;
}

bool parse_group(std::string_view text, uint8_t* out) {
    if (text.empty() || text.size() > 4) return false;
    uint32_t value = 0;
    for (const char c : text) {
        const int digit = text::hex_digit(c);
        if (digit < 0) return false;
        value = value * 16 + static_cast<uint32_t>(digit);
    }
    out[0] = static_cast<uint8_t>(value >> 8);
    out[1] = static_cast<uint8_t>(value & 0xff);
    return true;
}

/// Groups between single colons, the last of which may be an IPv4 address where `v4_allowed`.
/// Returns the octets written, at most `room`.
std::optional<size_t> parse_groups(std::string_view text, uint8_t* out, size_t room,
                                   bool v4_allowed) {
    size_t written = 0;
    while (true) {
        const size_t colon = text.find(':');
        const std::string_view group = text.substr(0, colon);
        const bool is_last = colon == std::string_view::npos;
        if (is_last && v4_allowed && group.find('.') != std::string_view::npos) {
            if (room - written < 4 || !parse_v4(group, out + written)) return std::nullopt;
            return written + 4;
        }
        if (room - written < 2 || !parse_group(group, out + written)) return std::nullopt;
        written += 2;
        if (is_last) return written;
        text.remove_prefix(colon + 1);
    }
}

bool parse_v6(std::string_view text, std::array<uint8_t, 16>& out) {
    const size_t gap = text.find("::");
    if (gap == std::string_view::npos) {
        const auto size = parse_groups(text, out.data(), out.size(), true);
        return size == out.size();
    }
    const std::string_view before = text.substr(0, gap);
    const std::string_view after = text.substr(gap + 2);
    size_t head = 0;
    if (!before.empty()) {
        const auto size = parse_groups(before, out.data(), out.size() - 2, false);
        if (!size) return false;
        head = *size;
    }
    if (after.empty()) return true;
    std::array<uint8_t, 16> tail{};
    const auto size = parse_groups(after, tail.data(), out.size() - 2 - head, true);
    if (!size) return false;
    std::copy_n(tail.data(), *size, out.data() + out.size() - *size);
    return true;
}

char* write_decimal(uint32_t value, char* out) {
    return std::to_chars(out, out + 10, value).ptr;
}

char* write_v4(const IpAddress& address, char* out) {
    for (size_t i = 0; i < 4; ++i) {
        if (i > 0) *out++ = '.';
        out = write_decimal(address.octets[i], out);
    }
    return out;
}

/// The first of the longest runs of at least two zero groups, as [begin, end).
struct ZeroRun {
    size_t begin = kGroups;
    size_t end = kGroups;
};

ZeroRun longest_zero_run(const std::array<uint32_t, kGroups>& groups) {
    ZeroRun best;
    size_t best_length = 1;
    for (size_t i = 0; i < kGroups; ++i) {
        size_t end = i;
        while (end < kGroups && groups[end] == 0) ++end;
        if (end - i > best_length) {
            best = {i, end};
            best_length = end - i;
        }
        if (end > i) i = end - 1;
    }
    return best;
}

char* write_v6(const IpAddress& address, char* out) {
    std::array<uint32_t, kGroups> groups{};
    for (size_t i = 0; i < kGroups; ++i) {
        groups[i] = (uint32_t{address.octets[2 * i]} << 8) | address.octets[2 * i + 1];
    }
    const ZeroRun run = longest_zero_run(groups);
    for (size_t i = 0; i < kGroups; ++i) {
        if (i == run.begin) {
            *out++ = ':';
            *out++ = ':';
            i = run.end - 1;
            continue;
        }
        if (i > 0 && i != run.end) *out++ = ':';
        out = std::to_chars(out, out + 4, groups[i], 16).ptr;
    }
    return out;
}

char* write_address(const IpAddress& address, char* out) {
    switch (address.family) {
        case Family::None:
            return out;
        case Family::V4:
            return write_v4(address, out);
        case Family::V6:
            return write_v6(address, out);
    }
    return out;
}

}  // namespace

IpAddress IpAddress::v6(const std::array<uint8_t, 16>& octets) {
    if (!std::equal(kMappedPrefix.begin(), kMappedPrefix.end(), octets.begin())) {
        return IpAddress{octets, Family::V6};
    }
    return v4(octets[12], octets[13], octets[14], octets[15]);
}

std::optional<IpAddress> IpAddress::parse(std::string_view text) {
    const bool is_bracketed = !text.empty() && text.front() == '[';
    if (is_bracketed) {
        if (text.size() < 2 || text.back() != ']') return std::nullopt;
        text = text.substr(1, text.size() - 2);
    }
    IpAddress address;
    if (!is_bracketed && parse_v4(text, address.octets.data())) {
        address.family = Family::V4;
        return address;
    }
    std::array<uint8_t, 16> octets{};
    if (text.find(':') == std::string_view::npos || !parse_v6(text, octets)) return std::nullopt;
    return v6(octets);
}

std::string IpAddress::to_string() const {
    char buffer[kHostBytesMax];
    return {buffer, write_address(*this, buffer)};
}

std::string IpAddress::to_host() const {
    char buffer[kHostBytesMax];
    return {buffer, write_host(*this, buffer)};
}

bool IpAddress::is_loopback() const {
    if (family == Family::V4) return octets[0] == 127;
    constexpr std::array<uint8_t, 16> kLoopback = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};
    return family == Family::V6 && octets == kLoopback;
}

std::optional<Endpoint> Endpoint::parse(std::string_view text) {
    const size_t colon = text.rfind(':');
    if (colon == std::string_view::npos) return std::nullopt;
    const std::string_view host = text.substr(0, colon);
    // Without brackets the last group of an IPv6 address would read as a port.
    if (host.find(':') != std::string_view::npos && host.front() != '[') return std::nullopt;
    const auto address = IpAddress::parse(host);
    const auto port = parse_decimal(text.substr(colon + 1), 5, 65535);
    if (!address || !port) return std::nullopt;
    return Endpoint{*address, static_cast<uint16_t>(*port)};
}

std::string Endpoint::to_string() const {
    std::string out = address.to_host();
    out.push_back(':');
    text::append_number(out, port);
    return out;
}

std::optional<Network> Network::parse(std::string_view text) {
    const size_t slash = text.find('/');
    const std::string_view host = text.substr(0, slash);
    const auto address = IpAddress::parse(host);
    if (!address) return std::nullopt;
    const bool is_v4 = address->family == Family::V4;
    const uint32_t full = is_v4 ? 32 : 128;
    Network network{*address, static_cast<uint8_t>(full)};
    if (slash == std::string_view::npos) return network;

    // A mapped address is held as IPv4, so its prefix loses the 96 bits in front.
    const uint32_t dropped = is_v4 && host.find(':') != std::string_view::npos ? 96 : 0;
    const auto prefix = parse_decimal(text.substr(slash + 1), 3, full + dropped);
    if (!prefix || *prefix < dropped) return std::nullopt;
    network.prefix = static_cast<uint8_t>(*prefix - dropped);
    for (uint32_t bit = network.prefix; bit < full; ++bit) {
        if ((address->octets[bit / 8] >> (7 - bit % 8) & 1) != 0) return std::nullopt;
    }
    return network;
}

bool Network::contains(const IpAddress& candidate) const {
    if (candidate.family != address.family || address.family == Family::None) return false;
    const size_t whole = prefix / 8;
    const int rest = prefix % 8;
    DCHECK(prefix <= (address.family == Family::V4 ? 32 : 128));
    if (!std::equal(address.octets.begin(), address.octets.begin() + whole,
                    candidate.octets.begin())) {
        return false;
    }
    if (rest == 0) return true;
    return (address.octets[whole] ^ candidate.octets[whole]) >> (8 - rest) == 0;
}

std::string Network::to_string() const {
    std::string out = address.to_string();
    out.push_back('/');
    text::append_number(out, prefix);
    return out;
}

size_t write_host(const IpAddress& address, char* out) {
    char* end = out;
    if (address.family == Family::V6) *end++ = '[';
    end = write_address(address, end);
    if (address.family == Family::V6) *end++ = ']';
    return static_cast<size_t>(end - out);
}

}  // namespace signalbox
