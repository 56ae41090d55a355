// Which process holds a port, for the message that says why a start failed.
#include "node/port_holder.h"

#include <pwd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <optional>
#include <vector>

#include "base/text.h"

namespace signalbox::node {

namespace {

constexpr std::string_view kListening = "0A";  // TCP_LISTEN in /proc/net/tcp
constexpr std::string_view kNobodyKnown = "another program";

std::optional<uint64_t> from_hex_number(std::string_view text) {
    uint64_t value = 0;
    if (text.empty() || text.size() > 16) return std::nullopt;
    for (const char c : text) {
        const int digit = text::hex_digit(c);
        if (digit < 0) return std::nullopt;
        value = value * 16 + static_cast<uint64_t>(digit);
    }
    return value;
}

/// "0100007F:13C4": 32-bit words in the machine's order, as the kernel prints them.
std::optional<Endpoint> parse_kernel_endpoint(std::string_view text) {
    const size_t colon = text.find(':');
    if (colon != 8 && colon != 32) return std::nullopt;
    std::array<uint8_t, 16> octets{};
    for (size_t word = 0; word < colon / 8; ++word) {
        const auto value = from_hex_number(text.substr(word * 8, 8));
        if (!value) return std::nullopt;
        const auto narrow = static_cast<uint32_t>(*value);
        std::memcpy(octets.data() + word * 4, &narrow, sizeof(narrow));
    }
    const auto port = from_hex_number(text.substr(colon + 1));
    if (!port || *port > 65535) return std::nullopt;
    const IpAddress address = colon == 8 ? IpAddress::v4(octets[0], octets[1], octets[2], octets[3])
                                         : IpAddress::v6(octets);
    return Endpoint{address, static_cast<uint16_t>(*port)};
}

std::vector<std::string_view> words_of(std::string_view line) {
    std::vector<std::string_view> words;
    while (!(line = text::trim(line)).empty()) {
        const size_t end = std::min(line.find(' '), line.size());
        words.push_back(line.substr(0, end));
        line.remove_prefix(end);
    }
    return words;
}

/// Sockets as the file system names them, and who has opened the first of them.
struct SocketsInTheWay {
    std::vector<std::string> links;
    uint32_t user = 0;
};

SocketsInTheWay sockets_in_the_way(transport::Transport transport, const Endpoint& wanted) {
    SocketsInTheWay found;
    const std::string name = transport == transport::Transport::Udp ? "udp" : "tcp";
    for (const std::string& file : {name, name + "6"}) {
        std::ifstream lines("/proc/net/" + file);
        for (std::string line; std::getline(lines, line);) {
            ProcSocket socket;
            if (!parse_proc_socket(line, transport, socket)) continue;
            if (!socket.is_listening || !is_conflicting(socket.local, wanted)) continue;
            if (found.links.empty()) found.user = socket.user;
            found.links.push_back("socket:[" + std::to_string(socket.inode) + "]");
        }
    }
    return found;
}

std::string program_of(uint32_t user) {
    std::array<char, 1024> room;
    passwd entry{};
    passwd* known = nullptr;
    const bool is_known =
        ::getpwuid_r(user, &entry, room.data(), room.size(), &known) == 0 && known != nullptr;
    return "a program of the user " + (is_known ? entry.pw_name : std::to_string(user));
}

bool holds_any(const std::filesystem::path& process, const std::vector<std::string>& links) {
    std::error_code error;
    for (std::filesystem::directory_iterator file(process / "fd", error), end;
         !error && file != end; file.increment(error)) {
        std::error_code unreadable;
        const std::string target = std::filesystem::read_symlink(file->path(), unreadable).string();
        if (std::find(links.begin(), links.end(), target) != links.end()) return true;
    }
    return false;
}

}  // namespace

bool parse_proc_socket(std::string_view line, transport::Transport transport, ProcSocket& out) {
    const std::vector<std::string_view> words = words_of(line);
    if (words.size() < 10) return false;
    const auto local = parse_kernel_endpoint(words[1]);
    const auto user = text::to_u32(words[7]);
    const auto inode = text::to_u64(words[9]);
    if (!local || !user || !inode) return false;
    out.local = *local;
    out.is_listening = transport == transport::Transport::Udp || words[3] == kListening;
    out.inode = *inode;
    out.user = *user;
    return true;
}

bool is_conflicting(const Endpoint& held, const Endpoint& wanted) {
    if (held.port != wanted.port) return false;
    return held.address == wanted.address || held.address.is_unspecified() ||
           wanted.address.is_unspecified();
}

std::string port_holder(transport::Transport transport, const Endpoint& endpoint) {
    const SocketsInTheWay sockets = sockets_in_the_way(transport, endpoint);
    if (sockets.links.empty()) return std::string(kNobodyKnown);
    std::error_code error;
    for (std::filesystem::directory_iterator process("/proc", error), end; !error && process != end;
         process.increment(error)) {
        const std::string pid = process->path().filename().string();
        if (!text::to_u32(pid) || !holds_any(process->path(), sockets.links)) continue;
        std::string name;
        std::ifstream comm(process->path() / "comm");
        std::getline(comm, name);
        return (name.empty() ? "a program" : name) + " (pid " + pid + ")";
    }
    return program_of(sockets.user);
}

std::string listen_failure(transport::Transport transport, const Endpoint& endpoint, int error) {
    const std::string what =
        std::string(transport::transport_name(transport)) + " " + endpoint.to_string();
    switch (error) {
        case EADDRINUSE:
            return what + " is in use by " + port_holder(transport, endpoint) +
                   ". Stop it or choose another address under [[listen]].";
        case EADDRNOTAVAIL:
            return what +
                   " cannot be opened: no interface of this machine has that address. "
                   "Correct it under [[listen]].";
        case EACCES:
            return what +
                   " cannot be opened: ports below 1024 need more rights. Choose another port "
                   "under [[listen]].";
        case EAFNOSUPPORT:
            return what +
                   " cannot be opened: this machine does not speak IPv6. Remove it under "
                   "[[listen]].";
        default:
            return what + " cannot be opened: " + std::strerror(error) + ".";
    }
}

}  // namespace signalbox::node
