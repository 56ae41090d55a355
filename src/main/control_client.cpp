// The command line's way to the running server: one JSON object a line through the socket in
// data_dir.
#include "main/control_client.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <iostream>

#include "base/result.h"

namespace signalbox::cli {

namespace {

constexpr time_t kAnswerSeconds = 10;
constexpr size_t kReplyBytesMax = size_t{256} << 20;

/// The socket's own path may be longer than an address may be: a name through the directory's
/// descriptor never is.
int connect_in(const std::string& data_dir) {
    const int directory = ::open(data_dir.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (directory < 0) return -1;
    const std::string path = "/proc/self/fd/" + std::to_string(directory) + "/control.sock";
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.copy(address.sun_path, sizeof(address.sun_path) - 1);
    const int descriptor = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const bool is_connected =
        descriptor >= 0 &&
        ::connect(descriptor, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0;
    ::close(directory);
    if (is_connected) return descriptor;
    if (descriptor >= 0) ::close(descriptor);
    return -1;
}

}  // namespace

ControlClient::ControlClient(const std::string& data_dir) : descriptor_(connect_in(data_dir)) {
    if (descriptor_ < 0) return;
    const timeval limit{kAnswerSeconds, 0};
    ::setsockopt(descriptor_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
    ::setsockopt(descriptor_, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
}

ControlClient::~ControlClient() {
    if (descriptor_ >= 0) ::close(descriptor_);
}

store::Outcome<sinks::Json> ControlClient::ask(const sinks::Json& request) {
    const std::string line = sinks::dump(request) + "\n";
    for (size_t sent = 0; sent < line.size();) {
        const ssize_t size =
            ::send(descriptor_, line.data() + sent, line.size() - sent, MSG_NOSIGNAL);
        if (size < 0 && errno == EINTR) continue;
        if (size <= 0) return store::failure("The server ended while it was asked. Try again.");
        sent += static_cast<size_t>(size);
    }
    size_t end = std::string::npos;
    while ((end = received_.find('\n')) == std::string::npos) {
        std::array<char, 65536> buffer;
        const ssize_t size = ::recv(descriptor_, buffer.data(), buffer.size(), 0);
        if (size < 0 && errno == EINTR) continue;
        if (size < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
            return store::failure("The server did not answer within 10 seconds. See its log.");
        }
        if (size <= 0) return store::failure("The server ended while it was asked. Try again.");
        received_.append(buffer.data(), static_cast<size_t>(size));
        if (received_.size() > kReplyBytesMax)
            return store::failure("The server's answer is too long.");
    }
    sinks::Json reply = sinks::Json::parse(received_.substr(0, end), nullptr, false);
    received_.erase(0, end + 1);
    if (!reply.is_object())
        return store::failure("The server answered something that is no JSON object.");
    if (reply.value("ok", false)) return reply;
    return store::failure("The server refused: " +
                          reply.value("error", std::string("no reason given")));
}

store::Outcome<void> ControlClient::for_each(sinks::Json request, const std::string& name,
                                             const std::function<void(const sinks::Json&)>& visit) {
    for (;;) {
        auto reply = ask(request);
        if (!reply) return tl::unexpected(reply.error());
        for (const sinks::Json& element : (*reply)[name]) visit(element);
        if (reply->contains("silent_shards")) {
            std::cerr << "Shards that did not answer: " << (*reply)["silent_shards"].dump()
                      << ".\n";
        }
        const sinks::Json next = reply->value("next", sinks::Json(nullptr));
        if (next.is_null()) return {};
        request["after"] = next;
    }
}

}  // namespace signalbox::cli
