// signalbox-peers: OPTIONS from many peers, over UDP or TCP, with as many header fields as one
// likes, to one server behind the proxy: what the number of peers or fields costs (bench/flat).
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace bench {
namespace {

constexpr const char* kHelp =
    R"(signalbox-peers TRANSPORT PORT CALLEE_PORT PEERS HEADERS WINDOW WARMUP SECONDS PID [USERS]

Keeps WINDOW requests outstanding, of one peer after the other, at the server on 127.0.0.1:PORT, and
prints what was completed in SECONDS, and the processor time of process PID meanwhile, as JSON. With USERS it registers u0, u1, ... once each
instead, and takes as long as that takes.
)";
constexpr std::uint32_t kCallee = UINT32_MAX;
constexpr std::uint64_t kGiveUpNs = 2'000'000'000;  // a request without an answer

std::uint64_t clock_ns() {
    timespec now{};
    clock_gettime(CLOCK_MONOTONIC, &now);
    return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000 +
           static_cast<std::uint64_t>(now.tv_nsec);
}

/// User and system time of the process, from the scheduler's own count in nanoseconds.
double processor_seconds(const std::string& pid) {
    double sum = 0;
    const std::string list = "cat /proc/" + pid + "/task/*/schedstat";
    std::FILE* const pipe = ::popen(list.c_str(), "r");
    unsigned long long ran = 0, waited = 0, slices = 0;
    while (std::fscanf(pipe, "%llu %llu %llu", &ran, &waited, &slices) == 3) {
        sum += static_cast<double>(ran) / 1e9;
    }
    ::pclose(pipe);
    return sum;
}

struct Settings {
    bool is_tcp = false;
    std::uint16_t port = 0;
    std::uint16_t callee_port = 0;
    std::uint32_t peers = 1;
    std::uint32_t headers = 0;
    std::uint32_t window = 64;
    std::uint32_t users = 0;  // to be registered; 0: peers ask for OPTIONS
};

sockaddr_in loopback(std::uint16_t port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(port);
    return address;
}

int open_socket(int type, const sockaddr_in& bound, const sockaddr_in* remote) {
    const int fd = ::socket(AF_INET, type | SOCK_CLOEXEC, 0);
    const int on = 1, size = 4 * 1024 * 1024;
    ::setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
    if (type == SOCK_STREAM) ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    const bool is_open =
        ::bind(fd, reinterpret_cast<const sockaddr*>(&bound), sizeof bound) == 0 &&
        (remote == nullptr ||
         ::connect(fd, reinterpret_cast<const sockaddr*>(remote), sizeof *remote) == 0);
    if (!is_open) {
        std::perror("signalbox-peers: socket");
        std::exit(2);
    }
    return fd;
}

/// All header fields of a name, as the proxy wrote them.
void append_lines(std::string_view message, std::string_view name, std::string& out) {
    const std::string begin = "\r\n" + std::string(name) + ":";
    for (std::size_t at = message.find(begin); at != std::string_view::npos;
         at = message.find(begin, at + 2)) {
        const std::size_t end = message.find("\r\n", at + 2);
        out.append(message.substr(at + 2, end - at));
    }
}

class Peers {
 public:
    explicit Peers(const Settings& settings)
        : settings_(settings), epoll_(::epoll_create1(EPOLL_CLOEXEC)) {
        const sockaddr_in server = loopback(settings.port);
        callee_ = open_socket(SOCK_DGRAM, loopback(settings.callee_port), &server);
        watch(callee_, kCallee);
        for (std::uint32_t i = 0; i < settings.peers; ++i) {
            const int type = settings.is_tcp ? SOCK_STREAM : SOCK_DGRAM;
            peers_.push_back(open_socket(type, loopback(0), &server));
            watch(peers_.back(), i);
        }
        for (std::uint32_t i = 0; i < settings.headers; ++i) {
            extra_ += "X-Extra-" + std::to_string(i) + ": some value of an ordinary length\r\n";
        }
        run_ = clock_ns() % 1'000'000'000;
    }

    /// Completed requests in so many seconds.
    std::uint64_t run(double seconds) {
        completed_ = 0;
        const std::uint64_t end_ns = clock_ns() + static_cast<std::uint64_t>(seconds * 1e9);
        while (outstanding_ < settings_.window && !is_all_asked()) ask();
        while (settings_.users != 0 ? completed_ + lost_ < settings_.users : clock_ns() < end_ns) {
            std::array<epoll_event, 64> events{};
            const int count = ::epoll_wait(epoll_, events.data(), events.size(), 100);
            for (int i = 0; i < count; ++i) {
                const std::uint32_t who = events[static_cast<std::size_t>(i)].data.u32;
                who == kCallee ? answer() : take(who);
            }
            if (count == 0) give_up();
        }
        return completed_;
    }
    std::uint64_t lost() const { return lost_; }

 private:
    void watch(int fd, std::uint32_t who) {
        epoll_event event{};
        event.events = EPOLLIN;
        event.data.u32 = who;
        ::epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event);
    }

    bool is_all_asked() const { return settings_.users != 0 && asked_ == settings_.users; }

    void ask() {
        if (is_all_asked()) return;
        next_ = (next_ + 1) % settings_.peers;
        ++outstanding_;
        ++asked_;
        const std::string number = std::to_string(run_) + "-" + std::to_string(asked_);
        const std::string to = "sip:peer@127.0.0.1:" + std::to_string(settings_.callee_port);
        const std::string via = settings_.is_tcp ? "TCP" : "UDP";
        if (settings_.users != 0) {
            const std::string user = "u" + std::to_string(asked_ - 1);
            const std::string identity = "<sip:" + user + "@example.test>";
            text_ = "REGISTER sip:example.test SIP/2.0\r\nVia: SIP/2.0/" + via +
                    " 127.0.0.1;rport;branch=z9hG4bK" + number +
                    "\r\nMax-Forwards: 70\r\nFrom: " + identity + ";tag=" + number +
                    "\r\nTo: " + identity + "\r\nCall-ID: registration-of-" + user +
                    "\r\nCSeq: 1 REGISTER\r\nContact: <sip:" + user +
                    "@192.0.2.20:5060>\r\nExpires: 3600\r\nContent-Length: 0\r\n\r\n";
            static_cast<void>(::send(peers_[next_], text_.data(), text_.size(), MSG_NOSIGNAL));
            return;
        }
        text_ = "OPTIONS " + to + " SIP/2.0\r\nVia: SIP/2.0/" + via +
                " 127.0.0.1;rport;branch=z9hG4bK" + number +
                "\r\nMax-Forwards: 70\r\nFrom: <sip:" + "caller@192.0.2.1>;tag=" + number +
                "\r\nTo: <" + to + ">\r\nCall-ID: " + number +
                "\r\nCSeq: 1 OPTIONS\r\nContact: <sip:caller@192.0.2.1>\r\n" + extra_ +
                "Content-Length: 0\r\n\r\n";
        static_cast<void>(::send(peers_[next_], text_.data(), text_.size(), MSG_NOSIGNAL));
    }

    void answer() {
        for (;;) {
            const ssize_t size = ::recv(callee_, buffer_.data(), buffer_.size(), MSG_DONTWAIT);
            if (size <= 0) return;
            const std::string_view request(buffer_.data(), static_cast<std::size_t>(size));
            text_ = "SIP/2.0 200 OK\r\n";
            for (const char* const name : {"Via", "From", "To", "Call-ID", "CSeq"}) {
                append_lines(request, name, text_);
            }
            text_ += "Content-Length: 0\r\n\r\n";
            static_cast<void>(::send(callee_, text_.data(), text_.size(), 0));
        }
    }

    void take(std::uint32_t who) {
        const ssize_t size = ::recv(peers_[who], buffer_.data(), buffer_.size(), MSG_DONTWAIT);
        if (size <= 0) return;
        heard_ns_ = clock_ns();
        // Over TCP several may come at once.
        constexpr std::string_view kBegin = "SIP/2.0 ";
        const std::string_view input(buffer_.data(), static_cast<std::size_t>(size));
        for (std::size_t at = input.find(kBegin); at != std::string_view::npos;
             at = input.find(kBegin, at + 1)) {
            const bool is_status = at == 0 || input[at - 1] == '\n';
            if (!is_status) continue;
            input.substr(at + kBegin.size(), 3) == "200" ? ++completed_ : ++lost_;
            if (outstanding_ > 0) --outstanding_;
            ask();
        }
    }

    void give_up() {
        if (clock_ns() - heard_ns_ < kGiveUpNs) return;
        lost_ += std::exchange(outstanding_, 0);
        heard_ns_ = clock_ns();
        while (outstanding_ < settings_.window && !is_all_asked()) ask();
    }

    Settings settings_;
    int epoll_ = -1;
    int callee_ = -1;
    std::vector<int> peers_;
    std::string extra_;
    std::string text_;
    std::array<char, 65536> buffer_{};
    std::uint64_t run_ = 0;  // tells this run from others
    std::uint64_t heard_ns_ = clock_ns();
    std::uint64_t asked_ = 0;
    std::uint64_t completed_ = 0;
    std::uint64_t lost_ = 0;
    std::uint32_t outstanding_ = 0;
    std::uint32_t next_ = 0;
};

