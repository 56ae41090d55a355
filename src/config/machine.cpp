// What the machine says of itself: its addresses, its name, whether it speaks IPv6.
#include "config/machine.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <optional>

#include "base/text.h"

namespace signalbox::config {

namespace {

std::optional<IpAddress> address_of(const sockaddr* address) {
    if (address == nullptr) return std::nullopt;
    if (address->sa_family == AF_INET) {
        sockaddr_in v4{};
        std::memcpy(&v4, address, sizeof(v4));
        std::array<uint8_t, 4> octets{};
        std::memcpy(octets.data(), &v4.sin_addr, octets.size());
        return IpAddress::v4(octets[0], octets[1], octets[2], octets[3]);
    }
    if (address->sa_family == AF_INET6) {
        sockaddr_in6 v6{};
        std::memcpy(&v6, address, sizeof(v6));
        std::array<uint8_t, 16> octets{};
        std::memcpy(octets.data(), &v6.sin6_addr, octets.size());
        return IpAddress::v6(octets);
    }
    return std::nullopt;
}

}  // namespace

std::vector<IpAddress> own_addresses() {
    std::vector<IpAddress> addresses;
    ifaddrs* list = nullptr;
    if (::getifaddrs(&list) != 0) return addresses;
    for (const ifaddrs* entry = list; entry != nullptr; entry = entry->ifa_next) {
        if ((entry->ifa_flags & IFF_UP) == 0) continue;
        const auto address = address_of(entry->ifa_addr);
        if (address) addresses.push_back(*address);
    }
    ::freeifaddrs(list);
    std::sort(addresses.begin(), addresses.end(), [](const IpAddress& a, const IpAddress& b) {
        return a.family != b.family ? a.family < b.family : a < b;
    });
    addresses.erase(std::unique(addresses.begin(), addresses.end()), addresses.end());
    return addresses;
}

std::string host_name() {
    std::array<char, 256> name{};
    if (::gethostname(name.data(), name.size() - 1) != 0 || name[0] == '\0') return "localhost";
    return text::to_lower(name.data());
}

bool has_ipv6() {
    const int descriptor = ::socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (descriptor < 0) return false;
    sockaddr_in6 any{};
    any.sin6_family = AF_INET6;
    any.sin6_addr = in6addr_loopback;
    const bool is_bound =
        ::bind(descriptor, reinterpret_cast<const sockaddr*>(&any), sizeof(any)) == 0;
    ::close(descriptor);
    return is_bound;
}

}  // namespace signalbox::config