int run(int count, char** arguments) {
    Settings settings;
    settings.is_tcp = std::strcmp(arguments[1], "tcp") == 0;
    settings.port = static_cast<std::uint16_t>(std::atoi(arguments[2]));
    settings.callee_port = static_cast<std::uint16_t>(std::atoi(arguments[3]));
    settings.peers = static_cast<std::uint32_t>(std::atoi(arguments[4]));
    settings.headers = static_cast<std::uint32_t>(std::atoi(arguments[5]));
    settings.window = static_cast<std::uint32_t>(std::atoi(arguments[6]));
    if (count == 11) settings.users = static_cast<std::uint32_t>(std::atoi(arguments[10]));
    Peers peers(settings);
    if (settings.users == 0) peers.run(std::atof(arguments[7]));
    const double before = processor_seconds(arguments[9]);
    const std::uint64_t completed = peers.run(std::atof(arguments[8]));
    const double spent = processor_seconds(arguments[9]) - before;
    std::printf("{\"completed\": %llu, \"lost\": %llu, \"server_cpu_us_per_operation\": %.3f}\n",
                static_cast<unsigned long long>(completed),
                static_cast<unsigned long long>(peers.lost()),
                completed == 0 ? 0.0 : spent * 1e6 / static_cast<double>(completed));
    const bool is_incomplete = settings.users != 0 && completed < settings.users;
    return completed == 0 || is_incomplete ? 1 : 0;
}

}  // namespace
}  // namespace bench

int main(int count, char** arguments) {
    if (count == 10 || count == 11) return bench::run(count, arguments);
    std::fputs(bench::kHelp, stderr);
    return 2;
}
